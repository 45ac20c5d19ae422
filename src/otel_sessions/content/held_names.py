"""Names of what holds the words of a conversation, for those who remove it: of attributes, of span events, of log records."""

from __future__ import annotations

from typing import Final

from otel_sessions.content import agent_records, message_events, tools
from otel_sessions.content.sources import SOURCES

_PLACES: Final = tuple(
    place.name for source in SOURCES for place in (*source.input, *source.output, *source.instructions)
)

NAMES: Final = tuple(
    dict.fromkeys(
        (
            *(name for name in _PLACES if not name.endswith(".")),
            *(name for place in (*tools.OWN, *tools.ANY) for name in (place.arguments, place.result) if name),
        )
    )
)
"""Attributes that hold words, of spans and of log records."""

PREFIXES: Final = tuple(dict.fromkeys(name for name in _PLACES if name.endswith(".")))
"""Beginnings of the names of attributes that hold words."""

EVENTS: Final = (*message_events.ROLES, tools.OUTPUT_EVENT)
"""Events, of spans and as log records, all of whose attributes and whose body are words."""


def words_of_records() -> list[tuple[str, str]]:
    """Names of events of log records, each with an attribute that holds words in it alone."""
    found: dict[tuple[str, str], None] = {}
    for event, how in agent_records.EVENTS.items():
        names = (how.name,) if isinstance(how, agent_records.Words) else (*how.arguments, *how.result)
        for name in names:
            found[event, name] = None
            found[event.partition(".")[2], name] = None
    return list(found)
