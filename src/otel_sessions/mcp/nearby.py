"""`found`: what is asked about a session, or an error that names the sessions that may have been meant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from otel_sessions.mcp.asking import SESSIONS, Ask, AskError, MissingError, session_path
from otel_sessions.mcp.refs import SessionRef
from otel_sessions.mcp.rooms import Call

MOST: Final = 5
"""How many sessions an error names."""

_KEYS: Final = 10
_SHORTEST: Final = 4
"""Characters of a beginning that is looked for."""


def of_session(ask: Ask, session: SessionRef, part: str = "", parameters: Mapping[str, str] | None = None) -> Any:
    """What REST answers about a session or a part of it.

    Raises:
        MissingError: there is no such session; it names those that are near.
    """
    try:
        return ask.get(session_path(session, part), {"key": session.key, **(parameters or {})})
    except MissingError:
        near = _near(ask, session)
        if session in near:  # the session is there, but not this part of it
            raise
        listing = Call("list_sessions", {"key": session.key})
        if not near:
            raise MissingError(
                f"there is no session {_shown(session)}, and none with a similar id", [listing]
            ) from None
        raise MissingError(
            f"there is no session {_shown(session)}; {'this is' if len(near) == 1 else 'these are'} near",
            [*(Call("get_session", {"id": str(one)}) for one in near), listing],
        ) from None


def _near(ask: Ask, session: SessionRef) -> list[SessionRef]:
    """Sessions of the same id under other keys, and of ids that have this one, or a beginning of it, in them."""
    found: dict[SessionRef, None] = {}
    keys = [str(one["key"]) for one in ask.get("/v1/keys")["data"]][:_KEYS]
    for key in keys:
        try:
            ask.get(session_path(SessionRef(key, session.id)), {"key": key})
        except AskError:
            continue
        found[SessionRef(key, session.id)] = None
    text = session.id
    while not found and len(text) >= min(_SHORTEST, len(session.id)):
        page = ask.get(SESSIONS, {"key": session.key, "q": text[:1_000], "limit": str(MOST)})
        found |= dict.fromkeys(SessionRef(session.key, str(one["id"])) for one in page["data"])
        if len(text) < _SHORTEST:
            break
        text = text[: len(text) * 3 // 4]
    return list(found)[:MOST]


def _shown(session: SessionRef) -> str:
    shown = session.id[:200]
    return f"{shown!r}" if session.key == "id" else f"{shown!r} with the key {session.key[:128]!r}"
