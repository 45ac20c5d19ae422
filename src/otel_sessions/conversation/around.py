"""`told_around`: what agents, or the tops of traces, tell of traces none of whose calls holds content."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from otel_sessions.content.message import ASSISTANT
from otel_sessions.conversation.chains import NO_LINKS, Chain
from otel_sessions.conversation.records import WORDLESS, Records
from otel_sessions.conversation.tellings import CALL, NO_TURN, PROMPT, Place, Telling
from otel_sessions.dialects.kinds import AGENT, CALLS, OTHER, TOOL, WORKFLOW

_RANKS: Final = {AGENT: 0, **dict.fromkeys(CALLS, 1), WORKFLOW: 2, OTHER: 3}
"""Which spans tell of a trace before others."""


def told_around(records: Records, calls: dict[Place, Telling], used: set[Place]) -> list[Telling]:
    """What spans around calls tell. An answer goes to the last call in its time, if there is one.

    Args:
        records: the session.
        calls: by place; changed.
        used: the places whose content is told; those of all spans that may tell are added.
    """
    told = {place[0] for place, one in calls.items() if one.holds_content}
    silent: dict[int, list[Telling]] = {}
    for one in calls.values():
        silent.setdefault(one.unit, []).append(one)
    by_unit: dict[int, list[tuple[int, int, int, Place]]] = {}
    for place, chain in records.chains.items():
        if place in used or place[0] in records.cells:
            continue
        rank, start, end = _span(records, place, chain)
        if rank is not None:
            used.add(place)
            if place[0] not in told:
                by_unit.setdefault(place[0], []).append((rank, start, -end, place))
    found = []
    for unit, spans in by_unit.items():
        for _, start, back, place in _outermost(spans):
            telling = _telling(records, place, start, -back)
            last = _last(silent.get(unit, ()), telling)
            if last is not None and telling.output:
                calls[last] = calls[last]._replace(output=telling.output, captured=True)
                telling = telling._replace(output=NO_LINKS)
            if telling.holds_content:
                found.append(telling if telling.output else telling._replace(kind=PROMPT))
    return found


def _span(records: Records, place: Place, chain: Chain) -> tuple[int | None, int, int]:
    """The rank and the time of a span that may tell; no rank for anything else."""
    member = records.members.get(place)
    if member is None:
        return None if chain.parent else _RANKS[OTHER], chain.time, chain.time
    facts = member.facts
    if facts.event or facts.kind == TOOL or facts.kind in WORDLESS:
        return None, facts.start, facts.end
    return _RANKS.get(facts.kind, _RANKS[OTHER]), facts.start, facts.end


def _outermost(spans: list[tuple[int, int, int, Place]]) -> Iterable[tuple[int, int, int, Place]]:
    """The spans of the best rank that are in the time of no other of them; of spans of no special kind the first alone."""
    spans.sort()
    best = spans[0][0]
    if best == _RANKS[OTHER]:
        return spans[:1]
    kept: list[tuple[int, int, int, Place]] = []
    latest = 0
    for one in spans:
        if one[0] == best and (not kept or -one[2] > latest):
            kept.append(one)
            latest = -one[2]
    return kept


def _last(calls: Iterable[Telling], around: Telling) -> Place | None:
    """The call that gave the answer of a span around it: the last one that did not fail, of its own lane before others."""
    inside = [
        one
        for one in calls
        if one.call is not None and not one.call.failed and around.start <= one.start and one.end <= around.end
    ]
    if not inside:
        return None
    last = max(inside, key=lambda one: (one.lane == around.lane, one.end, one.start, one.record))
    return last.unit, last.record


def _telling(records: Records, place: Place, start: int, end: int) -> Telling:
    chain = records.chains[place]
    return Telling(
        CALL,
        place[0],
        place[1],
        records.trace_id(place),
        start,
        end,
        records.lane(place),
        input=chain.input,
        output=chain.output,
        is_new=chain.is_new,
        compacted=chain.compacted,
        role=ASSISTANT,
        turn=records.turn(place) or NO_TURN,
    )
