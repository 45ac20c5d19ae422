"""Which source an attribute belongs to, found once for each name."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from otel_sessions.content import message_events, tools
from otel_sessions.content.sources import SOURCES

_REMEMBERED: Final = 4_096
_LONGEST: Final = 256

TOOL_PLACE: Final = len(SOURCES) + 1
"""The place of attributes that only tools have."""

OTHER_PLACE: Final = len(SOURCES) + 2
"""The place of events, and of attributes that tell of content beside messages."""

_PREFIXES: Final = {
    place.name: number
    for number, source in enumerate(SOURCES, 1)
    for place in (*source.input, *source.output, *source.instructions)
    if place.name.endswith(".")
}
_NAMES: Final = {
    **dict.fromkeys(
        (
            *message_events.ROLES,
            message_events.INFERENCE,
            tools.OUTPUT_EVENT,
            "gen_ai.conversation.compacted",
            "tool_input",
        ),
        OTHER_PLACE,
    ),
    **{name: TOOL_PLACE for place in tools.OWN for name in (place.arguments, place.result)},
    **{
        place.name: number
        for number, source in enumerate(SOURCES, 1)
        for place in (*source.input, *source.output, *source.instructions)
        if not place.name.endswith(".")
    },
}
_ENDINGS: Final = ("compaction_complete", "conversation.compacted")


class _Places(dict[str, int]):
    """The number of the source of a name, from 1; 0 for a name of none. Names are remembered within bounds."""

    def __missing__(self, name: str) -> int:
        place = _place(name)
        if len(self) < _REMEMBERED and len(name) <= _LONGEST:
            self[name] = place
        return place


def _place(name: str) -> int:
    for prefix, number in _PREFIXES.items():
        if name.startswith(prefix):
            return number
    return OTHER_PLACE if name.endswith(_ENDINGS) else 0


PLACES: Final = _Places(_NAMES)


def is_held(names: Collection[str]) -> bool:
    """True if any of these names belongs to a source."""
    return any(map(PLACES.__getitem__, names))
