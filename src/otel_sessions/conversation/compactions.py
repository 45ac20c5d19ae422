"""`with_compactions`: marks what comes first after a record which says that a lane's history was summed up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from otel_sessions.conversation.records import Records
from otel_sessions.conversation.tellings import CALL, PROMPT, Telling


def with_compactions(records: Records, tellings: Iterable[Telling]) -> Iterator[Telling]:
    """The same tellings, in the order of time; some sum up."""
    waiting: dict[str | None, list[int]] = {}
    for place, chain in records.chains.items():
        if chain.compacted and not chain.input and not chain.output:
            waiting.setdefault(records.lane(place), []).append(chain.time)
    for times in waiting.values():
        times.sort(reverse=True)
    for one in tellings:
        times = waiting.get(one.lane, [])
        is_first = False
        while times and one.kind in (PROMPT, CALL) and times[-1] <= one.start:
            times.pop()
            is_first = True
        yield one._replace(compacted=True) if is_first else one
