"""Which source an attribute belongs to, found once for each name."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from otel_sessions.content import message_events, tools
from otel_sessions.content.sources import SOURCES, names_of

_REMEMBERED: Final = 4_096
_LONGEST: Final = 256

OTHER_PLACE: Final = len(SOURCES) + 1
"""The place of events, and of attributes of tools."""

_BY_NAME: Final = {name: number for number, source in enumerate(SOURCES, 1) for name in names_of(source)}
_PREFIXES: Final = {name: number for name, number in _BY_NAME.items() if name.endswith(".")}
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
    **{name: OTHER_PLACE for place in tools.OWN for name in (place.arguments, place.result)},
    **{name: number for name, number in _BY_NAME.items() if not name.endswith(".")},
}
_ENDINGS: Final = ("compaction_complete", "conversation.compacted")


class _Places(dict[str, int]):
    """The number of the source of a name, from 1; 0 for a name of none. Names are remembered within bounds."""

    def __missing__(self, name: str) -> int:
        place = _place(name)
        return self.setdefault(name, place) if len(self) < _REMEMBERED and len(name) <= _LONGEST else place


def _place(name: str) -> int:
    for prefix, number in _PREFIXES.items():
        if name.startswith(prefix) and name[len(prefix) : len(prefix) + 1].isdigit():
            return number
    return OTHER_PLACE if name.endswith(_ENDINGS) else 0


PLACES: Final = _Places(_NAMES)


def is_held(names: Collection[str]) -> bool:
    """True if any of these names belongs to a source."""
    return any(map(PLACES.__getitem__, names))
