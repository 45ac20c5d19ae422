"""`with_records`: the calls of a unit, once log records that tell of them are taken in.

A record and a span, or two records of different events, tell of one call if they have a common id and nothing
contradicts; if the record was written inside the span of the call; or if they have the same tokens, end within seconds of
each other and name models that could be the same. Of one event, a call has one record: a second one is another call,
unless an id says otherwise. A record completes its call and is never added to it. What a span sums up is not counted
beside records of its parts.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from otel_sessions.counting.ancestors import nearest_above
from otel_sessions.counting.calls import COVERED, DUPLICATE, Counted, Skipped, merged
from otel_sessions.counting.cousins import known_id, model_bases
from otel_sessions.counting.facts import Call, SpanFacts, Values
from otel_sessions.counting.membership import Members
from otel_sessions.counting.tokens import same_tokens
from otel_sessions.counting.units import REACH_NS
from otel_sessions.dialects.kinds import AGENT, CALLS, WORKFLOW

NEAR_NS: Final = 15 * 1_000_000_000
"""How far apart two tellings of one call end at most, where no id tells that they are the same."""

_AROUND: Final = frozenset({AGENT, WORKFLOW})
"""The kinds of spans that sum up what happens in their time, also what is told elsewhere."""

_BY_ID, _INSIDE, _BY_LOOKS = range(3)
"""What shows that two are the same call, the most certain first."""


class Taken(NamedTuple):
    """The calls of a unit with its records.

    Attributes:
        counted: the counted and the skipped spans and records.
        adopted: by id, those records beside the unit that tell of its calls.
    """

    counted: Counted
    adopted: dict[int, SpanFacts]


def tells_of_call(record: SpanFacts) -> bool:
    """Return True if a log record tells of a model call."""
    return record.call is not None and record.kind in CALLS


def with_records(
    counted: Counted,
    facts: Mapping[int, SpanFacts],
    members: Members,
    beside: Collection[SpanFacts] = (),
) -> Taken:
    """Take log records in.

    Args:
        counted: the calls of the unit's spans.
        facts: the unit's spans and records by id.
        members: their sessions.
        beside: records of other units that may tell of the same calls; they are never counted here.
    """
    calls, skipped = dict(counted.calls), dict(counted.skipped)
    known = {span_id: facts[span_id]._replace(call=call) for span_id, call in calls.items()}
    own = [span for span in facts.values() if span.event and tells_of_call(span)]
    sessions = members.sessions

    def take(records: Iterable[SpanFacts]) -> list[SpanFacts]:
        """Complete calls by their records, and return the records that tell of none of them."""
        waiting = list(records)
        matches = match_records(waiting, known, sessions, skipped)
        for record, call_id in matches:
            assert record.call is not None
            calls[call_id] = merged(calls[call_id], record.call)
            known[call_id] = known[call_id]._replace(call=calls[call_id])
            skipped[record.span_id] = Skipped(DUPLICATE, call_id)
        matched = {record.span_id for record, _ in matches}
        return [record for record in waiting if record.span_id not in matched]

    for event in _by_detail(own):
        for record in take(event):
            assert record.call is not None
            calls[record.span_id], known[record.span_id] = record.call, record
    adopted: dict[int, SpanFacts] = {}
    strangers: list[SpanFacts] = []
    for event in _by_detail(record for record in beside if tells_of_call(record)):
        left = {record.span_id: record for record in take(event)}
        strangers += left.values()
        adopted.update({record.span_id: record for record in event if record.span_id not in left})
    alone = [facts[span_id] for span_id in calls if facts[span_id].event]
    for summed in _summed_up(calls, facts, sessions, [*alone, *strangers]):
        del calls[summed]
        skipped[summed] = Skipped(COVERED)
    return Taken(Counted(calls, skipped), adopted)


def match_records(
    records: Collection[SpanFacts],
    calls: Mapping[int, SpanFacts],
    sessions: Mapping[int, Values],
    stand_ins: Mapping[int, Skipped],
) -> list[tuple[SpanFacts, int]]:
    """Each record with the id of the call that it tells of, if there is one; a call gets one record of an event.

    Args:
        records: of model calls.
        calls: the calls by id; each as the span or record that is counted.
        sessions: by id, the sessions of the calls and of those records that are in the same unit.
        stand_ins: spans that are not counted, and which call is counted instead.
    """
    if not records or not calls:
        return []
    find = _Finder(calls, stand_ins)
    pairs: list[tuple[int, int, int, int, int]] = []
    by_id = {record.span_id: record for record in records}
    for record in by_id.values():
        mine = dict(sessions.get(record.span_id, record.values))
        for shown_by, span in find(record):
            if all(mine.get(key, value) == value for key, value in sessions[span.span_id]):
                distance = abs(record.end - span.end)
                pairs.append((shown_by, distance, record.start, record.span_id, span.span_id))
    taken: set[tuple[int, str]] = {(span.span_id, span.event) for span in calls.values() if span.event}
    found: dict[int, int] = {}
    for shown_by, _, _, record_id, call_id in sorted(pairs):
        place = (call_id, by_id[record_id].event)
        if record_id not in found and (place not in taken or shown_by == _BY_ID):
            found[record_id] = call_id
            taken.add(place)
    return [(by_id[record_id], call_id) for record_id, call_id in sorted(found.items())]


class _Finder:
    """Finds the calls that a record may tell of."""

    def __init__(self, calls: Mapping[int, SpanFacts], stand_ins: Mapping[int, Skipped]) -> None:
        self._calls = calls
        self._stand_ins = stand_ins
        self._by_id: dict[str, list[SpanFacts]] = {}
        self._by_input: dict[int | None, list[SpanFacts]] = {}
        for span in calls.values():
            for field in ("response_id", "call_id"):
                id_ = known_id(span, field)
                if id_ is not None:
                    self._by_id.setdefault(id_, []).append(span)
            self._by_input.setdefault(_input(span), []).append(span)
        for group in self._by_input.values():
            group.sort(key=_end)

    def __call__(self, record: SpanFacts) -> Iterator[tuple[int, SpanFacts]]:
        """Each call that a record may tell of, and what shows it."""
        seen: set[int] = set()
        for field in ("response_id", "call_id"):
            for span in self._by_id.get(known_id(record, field) or "", ()):
                if span.span_id not in seen and _agree(record, span) and abs(record.end - span.end) <= REACH_NS:
                    seen.add(span.span_id)
                    yield _BY_ID, span
        around = self._around(record.parent_id)
        if around is not None and around.span_id not in seen and not _ids_differ(record, around):
            seen.add(around.span_id)
            yield _INSIDE, around
        group = self._by_input.get(_input(record), [])
        first = bisect_left(group, record.start - NEAR_NS, key=_end)
        for span in group[first : bisect_right(group, record.end + NEAR_NS, key=_end)]:
            if span.span_id not in seen and _look_the_same(record, span):
                yield _BY_LOOKS, span

    def _around(self, parent_id: int | None) -> SpanFacts | None:
        stand_in = None if parent_id is None else self._stand_ins.get(parent_id)
        counted = parent_id if stand_in is None else stand_in.by
        span = None if counted is None else self._calls.get(counted)
        return span if span is not None and span.kind in CALLS else None


def _end(span: SpanFacts) -> int:
    return span.end


def _input(span: SpanFacts) -> int | None:
    return None if span.call is None or span.call.usage is None else span.call.usage.input_tokens


def _agree(record: SpanFacts, span: SpanFacts) -> bool:
    """Return True if nothing contradicts that both are one call."""
    ones, others = record.call, span.call
    assert ones is not None
    assert others is not None
    if _ids_differ(record, span):
        return False
    return ones.usage is None or others.usage is None or same_tokens(ones.usage, others.usage)


def _ids_differ(record: SpanFacts, span: SpanFacts) -> bool:
    """Return True if both have an id of one kind, and not the same."""
    for field in ("response_id", "call_id"):
        one, other = known_id(record, field), known_id(span, field)
        if one is not None and other is not None:
            return one != other
    return False


def _look_the_same(record: SpanFacts, span: SpanFacts) -> bool:
    if record.failed != span.failed or not _agree(record, span):
        return False
    assert record.call is not None
    assert span.call is not None
    if record.call.says_something != span.call.says_something:
        return False
    ones, others = model_bases(record), model_bases(span)
    return not ones or not others or bool(ones & others)


def _by_detail(records: Iterable[SpanFacts]) -> list[list[SpanFacts]]:
    """The records by event, the event first that says the most of a call: its records are then completed by the others."""
    by_event: dict[str, list[SpanFacts]] = {}
    for record in records:
        by_event.setdefault(record.event, []).append(record)
    detail = {event: max(map(_parts, group)) for event, group in by_event.items()}
    return [by_event[event] for event in sorted(by_event, key=lambda event: (-detail[event], event))]


def _parts(record: SpanFacts) -> int:
    call = record.call or Call()
    known = 0 if call.usage is None else sum(part is not None for part in call.usage)
    return known + (call.reported is not None)


def _summed_up(
    calls: Mapping[int, Call],
    facts: Mapping[int, SpanFacts],
    sessions: Mapping[int, Values],
    records: Collection[SpanFacts],
) -> list[int]:
    """The counted spans that are no calls themselves, and sum up what records tell one by one."""
    sums = {span_id for span_id in calls if facts[span_id].kind not in CALLS}
    if not sums or not records:
        return []
    own = [record.span_id for record in records if record.span_id in facts]
    found = set(nearest_above(own, facts, lambda span: span.span_id in sums).values())
    by_session: dict[tuple[str, str], list[int]] = {}
    for record in records:
        for pair in sessions.get(record.span_id, record.values):
            by_session.setdefault(pair, []).append(record.end)
    for group in by_session.values():
        group.sort()
    for span_id in sums - found:
        if facts[span_id].kind not in _AROUND:
            continue
        span = facts[span_id]
        for group in (by_session.get(pair, []) for pair in sessions[span_id]):
            place = bisect_left(group, span.start)
            if place < len(group) and group[place] <= span.end + NEAR_NS:
                found.add(span_id)
    return sorted(found)
