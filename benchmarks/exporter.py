"""The CPU time that `SessionExporter` adds to the exporter it wraps, and the part of it that is counting.

The exporter is measured as in an app that has run for a while: all bounds on open spans are reached, so each new trace
makes it roll up and forget an old one, and the cyclic garbage collector is on. The spans to export are frozen before,
since the collector would otherwise charge the benchmark's own objects to the exporter. Every batch is read once before
it is measured, since the wrapped exporter has just encoded it and its spans are in the processor's caches.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import cycle
from statistics import fmean, median
from typing import Any, Final, Generic, TypeVar

from benchmarks.rounds import Costs, Rounds, interleaved
from benchmarks.spans import BATCH, SPANS_A_TRACE, SpanStream, Traces, provider
from benchmarks.tables import Row, Table
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import StatusCode

from otel_sessions import SessionExporter, SessionSpanProcessor
from otel_sessions.counting.facts import SpanFacts
from otel_sessions.counting.fold import SessionSum
from otel_sessions.counting.prices.chain import default_pricer
from otel_sessions.counting.reading import span_facts
from otel_sessions.counting.trace import roll_up
from otel_sessions.rollups import RollupLimits

_WARM_UP: Final = RollupLimits().spans // BATCH + 10
_SpanT = TypeVar("_SpanT")
_Plain = tuple[int, dict[str, Any]]
"""The trace id of a span, and the arguments of `span_facts` for it."""


class _Discard(SpanExporter):
    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        pass


class _Batches(Generic[_SpanT]):
    """One batch after another; the attributes of each are read before it is measured."""

    def __init__(
        self, batches: Sequence[Sequence[_SpanT]], attributes: Callable[[_SpanT], Mapping[str, Any] | None]
    ) -> None:
        self._remaining = iter(batches)
        self._attributes = attributes
        self.batch: Sequence[_SpanT] = ()

    def advance(self) -> None:
        self.batch = next(self._remaining)
        for span in self.batch:
            hash(tuple((self._attributes(span) or {}).items()))


def measure(*, quick: bool) -> Table:
    """Microseconds of CPU per span, in batches of 512 spans."""
    rounds, warm_up = (3, 4) if quick else (100, _WARM_UP)
    exported, dropped = _exported(rounds, warm_up)
    counted = _counted(rounds, warm_up)
    batched = _behind_batching(rounds)
    rows = [
        _row("added by SessionExporter to a no-op exporter", exported.costs["ours"], "<= 15 us"),
        _row("of which counting: facts, roll_up, sessions", counted.costs["ours"], "<= 8 us"),
        _row("added behind a BatchSpanProcessor, all threads", batched.added_costs("ours", "inner"), ""),
    ]
    notes = (f"not counted by the exporter: {dropped or 'nothing'}",)
    return Table("exporter (us of CPU per span)", ("median", "mean"), rows, notes)


def _row(what: str, costs: Costs, target: str) -> Row:
    return Row(what, (f"{median(costs):.2f}", f"{fmean(costs):.2f}"), target)


def _exported(rounds: int, warm_up: int) -> tuple[Rounds, dict[str, int]]:
    stream = SpanStream()
    batches = list(stream.batches(rounds + 2))
    gc.collect()
    gc.freeze()
    ours = SessionExporter(_Discard())
    for batch in stream.batches(warm_up):
        ours.export(batch)
    batches_to_come = _Batches(batches, lambda span: span.attributes)
    found = interleaved(
        {"ours": lambda: ours.export(batches_to_come.batch)}, rounds=rounds, units=BATCH, before=batches_to_come.advance
    )
    gc.unfreeze()
    return found, ours.dropped


def _counted(rounds: int, warm_up: int) -> Rounds:
    stream = SpanStream()
    batches = [[_plain(span) for span in batch] for batch in stream.batches(rounds + 2)]
    gc.collect()
    gc.freeze()
    pricer = default_pricer()
    sessions: dict[tuple[str, str], SessionSum] = {}

    def count(batch: Sequence[_Plain]) -> None:
        traces: dict[int, list[SpanFacts]] = {}
        for trace_id, span in batch:
            traces.setdefault(trace_id, []).append(span_facts(**span))
        for trace_id, facts in traces.items():
            rolled_up = roll_up(trace_id, facts, pricer=pricer)
            for group in rolled_up.groups if rolled_up is not None else ():
                pair = (group.key, group.value)
                if pair not in sessions:
                    sessions[pair] = SessionSum(*pair)
                sessions[pair].add(group)

    for batch in stream.batches(min(warm_up, 32)):
        count([_plain(span) for span in batch])
    batches_to_come = _Batches(batches, lambda span: span[1]["attributes"])
    found = interleaved(
        {"ours": lambda: count(batches_to_come.batch)}, rounds=rounds, units=BATCH, before=batches_to_come.advance
    )
    gc.unfreeze()
    return found


def _plain(span: ReadableSpan) -> _Plain:
    context = span.get_span_context()
    assert context is not None
    return context.trace_id, {
        "attributes": dict(span.attributes or {}),
        "span_id": context.span_id,
        "parent_id": None if span.parent is None else span.parent.span_id,
        "start": span.start_time or 0,
        "end": span.end_time or 0,
        "failed": span.status.status_code is StatusCode.ERROR,
        "scope": "" if span.instrumentation_scope is None else span.instrumentation_scope.name,
        "name": span.name,
        "service": "support",
        "environment": "production",
    }


def _behind_batching(rounds: int) -> Rounds:
    """The CPU time of an app whose spans are batched and exported on another thread, with and without `SessionExporter`."""

    def app(exporter: SpanExporter) -> tuple[Callable[[], None], Callable[[], None]]:
        batching = BatchSpanProcessor(exporter, max_queue_size=4 * BATCH, max_export_batch_size=BATCH)
        made = provider(SessionSpanProcessor(), batching)
        tracer = made.get_tracer("opentelemetry.instrumentation.support")
        traces = Traces()
        sessions: Iterator[int] = cycle(range(1_000))

        def run() -> None:
            for _ in range(BATCH // SPANS_A_TRACE):
                traces.make(tracer, next(sessions))
            batching.force_flush()

        return run, made.shutdown

    gc.collect()
    gc.freeze()
    inner, stop_inner = app(_Discard())
    ours, stop_ours = app(SessionExporter(_Discard()))
    found = interleaved({"inner": inner, "ours": ours}, rounds=rounds, units=BATCH)
    stop_inner()
    stop_ours()
    gc.unfreeze()
    return found
