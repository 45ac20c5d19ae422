"""`completed_ids`: the ids of sessions that a shell offers for what is written so far."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Any, Final

from otel_sessions.cli.client import DEFAULT_URL, Client
from otel_sessions.cli.errors import CommandError
from otel_sessions.environment_variables import API_KEY, URL

SECONDS: Final = 0.5
"""How long a person at a prompt waits for ids at most."""

MOST: Final = 50


def completed_ids(ctx: Any, incomplete: str) -> list[str]:
    """Ids that begin with the given text, those last active first; none if no server answers at once.

    Args:
        ctx: what is written so far, with the options `--url` and `--key`.
        incomplete: the beginning of an id.
    """
    given = getattr(ctx, "params", {})
    wanted = {"key": given.get("key") or "id", "q": incomplete, "sort": "last_active"}
    with suppress(CommandError, LookupError, TypeError):
        url = given.get("url") or os.environ.get(URL) or DEFAULT_URL
        client = Client(url, api_key=os.environ.get(API_KEY) or None, seconds=SECONDS)
        found = [str(session["id"]) for session in client.items("/v1/sessions", wanted, most=MOST)]
        # A shell writes what it completes as it is.
        return [one for one in found if one.startswith(incomplete) and one.isprintable()]
    return []
