"""Which session, and which part of it, a path is about: a session's id may hold anything, also `/`.

`/v1/sessions/{id}` and `/v1/sessions/{id}/{part}` are told apart in the path as it was sent, before its percent-encoding
is undone: in `/v1/sessions/a%2Ftraces` the id is `a/traces`, in `/v1/sessions/a/traces` it is `a`. A slash that was sent
as it is belongs to the id where no part follows it, because proxies decode what clients encode.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple
from urllib.parse import quote, unquote_to_bytes

from starlette.routing import Match
from starlette.types import Scope

from otel_sessions.server.api.endpoints import Endpoint

SESSIONS: Final = "/v1/sessions"
SESSION: Final = f"{SESSIONS}/{{session_id}}"
PARTS: Final = frozenset({"traces", "spans", "messages", "logs", "scores", "annotations"})
"""What may follow an id, whether it is served or not, so that a new part never changes what a path means."""

_PREFIX: Final = f"{SESSIONS}/".encode()


class Address(NamedTuple):
    """A session's id, and a part of it, empty for the session itself."""

    session_id: str
    part: str


def address_of(scope: Scope) -> Address | None:
    """What a request is about, if it is about a session."""
    if not route_path(scope).startswith(_PREFIX.decode()):
        return None
    _, found, rest = scope.get("raw_path", b"").partition(b"?")[0].partition(_PREFIX)
    if not found:
        # The letters of the prefix are encoded, or the server does not say what was sent.
        rest = quote(route_path(scope), safe="/").encode().removeprefix(_PREFIX)
    head, _, tail = rest.rpartition(b"/")
    part = tail.decode("latin-1")
    if head and part in PARTS:
        return Address(_decoded(head), part)
    return Address(_decoded(rest), "") if rest else None


def route_path(scope: Scope) -> str:
    """The decoded path below the one that the app is mounted at."""
    path, root = str(scope["path"]), str(scope.get("root_path", "")).rstrip("/")
    return path[len(root) :] if path.startswith(f"{root}/") else path


class SessionEndpoint(Endpoint):
    """A route whose path begins with `SESSION`, and ends there or goes on with one of `PARTS`."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether a request is about this part of a session, and of which."""
        address = address_of(scope) if scope["type"] == "http" else None
        if address is None or address.part != self.path.removeprefix(SESSION).lstrip("/"):
            return Match.NONE, {}
        found: dict[str, Any] = {
            "endpoint": self.endpoint,
            "path_params": {"session_id": address.session_id},
            "route": self,
        }
        return (Match.FULL if scope["method"] in (self.methods or ()) else Match.PARTIAL), found


def _decoded(encoded: bytes) -> str:
    return unquote_to_bytes(encoded).decode("utf-8", "replace")
