"""`Room`: how much of each text and of each list an answer shows, and how what is cut says so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from otel_sessions.mcp.written import beginning, written


class Call(NamedTuple):
    """A call of a tool, as an answer tells it to its reader."""

    tool: str
    arguments: Mapping[str, Any]

    def shown(self) -> dict[str, Any]:
        """The call as JSON."""
        return {"tool": self.tool, "arguments": {k: v for k, v in self.arguments.items() if v is not None}}


class Room(NamedTuple):
    """How much an answer shows.

    Attributes:
        longest: characters of a text, as JSON.
        most: entries of a list within an item.
    """

    longest: int
    most: int

    def text(self, value: Any, read: Call) -> Any:
        """A text, or what begins it with its length and the call that reads it; other values as the JSON that they are."""
        if value is None or isinstance(value, bool | int | float):
            return value
        is_text = isinstance(value, str)
        whole = value if is_text else json_text(value)
        if len(whole) <= self.longest and (not is_text or len(written(whole)) <= self.longest + 2):
            return value
        return {"begins": beginning(whole, self.longest), "length": len(whole), "read": read.shown()}

    def list(self, values: Sequence[Any], read: Call) -> Any:
        """A list, or its first entries with the number of all and the call that reads it."""
        if len(values) <= self.most:
            return list(values)
        return {"first": list(values[: self.most]), "count": len(values), "read": read.shown()}

    def map(self, values: Mapping[str, Any], read: Call) -> Any:
        """A map, or its first entries with the number of all and the call that reads it."""
        if len(values) <= self.most:
            return dict(values)
        return {"first": dict(list(values.items())[: self.most]), "count": len(values), "read": read.shown()}


ROOMS: Final = tuple(
    Room(longest, most)
    for longest, most in (
        (4_000, 50),
        (2_000, 50),
        (1_000, 20),
        (600, 20),
        (300, 10),
        (150, 10),
        (80, 5),
        (40, 2),
        (20, 0),
    )
)
"""From much to little."""


def json_text(value: Any) -> str:
    """A value as the text that `get_payload` counts in: a text itself, anything else as JSON."""
    return value if isinstance(value, str) else written(value)
