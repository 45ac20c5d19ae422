"""`SessionExporter` when something goes wrong: no span is lost, nothing is raised, every fault is counted."""

from __future__ import annotations

import json
import logging
import sys
import threading
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from tests import processes
from tests.counting import anything
from tests.counting.building import PerToken
from tests.exporting import AT, MS, Kept, chat, finished

from otel_sessions import SessionExporter
from otel_sessions.counting.measures import MEASURES
from otel_sessions.counting.prices.chain import default_pricer
from otel_sessions.counting.prices.pricer import Cost, Pricer
from otel_sessions.rollups import RollupLimits

BATCH = [finished(1, session="s1"), chat(2, 1, session="s1")]


class Broken(Kept):
    """An exporter that raises in every method."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Take the spans, then raise."""
        super().export(spans)
        raise ConnectionError("backend is away")

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Raise."""
        raise ConnectionError("backend is away")

    def shutdown(self) -> None:
        """Raise, once asked."""
        self.shutdowns += 1
        raise ConnectionError("backend is away")


def span_count(exporter: SessionExporter, name: str = "s1") -> int:
    """The number of spans of a session."""
    session = exporter.session(name)
    return 0 if session is None else session.span_count


def test_an_inner_exporter_that_raises(caplog: pytest.LogCaptureFixture) -> None:
    """The fault is a FAILURE to the processor, counted each time and logged once, and the spans are counted."""
    inner = Broken()
    exporter = SessionExporter(inner, price=None)
    with caplog.at_level(logging.WARNING, "otel_sessions.exporter"):
        assert exporter.export(BATCH) is SpanExportResult.FAILURE
        assert exporter.export(BATCH) is SpanExportResult.FAILURE
        assert exporter.force_flush() is False
        exporter.shutdown()
    assert exporter.dropped == {"export_errors": 4}
    assert [record.name for record in caplog.records] == ["otel_sessions.exporter"]
    assert "ConnectionError" in caplog.text
    assert (span_count(exporter), len(inner.spans), inner.shutdowns) == (2, 4, 1)


def test_an_inner_exporter_that_fails() -> None:
    """FAILURE is passed on and not counted as a fault, and spans that are sent again count once."""
    exporter = SessionExporter(Kept(SpanExportResult.FAILURE), price=None)
    assert exporter.export(BATCH) is SpanExportResult.FAILURE
    assert exporter.export(BATCH) is SpanExportResult.FAILURE
    assert (span_count(exporter), exporter.dropped) == (2, {})


def test_an_inner_exporter_that_hangs() -> None:
    """Sessions are answered on other threads meanwhile, and the batch is counted when the exporter returns."""
    entered, release = threading.Event(), threading.Event()

    class Hanging(Kept):
        def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
            entered.set()
            assert release.wait(30)
            return SpanExportResult.FAILURE

    exporter = SessionExporter(Hanging(), price=None)
    thread = threading.Thread(target=exporter.export, args=(BATCH,))
    thread.start()
    assert entered.wait(30)
    answers: list[object] = []
    reader = threading.Thread(target=lambda: answers.extend([exporter.session("s1"), exporter.sessions()]))
    reader.start()
    reader.join(30)
    assert answers == [None, []]
    release.set()
    thread.join(30)
    assert span_count(exporter) == 2


def test_flush_and_shutdown_in_any_order() -> None:
    """A second shutdown does nothing, and flushing and exporting afterwards still work."""
    inner = Kept()
    exporter = SessionExporter(inner, price=None)
    exporter.shutdown()
    exporter.shutdown()
    assert inner.shutdowns == 1
    assert exporter.force_flush(1_234) is True
    assert inner.flushes == [1_234]
    assert exporter.export(BATCH) is SpanExportResult.SUCCESS
    assert (span_count(exporter), len(inner.spans)) == (2, 2)


def test_a_span_that_cannot_be_read() -> None:
    """An unreadable span is forwarded and counted as such, and the others are counted."""
    inner = Kept()
    exporter = SessionExporter(inner, price=None)
    nowhere = ReadableSpan("without a context")
    strange = cast("ReadableSpan", object())
    exporter.export([nowhere, strange, *BATCH])
    assert (span_count(exporter), exporter.dropped) == (2, {"unreadable_spans": 2})
    assert len(inner.spans) == 4


def test_spans_without_times_scope_or_attributes() -> None:
    """A span without times, scope or attributes is counted, with no length, at time 0."""
    context = finished(9, trace=5).context
    exporter = SessionExporter(price=None)
    exporter.export([ReadableSpan("bare", context=context), finished(1, 9, trace=5, session="s1")])
    session = exporter.session("s1")
    assert session is not None
    assert (session.span_count, session.start, exporter.dropped) == (2, 0, {})


def test_attributes_of_another_mapping() -> None:
    """A span whose attributes are a plain dict is read."""

    class Plain(ReadableSpan):
        @property
        def attributes(self) -> Any:
            return {"session.id": "s1"}

    exporter = SessionExporter(price=None)
    exporter.export([Plain("plain", context=finished(1).context)])
    assert span_count(exporter) == 1


class Given(ReadableSpan):
    """A span whose attributes are not checked by the SDK."""

    def __init__(self, span_id: int, written: dict[str, Any]) -> None:
        """A call of a known session that has these too."""
        super().__init__(f"span {span_id}", context=finished(span_id).context, start_time=AT, end_time=AT + MS)
        self.written = {"session.key.known": "k1", **written}

    @property
    def attributes(self) -> Any:
        """As they were written."""
        return self.written


PRICES = default_pricer()


@settings(deadline=None)
@given(st.lists(anything.attributes, min_size=1, max_size=4))
def test_attributes_of_any_kind(written: list[dict[str, Any]]) -> None:
    """Every span is counted and every session answered, sorted and shown, whatever the attributes."""
    exporter = SessionExporter(price=PRICES)
    exporter.export([Given(i + 1, one) for i, one in enumerate(written)])
    exporter.force_flush()
    final = sum(one.get("logfire.span_type") != "pending_span" for one in written)
    in_session = exporter.session("k1", "known")
    cut = any("session.cut" in one for one in written)
    assert cut or (0 if in_session is None else in_session.span_count) == final
    for measure in MEASURES:
        for key in ("id", "known", "a"):
            json.dumps([one.to_dict() for one in exporter.sessions(key, sort=measure)], allow_nan=False)
    assert exporter.dropped == {}


def test_batches_that_are_no_batches() -> None:
    """A batch that cannot be iterated over is forwarded and counted as a fault."""
    inner = Kept()
    exporter = SessionExporter(inner, price=None)
    assert exporter.export(cast("Sequence[ReadableSpan]", 5)) is SpanExportResult.SUCCESS
    forwarded: list[Any] = list(inner.batches)
    assert (exporter.dropped, forwarded) == ({"rollup_errors": 1}, [5])


class Misbehaving(PerToken):
    """A pricer that does something else than it should."""

    def __init__(self, act: Callable[[], Any]) -> None:
        """Do this."""
        self._act = act

    def price(self, **question: Any) -> Cost | None:
        """Do it."""
        return cast("Cost | None", self._act())


def raise_error() -> None:
    """A pricer's own fault."""
    raise LookupError


@pytest.mark.parametrize(
    "act",
    [
        raise_error,
        lambda: 0.5,
        lambda: "free",
        lambda: (1, 2),
        lambda: Cost(None, None, cast("Any", 0.5), "x"),
        lambda: Cost(cast("Any", 0.5), None, Decimal(1), "x"),
        *(
            pytest.param(lambda total=total: Cost(None, None, Decimal(total), "x"), id=total)
            for total in ("NaN", "sNaN", "Infinity", "-1", "1e-500")
        ),
    ],
)
def test_a_pricer_that_misbehaves(act: Callable[[], Any]) -> None:
    """Calls are unpriced and the fault is counted; the session is answered and closed traces are not lost."""
    told: list[object] = []
    exporter = SessionExporter(price=cast("Pricer", Misbehaving(act)), on_trace=told.append)
    exporter.export(BATCH)
    session = exporter.session("s1")
    assert session is not None
    assert (session.call_count, session.unpriced_call_count, session.total_cost) == (1, 1, None)
    exporter.force_flush()
    assert len(told) == 1
    assert set(exporter.dropped) == {"price_errors"}


def test_an_on_trace_that_raises() -> None:
    """The callback gets the other traces, the flush goes on, and the fault is counted."""
    told: list[int] = []

    def on_trace(rollup: Any) -> None:
        told.append(rollup.trace_id)
        raise KeyError

    inner = Kept()
    exporter = SessionExporter(inner, price=None, on_trace=on_trace)
    exporter.export([finished(1, trace=1, session="s1"), finished(1, trace=2, session="s1")])
    assert exporter.force_flush()
    assert (told, exporter.dropped, len(inner.flushes)) == ([1, 2], {"on_trace_errors": 2}, 1)
    assert span_count(exporter) == 2


@pytest.mark.parametrize("flushes", [0, 1])
def test_a_fault_of_our_own_when_closing(flushes: int) -> None:
    """The inner exporter is flushed and shut down, whatever goes wrong in closing traces."""
    when = cast("Any", "at noon")
    inner = Kept()
    exporter = SessionExporter(inner, price=None)
    exporter.export([finished(1), ReadableSpan("x", context=finished(2).context, start_time=when, end_time=when)])
    for _ in range(flushes):
        assert exporter.force_flush()
    exporter.shutdown()
    assert (len(inner.flushes), inner.shutdowns, exporter.dropped) == (flushes, 1, {"rollup_errors": 1})


FORKING = """
import json, os, sys, threading
sys.path.insert(0, {root!r})
from tests.exporting import chat
from otel_sessions import SessionExporter

pricing, release = threading.Event(), threading.Event()

class Slow:
    def price(self, **question):
        pricing.set()
        release.wait(30)

exporter = SessionExporter(price=Slow())
exporter.export([chat(1, session="s1")])
thread = threading.Thread(target=exporter.session, args=("s1",))
thread.start()
pricing.wait(30)  # the lock is held by the other thread now
ours, theirs = os.pipe()
child = os.fork()
if child == 0:
    release.set()
    before = exporter.session("s1")
    exporter.export([chat(5, session="s2", trace=9)])
    exporter.force_flush()
    after = exporter.session("s2")
    os.write(theirs, json.dumps([before is None, after.span_count, len(exporter.sessions())]).encode())
    os._exit(0)
os.close(theirs)
with os.fdopen(ours) as pipe:
    told = json.load(pipe)
_, status = os.waitpid(child, 0)
release.set()
thread.join(30)
print(json.dumps([told, status, exporter.session("s1").span_count, exporter.session("s2") is None]))
"""


def test_a_forked_child(pytestconfig: pytest.Config) -> None:
    """A forked child starts with no session and free locks, and the parent keeps its numbers."""
    done = processes.run(sys.executable, "-c", FORKING.format(root=str(pytestconfig.rootpath)))
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [[True, 1, 1], 0, 1, True]


def test_many_threads_at_once() -> None:
    """Exports and reads on several threads at once lose no span."""
    inner = Kept()
    exporter = SessionExporter(inner, price=None, limits=RollupLimits(traces=8, idle_seconds=0))
    start = threading.Barrier(4)

    def work(number: int) -> None:
        start.wait(30)
        for i in range(50):
            exporter.export([chat(i + 1, trace=number * 100 + i % 7, session="s1")])
            exporter.session("s1")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert span_count(exporter) + exporter.dropped.get("late_spans", 0) == 200 == len(inner.spans)
