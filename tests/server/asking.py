"""Requests with a body to a server in another process, and their answers."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any, NamedTuple
from urllib.parse import quote

from tests.server.running import SECONDS, Server


class Answer(NamedTuple):
    """An HTTP status, and the JSON of the answer."""

    status: int
    body: Any


def ask(server: Server, method: str, path: str, body: object = None, **headers: str) -> Answer:
    """Send a request; a body that is not bytes is sent as JSON."""
    raw = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
    given = {"Content-Type": "application/json"} | {name.replace("_", "-"): text for name, text in headers.items()}
    request = urllib.request.Request(server.url + path, raw, given, method=method)
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:
            return Answer(answer.status, json.load(answer))
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, json.load(error))


def path_of(session_id: str, subresource: str = "") -> str:
    """The path of a session, or of one of its sub-resources."""
    return f"/v1/sessions/{quote(session_id, safe='')}{subresource and f'/{subresource}'}"
