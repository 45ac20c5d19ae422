"""Which session, and which of its sub-resources, a path names: a session's id may hold anything, also `/`.

`/v1/sessions/{id}` and `/v1/sessions/{id}/{subresource}` are told apart in the path as it was sent, before its
percent-encoding is undone: in `/v1/sessions/a%2Ftraces` the id is `a/traces`, in `/v1/sessions/a/traces` it is `a`. A slash
that was sent unencoded belongs to the id unless a sub-resource follows it, because proxies decode what clients encode.
"""

from __future__ import annotations

from typing import Final, NamedTuple
from urllib.parse import quote, unquote_to_bytes

from starlette.types import Scope

SESSIONS: Final = "/v1/sessions"
SESSION: Final = f"{SESSIONS}/{{session_id}}"
SUBRESOURCES: Final = frozenset({"traces", "spans", "steps", "calls", "messages", "logs", "scores", "annotations"})
"""What may follow an id. Names that are not served yet are among them, so that a new one never changes what a path means."""

ITEMS: Final = frozenset({"messages"})
"""Sub-resources whose items are named by a number that follows them."""

_PREFIX: Final = f"{SESSIONS}/".encode()


class SessionPath(NamedTuple):
    """A session's id, and what is named of it.

    Attributes:
        session_id: the id.
        subresource: the name of one of its sub-resources; empty for the session itself.
        item: the number of an item of the sub-resource; empty for the sub-resource itself.
    """

    session_id: str
    subresource: str
    item: str = ""


def session_path(scope: Scope) -> SessionPath | None:
    """The session and sub-resource that the path of a request names; `None` for any other path."""
    if not route_path(scope).startswith(_PREFIX.decode()):
        return None
    _, found, rest = scope.get("raw_path", b"").partition(b"?")[0].partition(_PREFIX)
    if not found:
        # The letters of the prefix are encoded, or the server does not pass the path on as it was sent.
        rest = quote(route_path(scope), safe="/").encode().removeprefix(_PREFIX)
    head, _, tail = rest.rpartition(b"/")
    subresource = tail.decode("latin-1")
    if head and subresource in SUBRESOURCES:
        return SessionPath(_decoded(head), subresource)
    above, _, last = head.rpartition(b"/")
    if above and tail.isdigit() and last.decode("latin-1") in ITEMS:
        return SessionPath(_decoded(above), last.decode(), tail.decode())
    return SessionPath(_decoded(rest), "") if rest else None


def route_path(scope: Scope) -> str:
    """The decoded path of a request, below the path that the app is mounted at."""
    path, root = str(scope["path"]), str(scope.get("root_path", "")).rstrip("/")
    return path[len(root) :] if path.startswith(f"{root}/") else path


def _decoded(encoded: bytes) -> str:
    return unquote_to_bytes(encoded).decode("utf-8", "replace")
