"""`excerpt_of`: the words around a text that was found."""

from __future__ import annotations

from typing import Any

from otel_sessions.mcp.rooms import Call, Room
from otel_sessions.mcp.written import beginning


def excerpt_of(text: str, query: str, read: Call, room: Room) -> dict[str, Any]:
    """The words around the first place of a text, with the length of the whole and the call that reads it.

    Args:
        text: what has it.
        query: what was looked for.
        read: reads the whole text.
        room: how much of it is shown.
    """
    longest = min(room.longest, 400)
    at = max(0, text.lower().find(query.lower()))
    begin = max(0, at - longest // 4)
    excerpt = beginning(text[begin:], longest) if text else ""
    told: dict[str, Any] = {"excerpt": excerpt}
    if len(excerpt) < len(text):
        told |= {"excerpt_offset": begin, "length": len(text), "read": read.shown()}
    return told
