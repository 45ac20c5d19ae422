"""The measures of a session that lists are sorted by, each defined once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from otel_sessions.counting.session import SessionRollup


class Measure(NamedTuple):
    """A number or text of a session to sort by; `None` is unknown and always comes last."""

    value: Callable[[SessionRollup], Any]
    unit: str
    about: str


MEASURES: Final[Mapping[str, Measure]] = MappingProxyType(
    {
        "last_active": Measure(lambda session: session.end, "ns", "last end of a span"),
        "created": Measure(lambda session: session.start, "ns", "first start of a span"),
        "cost": Measure(lambda session: session.total_cost, "USD", "total cost of the priced model calls"),
        "tokens": Measure(lambda session: session.total_tokens, "tokens", "input and output tokens"),
        "duration": Measure(lambda session: session.duration_ms, "ms", "first start to last end"),
        "traces": Measure(lambda session: session.trace_count, "traces", "number of traces"),
        "failure_rate": Measure(lambda session: session.failure_rate, "ratio", "failed traces over traces"),
        "name": Measure(lambda session: session.name, "text", "the session's name"),
    }
)


def sort_sessions(sessions: Iterable[SessionRollup], sort: str, *, descending: bool = True) -> list[SessionRollup]:
    """The sessions by a measure, unknown last, ties by key and id.

    Raises:
        ValueError: for an unknown measure; the message lists the known ones.
    """
    if sort not in MEASURES:
        raise ValueError(f"sort={sort!r} is not a measure; choose from {', '.join(MEASURES)}")
    value = MEASURES[sort].value
    ordered = sorted(sessions, key=lambda session: (session.key, session.id))
    known = sorted((one for one in ordered if value(one) is not None), key=value, reverse=descending)
    return known + [one for one in ordered if value(one) is None]
