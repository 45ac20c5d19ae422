"""A message of a conversation as answers show it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from otel_sessions.mcp.refs import MessageRef, SessionRef, SpanRef
from otel_sessions.mcp.rooms import Room, json_text
from otel_sessions.mcp.session_shown import reading

REST_LONGEST: Final = 20_000
"""Characters of a part that a page of REST shows."""

_OF_CALL: Final = ("model", "input_tokens", "output_tokens", "total_cost", "duration_ms", "failed")


def message_shown(message: Mapping[str, Any], session: SessionRef, room: Room) -> dict[str, Any]:
    """A message of a list."""
    ref = MessageRef(session, message["index"])
    told: dict[str, Any] = {"id": str(ref), "turn": message["turn"], "time": message["time"], "role": message["role"]}
    if message["trace_id"] is not None:
        told["span"] = str(SpanRef(message["trace_id"], message["span_id"]))
    told |= {name: message[name] for name in ("lane", "fork") if message[name] is not None}
    if message["branch"]:
        told["branch"] = message["branch"]
    if message["content"] is not None:
        told["content"] = message["content"]
    parts = [
        part_shown(part, ref, place, room, is_cut=message["truncated"]) for place, part in enumerate(message["parts"])
    ]
    most = max(1, room.most)
    told["parts"] = parts[:most]
    if len(parts) > most:
        told |= {"part_count": len(parts), "read": reading(ref, "parts").shown()}
    if message["call"] is not None:
        told["call"] = {name: value for name in _OF_CALL if (value := message["call"].get(name)) not in (None, False)}
    return told


def part_shown(
    part: Mapping[str, Any], ref: MessageRef, place: int, room: Room, *, is_cut: bool = False
) -> dict[str, Any]:
    """A part of a message; what is too long is cut."""
    told: dict[str, Any] = {}
    for name, value in part.items():
        read = reading(ref, f"parts.{place}.{name}")
        if is_cut and len(json_text(value)) >= REST_LONGEST:
            # REST has cut it, so its length is not known here.
            shown = room.text(value, read)
            told[name] = (
                shown if isinstance(shown, dict) and "read" in shown else {"begins": value, "read": read.shown()}
            )
            told[name]["length"] = f"at least {REST_LONGEST:,}"
        else:
            told[name] = room.text(value, read)
    return told
