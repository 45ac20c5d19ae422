"""`SessionRatioSampler`: whole sessions, by a rule that the Collector can repeat."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry import baggage
from opentelemetry.context import Context
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, Decision
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    TraceFlags,
    Tracer,
    TraceState,
    set_span_in_context,
)
from tests.recording import Spans

from otel_sessions import SessionRatioSampler, SessionSpanProcessor, no_session, propagate_sessions
from otel_sessions.sampler import keeps

KEPT, DROPPED = "ticket-10", "ticket-2611"
"""Two sessions on both sides of 50 %."""
SampledTracer = Callable[..., Tracer]


@pytest.fixture
def sampled(exporter: InMemorySpanExporter) -> SampledTracer:
    """Make a tracer with a sampler of these options, recording to the exporter."""

    def make(ratio: float, **options: Any) -> Tracer:
        provider = TracerProvider(sampler=SessionRatioSampler(ratio, **options), shutdown_on_exit=False)
        provider.add_span_processor(SessionSpanProcessor())
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        return provider.get_tracer("tests")

    return make


def remote(*, sampled: bool) -> NonRecordingSpan:
    """A parent in another process."""
    flags = TraceFlags(TraceFlags.SAMPLED if sampled else TraceFlags.DEFAULT)
    return NonRecordingSpan(SpanContext(0x1, 0x1, True, flags, TraceState([("k", "v")])))


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1), st.floats(0, 1))
def test_the_rule(value: str, ratio: float) -> None:
    """A session is kept if the first 8 hex digits of the SHA-256 of its value are below the ratio of 2^32."""
    digits = hashlib.sha256(value.encode()).hexdigest()[:8]
    assert keeps(value, ratio) == (int(digits, 16) < int(ratio * 2**32))


def test_the_two_sessions_of_these_tests() -> None:
    """Known sessions are kept and dropped as ever, so that the rule cannot change unnoticed."""
    assert hashlib.sha256(KEPT.encode()).hexdigest()[:8] == "5487b751"
    assert hashlib.sha256(DROPPED.encode()).hexdigest()[:8] == "84327af7"
    assert (keeps(KEPT, 0.5), keeps(DROPPED, 0.5)) == (True, False)


@given(st.text(min_size=1, max_size=20), st.floats(0, 1), st.floats(0, 1))
def test_a_greater_ratio_keeps_what_a_smaller_one_kept(value: str, one: float, other: float) -> None:
    """A greater ratio keeps all that a smaller one keeps, 0 keeps none and 1 keeps all."""
    value = value.encode("utf-8", "replace").decode()
    low, high = sorted((one, other))
    assert keeps(value, high) or not keeps(value, low)
    assert keeps(value, 1)
    assert not keeps(value, 0)


def test_the_share_is_about_the_ratio() -> None:
    """A ratio of 0.3 keeps about three in ten of many sessions."""
    assert sum(keeps(f"session-{number}", 0.3) for number in range(10_000)) == pytest.approx(3_000, abs=150)


def test_sessions_are_kept_or_dropped_whole(sampled: SampledTracer, spans: Spans) -> None:
    """Every span of every trace of a session has the same fate."""
    tracer = sampled(0.5)
    for name in (KEPT, DROPPED):
        for _ in range(10):
            with propagate_sessions(name), tracer.start_as_current_span("root"), tracer.start_as_current_span("child"):
                pass
    assert [span.attributes and span.attributes["session.id"] for span in spans()] == [KEPT] * 20


def test_children_follow_their_parent_whatever_session_they_are_in(sampled: SampledTracer, spans: Spans) -> None:
    """A session that is entered or left after the root span changes nothing."""
    tracer = sampled(0.5, root=ALWAYS_ON)
    with tracer.start_as_current_span("root"):
        with propagate_sessions(DROPPED), tracer.start_as_current_span("late"):
            pass
        with no_session(), tracer.start_as_current_span("none"):
            pass
    with propagate_sessions(DROPPED), tracer.start_as_current_span("dropped root") as root:
        assert not root.is_recording()
        with propagate_sessions(KEPT), tracer.start_as_current_span("dropped child"):
            pass
    assert list(spans.ids()) == ["late", "none", "root"]


@pytest.mark.parametrize("parent_sampled", [True, False])
def test_a_remote_parent_does_not_decide(sampled: SampledTracer, spans: Spans, parent_sampled: bool) -> None:
    """The local root decides, by the session here or in the baggage that came along."""
    tracer = sampled(0.5)
    context = set_span_in_context(remote(sampled=parent_sampled), Context())
    for name in (KEPT, DROPPED):
        with_baggage = baggage.set_baggage("session.id", name, context)
        tracer.start_span(name, context=with_baggage).end()
    assert spans.ids() == {KEPT: KEPT}


def test_without_a_session_root_decides(sampled: SampledTracer, spans: Spans) -> None:
    """A given sampler, or else the ratio of trace ids, decides without a session."""
    for context in (None, set_span_in_context(remote(sampled=True), Context())):
        sampled(0, root=ALWAYS_ON).start_span("kept", context=context).end()
        sampled(1, root=ALWAYS_OFF).start_span("dropped", context=context).end()
        sampled(1).start_span("kept by ratio", context=context).end()
        sampled(0).start_span("dropped by ratio", context=context).end()
    assert [span.name for span in spans()] == ["kept", "kept by ratio"] * 2


def test_another_key_may_decide(sampled: SampledTracer, spans: Spans) -> None:
    """A given key decides in place of the id, and a session without it counts as none."""
    tracer = sampled(0.5, key="conversation_id", root=ALWAYS_OFF)
    with propagate_sessions(DROPPED, conversation_id=KEPT):
        tracer.start_span("kept").end()
    with propagate_sessions(KEPT, conversation_id=DROPPED):
        tracer.start_span("dropped").end()
    with propagate_sessions(KEPT):
        tracer.start_span("without").end()
    assert list(spans.ids()) == ["kept"]


def test_baggage_that_is_not_accepted_does_not_decide(sampled: SampledTracer, spans: Spans) -> None:
    """Baggage outside the allow-list does not decide what is kept."""
    context = baggage.set_baggage("session.id", KEPT, set_span_in_context(remote(sampled=True), Context()))
    sampled(0.5, accept_baggage=(), root=ALWAYS_OFF).start_span("dropped", context=context).end()
    assert spans() == []


def test_the_answer_carries_attributes_and_trace_state() -> None:
    """The result has the attributes and the trace state, as that of the SDK's own samplers."""
    sampler = SessionRatioSampler(0.5)
    context = set_span_in_context(remote(sampled=True), Context())
    for name, decision, attributes in (
        (KEPT, Decision.RECORD_AND_SAMPLE, {"a": 1}),
        (DROPPED, Decision.DROP, {}),
    ):
        result = sampler.should_sample(baggage.set_baggage("session.id", name, context), 1, "span", attributes={"a": 1})
        assert (result.decision, dict(result.attributes)) == (decision, attributes)
        assert result.trace_state == TraceState([("k", "v")])


def test_a_fault_while_the_session_is_looked_for_is_no_session() -> None:
    """A look-up that raises is counted, and the span is sampled as one without a session."""

    class Hostile(NonRecordingSpan):
        @property
        def attributes(self) -> Any:
            raise RuntimeError

    context = set_span_in_context(Hostile(remote(sampled=True).get_span_context()), Context())
    assert (
        SessionRatioSampler(0, root=ALWAYS_ON).should_sample(context, 1, "span").decision is Decision.RECORD_AND_SAMPLE
    )


@pytest.mark.parametrize("ratio", [-0.1, 1.1, float("nan"), float("inf")])
def test_a_ratio_outside_0_to_1_is_an_error(ratio: float) -> None:
    """A ratio outside 0 to 1 raises where the sampler is made."""
    with pytest.raises(ValueError, match="from 0 to 1"):
        SessionRatioSampler(ratio)


def test_the_description_names_ratio_and_key() -> None:
    """The description has the ratio and the key, for a reader of the configuration."""
    assert SessionRatioSampler(0.25, key="run").get_description() == "SessionRatioSampler{0.25,run}"
