"""`shown_line`: a line and its message as JSON carries them, the same in REST, in files and for agents."""

from __future__ import annotations

import json
from typing import Any, Final

from otel_sessions.content.message import Message
from otel_sessions.conversation.lines import Line
from otel_sessions.timestamps import format_time

LONGEST: Final = 20_000
"""Characters of a part that are shown in a list."""

NOT_CAPTURED: Final = "not captured"

_CONTENT: Final = ("content", "arguments")
"""The members of a part that hold what it says."""


def shown_line(line: Line, message: Message | None, *, longest: int | None = LONGEST) -> dict[str, Any]:
    """A line of a conversation as JSON carries it: ids in hexadecimal, times RFC 3339 UTC, money as decimal strings.

    Args:
        line: what `conversation` returned.
        message: the message with its digest; `None` if it has none, or if it was deleted.
        longest: how many characters a part has at most, beyond which it is cut; `None` leaves all whole.
    """
    parts = [] if message is None else message.to_dict()["parts"]
    sizes = [_size(part) for part in parts]
    is_missing = message is None and (line.digest is not None or not line.captured)
    return {
        "index": line.index,
        "turn": line.turn,
        "trace_id": None if line.trace_id is None else f"{line.trace_id:032x}",
        "span_id": f"{line.span_id:016x}",
        "time": format_time(line.time),
        "role": line.role,
        "lane": line.lane,
        "branch": line.branch,
        "fork": None if line.fork is None else {"index": line.fork[0], "kind": line.fork[1]},
        "parts": parts if longest is None else [_cut(part, longest) for part in parts],
        "content": NOT_CAPTURED if is_missing else None,
        "switch": line.switch,
        "size": sum(sizes),
        "truncated": longest is not None and any(size > longest for size in sizes),
        "call": None if line.call is None else line.call.to_dict(),
    }


def as_text(value: Any) -> str:
    """A text as it is, any other value as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _size(part: dict[str, Any]) -> int:
    """The number of characters of what a part says."""
    return sum(len(as_text(part[name])) for name in _CONTENT if name in part)


def _cut(part: dict[str, Any], longest: int) -> dict[str, Any]:
    """The part with its content cut; a value that is too long becomes the beginning of its JSON."""
    return {
        name: text[:longest] if name in _CONTENT and len(text := as_text(value)) > longest else value
        for name, value in part.items()
    }
