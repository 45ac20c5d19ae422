"""`in_session`: an answer about the session that a person names by its id, the beginning of its id, or `last`."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import Final, TypeVar

from otel_sessions.cli.client import Client, NotFoundError
from otel_sessions.cli.errors import NOT_FOUND, WRONG_USAGE, CommandError

LAST: Final = "last"
"""Names the session that was last active."""

SHOWN: Final = 3
"""How many sessions a message names."""

Answer = TypeVar("Answer")


def in_session(client: Client, given: str, key: str, ask: Callable[[str], Answer]) -> Answer:
    """What `ask` answers for the id of the session.

    Args:
        client: the server.
        given: the id, or a beginning that no other id has, or `last`.
        key: the session key.
        ask: gets the id; raises `NotFoundError` if the server does not have that session.

    Raises:
        CommandError: there is no such session, or there are several.
    """
    if given == LAST:
        return ask(_last(client, key))
    try:
        return ask(given)
    except NotFoundError:
        found = _beginning_with(client, given, key)
        if found == [given]:
            raise CommandError(f"the server at {client.url} does not answer this; is it of an older version?") from None
    if not found:
        raise CommandError(
            f"there is no session with {key} = {given!r}, and none whose id begins so; see: otel-sessions list",
            status=NOT_FOUND,
        )
    if len(found) > 1:
        several = ", ".join(found[:SHOWN]) + (", …" if len(found) > SHOWN else "")
        raise CommandError(
            f"several sessions begin with {given!r}: {several}; give more characters", status=WRONG_USAGE
        )
    return ask(found[0])


def _last(client: Client, key: str) -> str:
    for session in client.items("/v1/sessions", {"key": key, "sort": "last_active"}, most=1):
        return str(session["id"])
    raise CommandError(f"there are no sessions with the key {key!r} yet", status=NOT_FOUND)


def _beginning_with(client: Client, given: str, key: str) -> list[str]:
    """Ids that begin with the given text: the text itself if it is one, else the first few."""
    if not given.strip():
        raise CommandError("the id of the session is empty; see: otel-sessions list", status=WRONG_USAGE)
    # The search ignores case and looks anywhere in ids and names; what it finds is more than what is wanted.
    sessions = client.items("/v1/sessions", {"key": key, "q": given, "sort": "last_active"})
    ids = (str(session["id"]) for session in sessions)
    found = list(islice((one for one in ids if one.startswith(given)), SHOWN + 1))
    return [given] if given in found else found
