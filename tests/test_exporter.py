"""`SessionExporter`: forwards every span, then answers for sessions."""

from __future__ import annotations

import decimal
import random
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult
from opentelemetry.trace import Status, StatusCode
from tests.counting.building import PerToken, read
from tests.exporting import SERVICE, Kept, chat, finished, same_objects

from otel_sessions import SessionExporter, SessionSpanProcessor, propagate_sessions
from otel_sessions.counting.facts import SpanFacts
from otel_sessions.counting.fold import fold
from otel_sessions.counting.session import SessionRollup
from otel_sessions.counting.trace import TraceRollup, roll_up
from otel_sessions.rollups import RollupLimits


def session_of(exporter: SessionExporter, name: object = "s1", key: str = "id") -> SessionRollup:
    """A session that must be there."""
    session = exporter.session(name, key)
    assert session is not None
    return session


def test_the_same_objects_in_the_same_batch_go_on() -> None:
    """The inner exporter gets the same sequence, not a copy, and its result is returned."""
    inner = Kept()
    exporter = SessionExporter(inner, price=None)
    batch = (finished(1, session="s1"), finished(2, 1, session="s1"))
    assert exporter.export(batch) is SpanExportResult.SUCCESS
    assert inner.batches[0] is batch
    assert exporter.inner is inner


def test_spans_go_on_before_they_are_counted() -> None:
    """A batch is counted after the inner exporter has returned."""
    seen: list[object] = []

    class Asking(Kept):
        def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
            seen.append(exporter.session("s1"))
            return super().export(spans)

    exporter = SessionExporter(Asking(), price=None)
    exporter.export([finished(session="s1")])
    assert seen == [None]
    assert session_of(exporter).span_count == 1


def test_without_an_inner_exporter() -> None:
    """Spans are counted without an inner exporter, and flushing and shutting down succeed."""
    exporter = SessionExporter(price=None)
    assert exporter.export([finished(session="s1")]) is SpanExportResult.SUCCESS
    assert exporter.force_flush()
    exporter.shutdown()
    assert (session_of(exporter).span_count, exporter.inner, exporter.dropped) == (1, None, {})


def test_a_whole_pipeline() -> None:
    """Sessions are stamped, forwarded and counted behind a batch processor, as the README shows."""
    inner = Kept()
    exporter = SessionExporter(inner)
    provider = TracerProvider(resource=SERVICE, shutdown_on_exit=False)
    provider.add_span_processor(SessionSpanProcessor())
    provider.add_span_processor(BatchSpanProcessor(exporter))
    tracer = provider.get_tracer("app")
    with propagate_sessions(
        "ticket-2611", user_id="user-a", session_name="Order #12345", tags=["support"], import_id=7, metadata={"n": 1}
    ):
        for number in range(2):
            with tracer.start_as_current_span(f"handle {number}"):
                call = tracer.start_span("chat", attributes=dict(chat(1).attributes or {}))
                call.end()
        failed = tracer.start_span("handle 2")
        failed.set_status(Status(StatusCode.ERROR))
        failed.end()
    provider.force_flush()
    session = session_of(exporter, "ticket-2611")
    assert (session.name, session.user_ids, session.tags) == ("Order #12345", ("user-a",), ("support",))
    assert (session.trace_count, session.failed_trace_count, session.status) == (3, 1, "failed")
    assert (session.span_count, session.call_count, session.operations) == (5, 2, ("handle 0", "handle 1", "handle 2"))
    assert (session.input_tokens, session.output_tokens, session.total_tokens) == (20, 4, 24)
    assert (session.services, session.environments, session.metadata) == (("web",), ("test",), {"n": 1})
    assert session.total_cost is not None
    assert session.unpriced_call_count == 0
    assert session_of(exporter, 7, "import_id").trace_count == 3
    assert len(inner.spans) == 5
    assert [one.id for one in exporter.sessions()] == ["ticket-2611"]
    provider.shutdown()
    assert inner.shutdowns == 1


def test_a_session_while_its_trace_is_open() -> None:
    """Every batch changes the session at once, without a flush."""
    exporter = SessionExporter(price=None)
    exporter.export([chat(2, 1, session="s1")])
    assert session_of(exporter).input_tokens == 10
    exporter.export([finished(1, session="s1", attributes={"gen_ai.usage.input_tokens": 10})])
    session = session_of(exporter)
    assert (session.input_tokens, session.span_count, session.trace_count) == (10, 2, 1)


def test_ids_of_every_type_that_is_accepted() -> None:
    """A session is found by the value it was set with: str, int and UUID for ids, float and bool too for keyed values."""
    uuid = UUID("12345678-1234-5678-1234-567812345678")
    exporter = SessionExporter(price=None)
    attributes = {"session.id": str(uuid), "session.key.flag": "true", "session.key.n": "2", "session.key.x": "2.5"}
    exporter.export([finished(attributes=attributes), finished(trace=2, session="7")])
    assert session_of(exporter, uuid).key == "id"
    assert session_of(exporter, 7).id == "7"
    assert session_of(exporter, True, "flag").id == "true"
    assert session_of(exporter, 2, "n").id == "2"
    assert session_of(exporter, 2.5, "x").id == "2.5"
    assert session_of(exporter, "2", key="n").key == "n"


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("other", "id"),
        ("s1", "ticket"),
        (True, "id"),
        (2.5, "id"),
        (None, "id"),
        (b"s1", "id"),
        ("", "id"),
        ("x" * 201, "id"),
        ([1], "ticket"),
        (float("nan"), "ticket"),
        ("s1", ["id"]),
        ("s1", None),
        ("s1", ""),
    ],
)
def test_what_is_no_session(name: object, key: Any) -> None:
    """An id that was never seen, or that the rules refuse, gives `None` without an exception."""
    exporter = SessionExporter(price=None)
    exporter.export([finished(session="s1")])
    assert exporter.session(name, key) is None


def test_lists_of_sessions() -> None:
    """Sessions are sorted by a measure, the last active first by default, up to the given limit."""
    exporter = SessionExporter(price=None)
    for number in range(60):
        tokens = ((number * 7) % 60, 0)
        exporter.export([chat(1, trace=number + 1, session=f"s{number:02}", tokens=tokens, at=(number, number + 1))])
    assert [one.id for one in exporter.sessions()] == [f"s{number:02}" for number in range(59, 9, -1)]
    assert [one.id for one in exporter.sessions(sort="created", descending=False, limit=2)] == ["s00", "s01"]
    assert [one.total_tokens for one in exporter.sessions(sort="tokens", limit=3)] == [59, 58, 57]
    assert len(exporter.sessions(limit=None)) == 60
    assert exporter.sessions(limit=0) == exporter.sessions(limit=-1) == []
    assert exporter.sessions("ticket") == []
    with pytest.raises(ValueError, match="last_active, created"):
        exporter.sessions(sort="color")


def test_the_resource_tells_service_and_environment() -> None:
    """Service and environment come from strings under old and new names, also with very many resources."""
    exporter = SessionExporter(price=None)
    resources = [
        Resource({"service.name": "new", "deployment.environment.name": "a"}),
        Resource({"service.name": "old", "deployment.environment": "b"}),
        Resource({"service.name": 5, "deployment.environment.name": 5}),
        *(Resource({"service.name": f"r{number:03}"}) for number in range(100)),
    ]
    spans = [finished(i + 1, session="s1", resource=one) for i, one in enumerate(resources)]
    exporter.export(spans)
    exporter.export(spans)
    session = session_of(exporter)
    assert session.environments == ("a", "b")
    assert session.services == ("new", "old", *(f"r{number:03}" for number in range(100)))


@pytest.mark.parametrize("price", [None, False])
def test_no_prices(price: bool | None) -> None:
    """Calls are unpriced without prices, costs are unknown, not 0, and a reported cost still counts."""
    exporter = SessionExporter(price=price)
    exporter.export([chat(1, session="s1"), chat(2, session="s1", attributes={"llm.cost.total": "0.25"})])
    session = session_of(exporter)
    assert (session.total_cost, session.unpriced_call_count) == (Decimal("0.25"), 1)
    assert session.cost_sources == ("reported:llm.cost.total",)


def test_prices_by_default() -> None:
    """The default prices are those of genai-prices, which the source names; an unknown model stays unpriced."""
    exporter = SessionExporter()
    unknown = {"gen_ai.request.model": "no-such-model", "gen_ai.provider.name": "nobody"}
    exporter.export([chat(1, session="s1", tokens=(1_000_000, 0)), chat(2, session="s1", attributes=unknown)])
    session = session_of(exporter)
    assert session.total_cost == Decimal("0.15")
    assert session.unpriced_call_count == 1
    assert all(source.startswith("genai-prices") for source in session.cost_sources)


@pytest.mark.parametrize("as_text", [True, False])
def test_prices_of_ones_own(tmp_path: Path, as_text: bool) -> None:
    """A prices file comes before genai-prices, which prices the rest."""
    path = tmp_path / "mine.toml"
    path.write_text('[[price]]\nmodel = "in-house"\ninput = 1\noutput = 2\n', encoding="utf-8")
    exporter = SessionExporter(price=str(path) if as_text else path)
    mine = {"gen_ai.request.model": "in-house"}
    exporter.export([chat(1, session="s1", attributes=mine, tokens=(1_000_000, 0)), chat(2, session="s1")])
    session = session_of(exporter)
    assert session.unpriced_call_count == 0
    assert "prices file mine.toml" in session.cost_sources
    assert {one.model: one.total_cost for one in session.models}["in-house"] == 1


def test_a_prices_file_that_cannot_be_read(tmp_path: Path) -> None:
    """A prices file that cannot be read raises an error when the exporter is made."""
    with pytest.raises(ValueError, match=r"missing\.toml"):
        SessionExporter(price=tmp_path / "missing.toml")


def test_a_pricer_of_ones_own() -> None:
    """Any object with `price` is a pricer, and sums are exact in an app whose decimal context has three digits."""
    exporter = SessionExporter(price=PerToken())
    with decimal.localcontext() as context:
        context.prec = 3
        exporter.export([chat(1, session="s1", tokens=(123_456_789, 1)), chat(2, session="s1", tokens=(1, 0))])
        session = session_of(exporter)
    assert session.total_cost == Decimal(123_456_792)
    exporter.export([chat(3, session="s1", attributes={"gen_ai.request.model": "unknown"})])
    session = session_of(exporter)
    assert (session.total_cost, session.unpriced_call_count) == (Decimal(123_456_792), 1)
    assert exporter.dropped == {}


def test_to_dict_of_a_session() -> None:
    """The dict of a session has times in RFC 3339 and money as decimal strings."""
    exporter = SessionExporter(price=PerToken())
    exporter.export([chat(1, session="s1", at=(0, 1))])
    shown = session_of(exporter).to_dict()
    assert (shown["start"], shown["end"]) == ("2026-11-18T11:06:40.000Z", "2026-11-18T11:06:40.001Z")
    assert (shown["total_cost"], shown["models"][0]["total_cost"], shown["duration_ms"]) == ("14", "14", 1.0)


def test_two_exporters_in_one_process() -> None:
    """Each of two exporters counts its own spans, also if one is inside the other."""
    kept = Kept()
    inner = SessionExporter(kept, price=None)
    outer, other = SessionExporter(inner, price=None), SessionExporter(price=None)
    spans = [chat(1, session="s1"), finished(2, 1, session="s1")]
    outer.export(spans)
    other.export(spans[:1])
    assert session_of(outer) == session_of(inner)
    assert (session_of(outer).span_count, session_of(other).span_count) == (2, 1)
    assert same_objects(kept.spans, spans)


def test_a_closed_trace_is_told_once_a_flush() -> None:
    """`on_trace` gets each trace when it is closed, and again with a late span in it."""
    told: list[TraceRollup] = []
    exporter = SessionExporter(price=None, on_trace=told.append)
    exporter.export([finished(1, session="s1"), finished(1, trace=2, session="s1")])
    assert told == []
    exporter.force_flush()
    exporter.force_flush()
    assert [(one.trace_id, one.whole.span_count) for one in told] == [(1, 1), (2, 1)]
    exporter.export([finished(2, 1, session="s1")])
    exporter.shutdown()
    assert [(one.trace_id, one.whole.span_count) for one in told[2:]] == [(1, 2)]


def test_on_trace_may_ask_the_exporter() -> None:
    """A callback that reads the session gets the numbers with its trace in them."""
    seen: list[int] = []
    exporter = SessionExporter(price=None, on_trace=lambda _: seen.append(session_of(exporter).span_count))
    exporter.export([finished(1, session="s1")])
    exporter.force_flush()
    assert seen == [1]


def test_late_spans_are_forwarded_and_counted_as_such() -> None:
    """A span beyond the bounds is forwarded, and counted as late in the session and in `dropped`."""
    inner = Kept()
    exporter = SessionExporter(inner, price=None, limits=RollupLimits(traces=1))
    exporter.export([chat(1, session="s1", trace=1)])
    exporter.export([chat(1, session="s1", trace=2)])
    exporter.export([chat(2, 1, session="s1", trace=1), chat(3, 1, trace=1)])
    session = session_of(exporter)
    assert (session.span_count, session.input_tokens, session.late_span_count) == (2, 20, 2)
    assert session.dropped == {"late_spans": 2}
    assert exporter.dropped == {"late_spans": 2}
    assert len(inner.spans) == 4


def test_spans_that_never_end() -> None:
    """Children of a root that never ends are counted in the session that they carry."""
    exporter = SessionExporter(price=None)
    exporter.export([chat(i, 1, session="s1") for i in range(2, 12)])
    exporter.force_flush()
    assert (session_of(exporter).call_count, session_of(exporter).trace_count) == (10, 1)


def test_a_trace_of_fifty_thousand_spans() -> None:
    """All spans of a large trace are counted, whatever the batches."""
    exporter = SessionExporter(price=None)
    spans = [finished(1, session="s1"), *(chat(i, 1 + i // 100, tokens=(1, 1)) for i in range(2, 50_001))]
    random.Random(1).shuffle(spans)
    for i in range(0, len(spans), 512):
        exporter.export(spans[i : i + 512])
    session = session_of(exporter)
    assert (session.span_count, session.trace_count, exporter.dropped) == (50_000, 1, {})
    # 49,999 calls, 500 of which have others below them that stand for them.
    assert (session.call_count, session.input_tokens) == (49_499, 49_499)


ATTRIBUTES: list[dict[str, Any]] = [
    {},
    {"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 7, "gen_ai.request.model": "m"},
    {"openinference.span.kind": "LLM", "llm.token_count.prompt": 7, "llm.model_name": "p/m-2025-01-01"},
    {"gen_ai.operation.name": "chat", "gen_ai.response.id": "r1", "gen_ai.usage.output_tokens": "3"},
    {"gen_ai.operation.name": "invoke_agent", "gen_ai.usage.input_tokens": 20},
    {"gen_ai.operation.name": "execute_tool", "session.metadata.n": 1},
    {"ai.operationId": "ai.embed.doEmbed", "ai.usage.tokens": 5, "llm.cost.total": 0.1, "session.metadata.n": True},
    {"langfuse.observation.type": "generation", "langfuse.observation.usage_details": '{"input": 4, "output": 1}'},
    {"logfire.span_type": "pending_span", "gen_ai.usage.input_tokens": 9},
    {"session.cut": ["id"]},
    {"session.key.ticket": "t1", "session.name": "x"},
    {"session.id": "s2", "user.id": "u"},
    {"session.id": "s1"},
    {"session.id": "s1", "gen_ai.operation.name": "chat", "llm.cost.total": "0.2"},
]


@st.composite
def span_lists(draw: st.DrawFn) -> list[ReadableSpan]:
    """Spans of two traces, in any nesting, dialect and session, some of them again in another state."""
    spans = []
    for _ in range(draw(st.integers(1, 12))):
        start = draw(st.integers(0, 4)) * 30
        spans.append(
            finished(
                draw(st.integers(1, 8)),
                draw(st.none() | st.integers(1, 10)),
                trace=draw(st.sampled_from([1, 1, 2])),
                attributes=draw(st.sampled_from(ATTRIBUTES)),
                scope=draw(st.sampled_from("ab")),
                failed=draw(st.booleans()),
                at=(start, start + draw(st.integers(0, 3)) * 30),
            )
        )
    return spans


def facts_of(span: ReadableSpan) -> SpanFacts:
    """The facts of a span by the pure functions alone."""
    assert span.context is not None
    assert span.instrumentation_scope is not None
    return read(
        dict(span.attributes or {}),
        span.instrumentation_scope.name,
        span_id=span.context.span_id,
        parent_id=None if span.parent is None else span.parent.span_id,
        start=span.start_time,
        end=span.end_time,
        failed=span.status.status_code is StatusCode.ERROR,
        name=span.name,
        service="web",
        environment="test",
    )


@settings(max_examples=150, deadline=None)
@given(span_lists(), st.randoms())
def test_arrival_changes_no_number(spans: list[ReadableSpan], order: random.Random) -> None:
    """Every session is that of whole traces when spans are shuffled, repeated, split into batches, read and flushed in between."""
    traces = {
        trace: [facts_of(one) for one in spans if one.context and one.context.trace_id == trace] for trace in (1, 2)
    }
    rollups = [roll_up(trace, facts) for trace, facts in traces.items()]
    groups = [group for rollup in rollups if rollup is not None for group in rollup.groups]
    exporter = SessionExporter(price=None)
    arriving = [*spans, *order.choices(spans, k=4)]
    order.shuffle(arriving)
    while arriving:
        size = order.randint(1, 5)
        exporter.export(arriving[:size])
        arriving = arriving[size:]
        if order.random() < 0.3:
            exporter.sessions()
        if order.random() < 0.3:
            exporter.force_flush()
    for key, value in [("id", "s1"), ("id", "s2"), ("ticket", "t1")]:
        own = [group for group in groups if (group.key, group.value) == (key, value)]
        assert repr(exporter.session(value, key)) == repr(fold(key, value, own) if own else None)
    assert exporter.dropped == {}


tiny = st.builds(
    RollupLimits,
    spans=st.integers(0, 6),
    traces=st.integers(0, 3),
    forgotten_traces=st.integers(0, 4),
    idle_seconds=st.sampled_from([0.0, 30.0]),
)


@settings(max_examples=150, deadline=None)
@given(
    tiny,
    st.lists(st.tuples(st.integers(1, 5), st.sampled_from(["s1", "s1", "s2"])), min_size=1, max_size=30),
    st.randoms(),
)
def test_no_span_goes_missing_within_any_bounds(
    limits: RollupLimits, chosen: list[tuple[int, str]], order: random.Random
) -> None:
    """Each span is forwarded, and counted either once or as late, within any bounds."""
    inner = Kept()
    exporter = SessionExporter(inner, price=None, limits=limits)
    spans = [chat(i + 1, trace=trace, session=name) for i, (trace, name) in enumerate(chosen)]
    sent = 0
    while sent < len(spans):
        size = order.randint(1, 4)
        exporter.export(spans[sent : sent + size])
        sent += size
        if order.random() < 0.3:
            exporter.sessions(limit=None)
    sessions = exporter.sessions(limit=None)
    late = exporter.dropped.get("late_spans", 0)
    assert sum(one.span_count for one in sessions) + late == len(spans) == len(inner.spans)
    assert sum(one.input_tokens or 0 for one in sessions) + 10 * late == 10 * len(spans)
    assert set(exporter.dropped) <= {"late_spans"}


@settings(max_examples=50, deadline=None)
@given(tiny, st.integers(0, 2), st.lists(st.tuples(st.integers(1, 5), st.integers(1, 5)), max_size=30))
def test_few_sessions_are_kept_where_few_may_be(limits: RollupLimits, most: int, chosen: list[tuple[int, int]]) -> None:
    """The bound on sessions holds, nothing raises, and dropped sessions are counted."""
    bounds = RollupLimits(limits.spans, limits.traces, limits.forgotten_traces, most, limits.idle_seconds)
    exporter = SessionExporter(price=None, limits=bounds)
    for i, (trace, name) in enumerate(chosen):
        exporter.export([chat(i + 1, trace=trace, session=f"s{name}")])
        assert len(exporter.sessions(limit=None)) <= most
    assert set(exporter.dropped) <= {"late_spans", "sessions"}


def test_calls_of_no_session() -> None:
    """A session that is not there, and what cannot be an id, have no calls."""
    exporter = SessionExporter()
    assert exporter.calls("none") == []
    assert exporter.calls("none", "ticket") == []
    assert exporter.calls("") == []
