"""What spans change: which are new, which facts to add, and which trace groups to write. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, NamedTuple

from otel_sessions.counting.distinct_spans import distinct_spans, more_complete
from otel_sessions.counting.facts import SpanFacts
from otel_sessions.counting.ledger import roll_up_units
from otel_sessions.counting.membership import Pair, sessions_of
from otel_sessions.counting.prices.pricer import Pricer
from otel_sessions.counting.trace import TraceGroup, TraceRollup, roll_up
from otel_sessions.counting.units import as_cell
from otel_sessions.server.projections.recent_traces import Trace
from otel_sessions.server.projections.unassigned import NO_KEY, unassigned_groups, unassigned_pairs


@dataclass(slots=True)
class SpanChanges:
    """What the spans of one segment add.

    Attributes:
        rows: indices of the spans to store; a span that says nothing new is not among them.
        repeated: indices of the spans that say nothing new beside the stored facts.
        duplicates: how many spans say nothing new, those that are twice in the segment included.
        facts: by trace and span, the facts to add.
    """

    rows: list[int] = field(default_factory=list)
    repeated: list[int] = field(default_factory=list)
    duplicates: int = 0
    facts: dict[int, dict[int, SpanFacts]] = field(default_factory=dict)


def span_changes(trace_ids: Sequence[int], facts: Sequence[SpanFacts], known: Mapping[int, Trace]) -> SpanChanges:
    """Compare a segment's spans with what is known of their traces.

    A span that was stored before is a duplicate, unless this delivery is a later state of it: then it is stored again,
    and readers take the later one.
    """
    changes = SpanChanges()
    for index, (trace_id, span) in enumerate(zip(trace_ids, facts, strict=True)):
        added = changes.facts.get(trace_id)
        before = added.get(span.span_id) if added is not None else None
        is_first = before is None
        if is_first and trace_id in known:
            before = known[trace_id].spans.get(span.span_id)
        if before is not None and more_complete(before, span) is before:
            changes.duplicates += 1
            if is_first:
                changes.repeated.append(index)
            continue
        changes.rows.append(index)
        if added is None:
            changes.facts[trace_id] = {span.span_id: span}
        else:
            added[span.span_id] = span
    return changes


class ChangedTrace(NamedTuple):
    """A trace whose facts changed.

    Attributes:
        trace_id: of the trace.
        spans: the facts of all its spans now; none if the trace is gone.
        before: the sessions that its stored trace groups are for.
    """

    trace_id: int
    spans: Collection[SpanFacts]
    before: Collection[Pair] = frozenset()


@dataclass(slots=True)
class GroupChanges:
    """The trace groups of some traces as they are now.

    Attributes:
        written: the groups.
        unassigned: the groups of spans without a session, as `unassigned` describes them.
        gone: trace and session of the groups that existed before and do not exist any more.
        unpriced: by model, how many calls of these traces have no known cost.
        span_count: of all these traces.
        scored: the sessions that get or lose a score.
    """

    written: list[TraceGroup] = field(default_factory=list)
    gone: list[tuple[int, Pair]] = field(default_factory=list)
    unpriced: Counter[str] = field(default_factory=Counter)
    span_count: int = 0
    unassigned: list[TraceGroup] = field(default_factory=list)
    scored: frozenset[Pair] = frozenset()

    @property
    def lost(self) -> frozenset[Pair]:
        """The sessions that lost a trace group."""
        return frozenset(pair for _, pair in self.gone if pair[0] != NO_KEY)


Context = Mapping[int, Collection[SpanFacts]]
"""Facts of units by id."""

NO_CONTEXT: Final[Context] = MappingProxyType({})


def group_changes(traces: Iterable[ChangedTrace], pricer: Pricer | None, context: Context = NO_CONTEXT) -> GroupChanges:
    """Roll traces and cells up again.

    Args:
        traces: the units that changed.
        pricer: the cost of calls that do not report one.
        context: units that have not changed, but tell of the same calls.
    """
    changed = list(traces)
    together: Mapping[int, TraceRollup | None] | None = None
    if context or any(as_cell(unit, spans) is not None for unit, spans, _ in changed):
        together = roll_up_units({**context, **{unit: spans for unit, spans, _ in changed}}, pricer)
    changes = GroupChanges()
    for trace_id, spans, before in changed:
        rolled_up = roll_up(trace_id, spans, pricer=pricer) if together is None else together[trace_id]
        changes.span_count += len(spans)
        written = () if rolled_up is None else rolled_up.groups
        for (_, model), totals in () if rolled_up is None else rolled_up.whole.models.items():
            if totals.unpriced_call_count:
                changes.unpriced[model or ""] += totals.unpriced_call_count
        now = {(group.key, group.value) for group in written}
        changes.written.extend(written)
        for span in spans:
            if span.event:
                continue
            # In nearly all traces with sessions, each span has its own.
            if span.cut or not span.values:
                without = unassigned_groups(trace_id, spans)
                changes.unassigned.extend(without)
                now.update((group.key, group.value) for group in without)
                break
        changes.gone.extend((trace_id, pair) for pair in sorted(before) if pair not in now)
    return changes


def stored_trace(spans: Iterable[SpanFacts]) -> Trace:
    """A trace as the store knows it, from its facts."""
    known: dict[int, SpanFacts] = {}
    for span in spans:
        known[span.span_id] = more_complete(known[span.span_id], span) if span.span_id in known else span
    distinct = distinct_spans(known.values())
    members = sessions_of(distinct) if distinct else {}
    pairs = {pair for pairs in members.values() for pair in pairs}
    return Trace(known, frozenset(pairs | unassigned_pairs(distinct, members)))
