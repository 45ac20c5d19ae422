"""`SegmentWriter`: one commit of a segment's spans and log records, for the first time, again, or without its spans."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

from otel_sessions.counting.membership import Pair
from otel_sessions.counting.prices.pricer import Pricer
from otel_sessions.counting.related_units import RelatedUnits, Units
from otel_sessions.counting.score import Score
from otel_sessions.server.ingest.commit_target import CommitTarget
from otel_sessions.server.ingest.stored_traces import StoredTraces
from otel_sessions.server.otlp.batch import LogBatch, SpanBatch, joined
from otel_sessions.server.otlp.contents import HeldContent
from otel_sessions.server.projections.changes import ChangedTrace, GroupChanges, SpanChanges, span_changes
from otel_sessions.server.projections.facts_json import WrittenFacts, write_facts
from otel_sessions.server.projections.recent_traces import Trace
from otel_sessions.server.signals import LOGS, TRACES
from otel_sessions.server.wal.log import SealedSegment
from otel_sessions.server.wal.progress import Progress

ANSWER_SECONDS: Final = 0.25
"""The longest time that a commit waits, once its trace groups are written, for the answers to readers that waited for them."""

Regrouped = Callable[[GroupChanges, int], object]
"""Called with trace groups that were written, and their version."""

_NEW: Final = Trace()
_Traces = Mapping[int, Trace]
_Pairs = Mapping[int, Collection[Pair]]


class Committed(NamedTuple):
    """The work of one commit.

    Attributes:
        stored: by signal, the number of records that were new.
        duplicates: the number of spans that were not.
        size: the bytes of the requests.
        unpriced: by model, the number of calls without a known cost in the traces that were rolled up.
        rolled_up: the number of spans in these traces.
    """

    stored: Mapping[str, int]
    duplicates: int
    size: int
    unpriced: Mapping[str, int]
    rolled_up: int


class SegmentWriter:
    """Writes the changes that a segment makes, in the order that `committer` explains. One thread at a time calls it.

    Every call has a version greater than all before: what an earlier try wrote is then older.
    """

    def __init__(
        self,
        target: CommitTarget,
        traces: StoredTraces,
        progress: Progress,
        pricer: Pricer | None,
        regrouped: Regrouped,
    ) -> None:
        self._target = target
        self._traces = traces
        self._related = RelatedUnits(self._read, target.traces_near)
        self._stored: dict[int, Trace] = {}
        self._progress = progress
        self._pricer = pricer
        self._regrouped = regrouped
        self._inserter = ThreadPoolExecutor(1, thread_name_prefix="otel-sessions-inserter")
        # Made now, so that it does not fail later for want of threads.
        self._inserting = self._inserter.submit(threading.current_thread).result()

    @property
    def is_alive(self) -> bool:
        """False if the thread that inserts spans is gone."""
        return self._inserting.is_alive()

    def close(self) -> None:
        """End the thread that inserts spans."""
        self._inserter.shutdown()

    def commit(self, segment: SealedSegment, version: int) -> Committed:
        """Write a segment for the first time; its inserts have tokens, so that one that the client repeats adds nothing."""
        spans, logs = _batch(segment, TRACES, SpanBatch), _batch(segment, LOGS, LogBatch)
        token = f"{segment.identity}-spans"
        scores = [*spans.scores, *logs.scores]
        known = self._traces.read({*spans.trace_ids, *logs.units, *_scored(scores)})
        changes = _changes(spans, logs, known)
        self._add_lost(spans, changes, [row for row in changes.repeated if self._traces.is_older(spans.trace_ids[row])])
        if segment.awaited:
            groups = self._write_groups(changes.facts.keys(), changes, known, {}, version, scores)
            self._progress.groups_written(segment.number)
            self._progress.wait_for_readers(ANSWER_SECONDS)
            with self._inserting_spans(spans, changes.rows, token):
                facts = _to_json(changes)
        else:
            with self._inserting_spans(spans, changes.rows, token):
                groups = self._write_groups(changes.facts.keys(), changes, known, {}, version, scores)
                self._progress.groups_written(segment.number)
                facts = _to_json(changes)
        if len(logs):
            self._target.insert_logs(logs, segment.identity, range(len(logs)), f"{segment.identity}-logs")
        # Last, since a record whose facts are stored is taken for stored.
        self._insert_contents(spans, logs, changes)
        self._insert_facts(facts, known, version)
        return _committed(segment, changes, groups, len(logs))

    def recommit(self, segment: SealedSegment, version: int) -> Committed:
        """Write a segment, or a part of one, of which any rows may be stored: look these up and leave them out.

        Its inserts differ from those that were tried before, so they have no tokens. Trace groups are written again even
        if no span is new, since facts may be stored and their groups not.
        """
        spans, logs = _batch(segment, TRACES, SpanBatch), _batch(segment, LOGS, LogBatch)
        trace_ids = {*spans.trace_ids, *logs.units}
        scores = [*spans.scores, *logs.scores]
        known = self._traces.read(trace_ids.union(_scored(scores)))
        changes = _changes(spans, logs, known)
        self._add_lost(spans, changes, changes.repeated)
        with self._inserting_spans(spans, self._not_stored(spans, changes.rows), None):
            groups = self._write_groups(trace_ids, changes, known, self._target.pairs_of(trace_ids), version, scores)
            facts = _to_json(changes)
        stored = self._insert_missing_logs(logs, segment)
        self._insert_contents(spans, logs, changes)
        self._insert_facts(facts, known, version)
        return _committed(segment, changes, groups, stored)

    def regroup_without(self, segment: SealedSegment, version: int) -> Committed:
        """Write the trace groups of a segment's traces as they are without it, after it was set aside."""
        spans, logs = _batch(segment, TRACES, SpanBatch), _batch(segment, LOGS, LogBatch)
        trace_ids = {*spans.trace_ids, *logs.units}
        known, nothing = self._traces.read(trace_ids), SpanChanges()
        groups = self._write_groups(trace_ids, nothing, known, self._target.pairs_of(trace_ids), version)
        return _committed(segment, nothing, groups, 0)

    def _write_groups(
        self,
        trace_ids: Collection[int],
        changes: SpanChanges,
        known: _Traces,
        stored: _Pairs,
        version: int,
        scores: Collection[Score] = (),
    ) -> GroupChanges:
        """Roll traces up with what the changes adds, and store scores.

        `stored` are sessions of groups beside those that `known` implies.
        """
        changed = {one.trace_id: one for one in _changed_traces(trace_ids, changes, known, stored)}
        related = self._related.of({unit: one.spans for unit, one in changed.items()}, has_cells=self._traces.has_cells)
        again = [
            ChangedTrace(unit, facts, self._stored[unit].pairs.union(stored.get(unit, ())))
            for unit, facts in related.again.items()
        ]
        self._stored.clear()
        groups = self._target.project([*changed.values(), *again], version, self._pricer, context=related.context)
        others = _scored(scores).difference(changed)
        facts = {unit: one.spans for unit, one in changed.items()}
        facts |= {unit: known[unit].spans.values() for unit in others if unit in known}
        groups.scored = self._target.place_scores(facts, version, scores)
        if groups.written or groups.gone or groups.scored:
            self._regrouped(groups, version)
        return groups

    def _read(self, units: Collection[int]) -> Units:
        """The stored facts of units; which sessions they are in is remembered."""
        found = self._traces.read(units)
        self._stored.update(found)
        return {unit: trace.spans.values() for unit, trace in found.items()}

    @contextmanager
    def _inserting_spans(self, batch: SpanBatch, rows: Sequence[int], token: str | None) -> Iterator[None]:
        """Insert rows of a batch on another thread while the block runs; after the block they are stored."""
        if not rows:
            yield
            return
        wanted = batch if len(rows) == len(batch) else batch.take(rows)
        inserting = self._inserter.submit(self._target.insert_spans, wanted, token)
        try:
            yield
        finally:
            wait([inserting])
        inserting.result()

    def _insert_contents(self, spans: SpanBatch, logs: LogBatch, changes: SpanChanges) -> None:
        """Insert the messages of the spans and log records that say something new, or whose rows were lost."""
        if spans.contents or logs.contents:
            held = list(_held(spans, logs, changes))
            if held:
                self._target.insert_contents(held)

    def _insert_facts(self, facts: Mapping[int, WrittenFacts], known: _Traces, version: int) -> None:
        if facts:
            self._target.insert_facts(facts, version)
            self._traces.add(facts, known)

    def _insert_missing_logs(self, batch: LogBatch, segment: SealedSegment) -> int:
        """Insert the log records that are not stored, and return their number."""
        if not len(batch):
            return 0
        numbers = range(segment.logs_before, segment.logs_before + len(batch))
        stored = self._target.stored_log_rows(segment.identity)
        missing = [place for place, number in enumerate(numbers) if number not in stored]
        if missing:
            rows = [numbers[place] for place in missing]
            self._target.insert_logs(batch.take(missing), segment.identity, rows, None)
        return len(missing)

    def _add_lost(self, batch: SpanBatch, changes: SpanChanges, repeated: Sequence[int]) -> None:
        """Have spans inserted again whose facts are stored and whose rows are not: a power failure takes parts of any table."""
        if repeated:
            lost = dict.fromkeys(self._not_stored(batch, repeated))
            changes.rows.extend(lost)
            changes.duplicates -= len(lost)

    def _not_stored(self, batch: SpanBatch, rows: Sequence[int]) -> list[int]:
        """Those of the given rows whose span has no row in the store."""
        ids = [(batch.trace_ids[row], batch.facts[row].span_id) for row in rows]
        stored = self._target.stored_spans({trace_id for trace_id, _ in ids})
        return [row for row, id_ in zip(rows, ids, strict=True) if id_ not in stored]


def _batch(segment: SealedSegment, signal: str, kind: Callable[[], Any]) -> Any:
    """The batches of a segment's requests of one signal as one."""
    batches = [request.batch for request in segment.requests if request.signal == signal]
    if len(batches) > 1:
        return joined(batches)
    return batches[0] if batches else kind()


def _changes(spans: SpanBatch, logs: LogBatch, known: _Traces) -> SpanChanges:
    """What the spans and the log records of a segment change; the rows are those of spans."""
    changes = span_changes(spans.trace_ids, spans.facts, known)
    if logs.facts:
        for unit, records in span_changes(logs.units, logs.facts, known).facts.items():
            changes.facts.setdefault(unit, {}).update(records)
    return changes


def _scored(scores: Collection[Score]) -> set[int]:
    """The traces that scores are on."""
    return {score.trace_id for score in scores if score.trace_id}


def _changed_traces(
    trace_ids: Collection[int], changes: SpanChanges, known: _Traces, stored: _Pairs
) -> Iterator[ChangedTrace]:
    """The traces with all of their spans, and the sessions that groups of them may be stored for."""
    for trace_id in trace_ids:
        trace, added = known.get(trace_id, _NEW), changes.facts.get(trace_id, {})
        spans = {**trace.spans, **added} if trace.spans else added
        yield ChangedTrace(trace_id, spans.values(), trace.pairs.union(stored.get(trace_id, ())))


def _held(spans: SpanBatch, logs: LogBatch, changes: SpanChanges) -> Iterator[HeldContent]:
    """What the stored rows of a segment hold of a conversation."""
    rows = set(changes.rows)
    for place, content in spans.contents.items():
        if place in rows:
            yield HeldContent(spans.trace_ids[place], spans.facts[place], content)
    for place, held in logs.contents.items():
        if place not in logs.counted or held.facts.span_id in changes.facts.get(held.unit, ()):
            yield held


def _to_json(changes: SpanChanges) -> dict[int, WrittenFacts]:
    return {trace_id: write_facts(trace_id, added.values()) for trace_id, added in changes.facts.items()}


def _committed(segment: SealedSegment, changes: SpanChanges, groups: GroupChanges, logs: int) -> Committed:
    stored = {TRACES: len(changes.rows), LOGS: logs}
    return Committed(stored, changes.duplicates, segment.size, groups.unpriced, groups.span_count)
