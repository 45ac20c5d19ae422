"""`switches`: what turns the capture of content on, as the messages of a session tell it."""

from __future__ import annotations

from typing import Final

from otel_sessions.mcp.asking import Ask, AskError
from otel_sessions.mcp.nearby import of_session
from otel_sessions.mcp.refs import SessionRef

LOOKED_AT: Final = 20


def switches(ask: Ask, session: SessionRef) -> str:
    """A sentence with the switches of a session's first messages; empty if none is known."""
    try:
        page = of_session(ask, session, "messages", {"limit": str(LOOKED_AT)})
    except AskError:
        return ""
    found = dict.fromkeys(message["switch"] for message in page["data"] if message.get("switch"))
    return f" To capture content: {'; '.join(found)}." if found else ""
