"""`SessionExporter` with `redact=` and `repair=`: what is forwarded in a span's place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan, SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import StatusCode
from tests.exporting import Kept, bounded, chat, finished, same_objects
from tests.steps import steps

from otel_sessions import SessionExporter, SessionSpanProcessor, dropped_values, propagate_sessions, update_session
from otel_sessions.span_copies import FAILED

BATCH = [finished(1, session="s1"), chat(2, 1, session="s1")]


def span_count(exporter: SessionExporter, name: str = "s1") -> int:
    """The number of spans of a session."""
    session = exporter.session(name)
    return 0 if session is None else session.span_count


def hide(name: str, value: Any) -> Any:
    """Redact what a prompt says."""
    if name == "gen_ai.prompt":
        return None
    return "[hidden]" if "secret" in str(value) else value


def test_redaction_comes_before_everything() -> None:
    """The inner exporter gets redacted copies, sessions are counted by them, and the app's span stays as it was."""
    inner = Kept()
    exporter = SessionExporter(inner, price=None, redact=hide)
    span = finished(1, attributes={"session.id": "secret", "gen_ai.prompt": "hello", "n": 1}, name="a secret")
    exporter.export([span])
    (sent,) = inner.spans
    assert (sent.name, dict(sent.attributes or {})) == ("[hidden]", {"session.id": "[hidden]", "n": 1})
    assert (span.name, len(span.attributes or {})) == ("a secret", 3)
    assert exporter.session("secret") is None
    session = exporter.session("[hidden]")
    assert session is not None
    assert session.operations == ("[hidden]",)


def test_redaction_that_raises_for_one_value(caplog: pytest.LogCaptureFixture) -> None:
    """A value that `redact` raises for is replaced, the rest is sent, and the message does not quote the value."""

    def redact(name: str, value: Any) -> Any:
        if value == "4111":
            raise ValueError(f"cannot redact {value}")
        return value

    inner = Kept()
    exporter = SessionExporter(inner, price=None, redact=redact)
    exporter.export([finished(1, session="s1", attributes={"card": "4111", "n": 1}), *BATCH])
    assert dict(inner.spans[0].attributes or {}) == {"session.id": "s1", "card": FAILED, "n": 1}
    assert len(inner.spans) == 3
    assert exporter.dropped == {"redaction_errors": 1}
    assert "ValueError" in caplog.text
    assert "4111" not in caplog.text


def test_redaction_that_fails_wholesale() -> None:
    """A span that cannot be redacted at all is sent with its ids, times and outcome only."""

    def redact(name: str, value: Any) -> Any:
        endless: dict[str, Any] = {}
        endless["again"] = endless
        return endless if name == "card" else value

    inner = Kept()
    exporter = SessionExporter(inner, price=None, redact=redact)
    span = finished(1, 7, session="s1", attributes={"card": "4111"}, failed=True, description="card 4111 refused")
    exporter.export([span])
    (sent,) = inner.spans
    assert (sent.context, sent.parent, sent.start_time, sent.end_time) == (
        span.context,
        span.parent,
        span.start_time,
        span.end_time,
    )
    assert (sent.name, sent.attributes, sent.status.status_code) == (FAILED, {}, StatusCode.ERROR)
    assert "4111" not in sent.to_json()
    assert exporter.dropped == {"redaction_errors": 1}


def broken(part: str) -> type[ReadableSpan]:
    """A class of spans one of whose parts raises."""

    def read(self: ReadableSpan) -> Any:
        raise OSError

    return type("Broken", (ReadableSpan,), {part: property(read)})


@pytest.mark.parametrize("part", ["events", "links", "name", "attributes", "status"])
def test_redaction_of_a_span_with_a_part_that_cannot_be_read(part: str) -> None:
    """A span with an unreadable part is sent empty, and the others of its batch as ever."""
    inner = Kept()
    exporter = SessionExporter(inner, price=None, redact=hide)
    span = broken(part)("a secret", context=finished(5).context)
    exporter.export([span, *BATCH])
    assert [one.name for one in inner.spans] == [FAILED, "span 1", "span 2"]
    assert inner.spans[0].context == span.context
    assert exporter.dropped["redaction_errors"] == 1


@pytest.mark.parametrize("part", ["context", "start_time"])
def test_redaction_of_a_span_of_which_nothing_can_be_kept(part: str) -> None:
    """A span that cannot be copied is left out and counted, rather than sent as it is."""
    inner = Kept()
    exporter = SessionExporter(inner, price=None, redact=hide)
    exporter.export([broken(part)("a secret", context=finished(5).context), *BATCH])
    assert [one.name for one in inner.spans] == ["span 1", "span 2"]
    assert exporter.dropped["unreadable_spans"] == 1


def repaired(spans: Sequence[ReadableSpan], **more: Any) -> tuple[SessionExporter, list[ReadableSpan]]:
    """The exporter, and the spans that it forwards of one batch with `repair=True`."""
    inner = Kept()
    exporter = SessionExporter(inner, price=None, repair=True, **more)
    exporter.export(spans)
    return exporter, inner.spans


FULL = {
    "session.id": "s1",
    "session.key.ticket": "t1",
    "session.name": "Order",
    "session.tags": ("a",),
    "session.metadata.n": 1,
    "user.id": "u1",
}


def test_a_root_that_lost_its_session() -> None:
    """A copy with its child's session is forwarded in place of the span, and the span does not change."""
    root = finished(1, attributes={"a": 1}, lost=6)
    child = finished(2, 1, attributes=FULL)
    exporter, sent = repaired([child, root])
    assert sent[0] is child
    assert dict(sent[1].attributes or {}) == {**FULL, "a": 1}
    assert sent[1].dropped_attributes == 6
    assert dict(root.attributes or {}) == {"a": 1}
    assert span_count(exporter) == 2


def test_several_spans_that_lost_their_session() -> None:
    """Each span gets its session back, from its nearest ancestor before another span."""
    spans = [
        finished(1, session="s1"),
        finished(2, 1, session="s2"),
        finished(3, 2, lost=1),
        finished(4, 3, lost=1),
        finished(5, 1, lost=2),
        finished(6, trace=2, session="s3"),
        finished(7, trace=2, lost=1),
    ]
    _, sent = repaired(spans)
    assert [(one.attributes or {}).get("session.id") for one in sent] == ["s1", "s2", "s2", "s2", "s1", "s3", "s3"]


def test_with_repair_each_fault_counts_once() -> None:
    """A refused value and a span that cannot be read are counted once, also beside a span that is repaired."""
    spans = [
        finished(1, lost=1),
        finished(2, 1, session="s1"),
        finished(3, 1, attributes={"session.id": "x" * 1_000}),
        broken("attributes")("a secret", context=finished(4).context),
    ]
    exporter, sent = repaired(spans)
    assert (sent[0].attributes or {})["session.id"] == "s1"
    assert exporter.dropped == {"unreadable_spans": 1}
    assert dropped_values()["session_id", "too_long"] == 1


def test_repair_stays_linear() -> None:
    """Ten times the spans that cannot be repaired take about ten times the work, not a hundred times."""

    def work(amount: int) -> int:
        spans = [finished(i + 2, 1, session="ab"[i % 2]) for i in range(amount)]
        spans += [finished(amount + i + 2, 1, lost=1) for i in range(amount)]
        return steps(lambda: repaired(spans))

    assert work(500) < 15 * work(50)


def test_without_repair_it_goes_on_as_it_is() -> None:
    """The same object is forwarded without `repair=`, and counted in its session."""
    inner = Kept()
    exporter = SessionExporter(inner, price=None)
    spans = [finished(2, 1, attributes=FULL), finished(1, attributes={"a": 1}, lost=6)]
    exporter.export(spans)
    assert same_objects(inner.spans, spans)
    assert span_count(exporter) == 2


def test_a_session_that_was_lost_in_part() -> None:
    """The rest of the session comes from a span that has all of it."""
    root = finished(1, attributes={"session.key.ticket": "t1", "user.id": "mine"}, lost=1)
    _, sent = repaired([finished(2, 1, attributes=FULL), root])
    attributes = dict(sent[1].attributes or {})
    assert (attributes["session.id"], attributes["session.key.ticket"], attributes["user.id"]) == ("s1", "t1", "mine")


@pytest.mark.allow_opentelemetry_logs
def test_the_real_attribute_limit() -> None:
    """A real span with one attribute more than the limit allows goes on with its session."""
    inner = Kept()
    exporter = SessionExporter(inner, price=None, repair=True)
    provider = TracerProvider(shutdown_on_exit=False, span_limits=SpanLimits(max_span_attributes=8))
    provider.add_span_processor(SessionSpanProcessor())
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("app")
    with propagate_sessions("s1", user_id="u1", ticket="t1"), tracer.start_as_current_span("root") as root:
        tracer.start_span("child").end()
        for i in range(6):
            root.set_attribute(f"a{i}", i)
    child, repaired_root = inner.spans
    assert dict(child.attributes or {}) == {"session.id": "s1", "session.key.ticket": "t1", "user.id": "u1"}
    assert {name: value for name, value in (repaired_root.attributes or {}).items() if name[0] != "a"} == dict(
        child.attributes or {}
    )
    assert span_count(exporter) == 2


def test_the_session_may_come_from_an_earlier_batch() -> None:
    """The session may come from spans of the trace seen before, open or closed."""
    for flush in (False, True):
        inner = Kept()
        exporter = SessionExporter(inner, price=None, repair=True)
        exporter.export([finished(2, 1, attributes=FULL)])
        if flush:
            exporter.force_flush()
        exporter.export([finished(1, lost=3)])
        assert (inner.spans[1].attributes or {})["session.id"] == "s1"


@pytest.mark.parametrize(
    "others",
    [
        pytest.param([], id="no span has it"),
        pytest.param([finished(2, 1, session="a"), finished(3, 1, session="b")], id="two sessions"),
        pytest.param([finished(2, 1, session="a", trace=2)], id="another trace"),
    ],
)
def test_what_cannot_be_repaired_goes_on_as_it_is(others: list[ReadableSpan]) -> None:
    """No session is guessed for a span."""
    spans = [*others, finished(1, lost=3)]
    _, sent = repaired(spans)
    assert same_objects(sent, spans)


def test_only_what_lost_something_is_repaired() -> None:
    """A span that never had a session, a cut one and one without a context go on as they are."""
    spans = [
        finished(2, 1, attributes=FULL),
        finished(1),
        finished(3, 1, attributes={"session.cut": ["*"]}, lost=2),
        ReadableSpan("x"),
        ReadableSpan("y", attributes=bounded({}, lost=1)),
    ]
    exporter, sent = repaired(spans)
    assert same_objects(sent, spans)
    assert set(exporter.dropped) == {"unreadable_spans"}


def test_repair_of_a_trace_with_a_parent_cycle() -> None:
    """Spans that are each other's parents end the search like any others."""
    spans = [finished(1, 2, lost=1), finished(2, 1, lost=1), finished(3, session="s1"), finished(4, 4, session="s2")]
    exporter, sent = repaired(spans)
    assert same_objects(sent, spans)
    assert (span_count(exporter), exporter.dropped) == (1, {})


def test_redaction_and_repair_together() -> None:
    """A repaired span gets the redacted session."""
    spans = [finished(2, 1, session="secret"), finished(1, attributes={"a": "secret"}, lost=3)]
    _, sent = repaired(spans, redact=hide)
    assert dict(sent[1].attributes or {}) == {"a": "[hidden]", "session.id": "[hidden]"}


def test_a_fault_in_repairing() -> None:
    """Spans go on as they are if repairing them raises."""

    class Broken(ReadableSpan):
        @property
        def dropped_attributes(self) -> int:
            raise LookupError

    inner = Kept()
    exporter = SessionExporter(inner, price=None, repair=True)
    spans = [Broken("broken", context=finished(9).context), finished(1, lost=3), *BATCH]
    exporter.export(spans)
    assert same_objects(inner.spans, spans)
    assert exporter.dropped == {"repair_errors": 1}


def lost_alone(exporter: SessionExporter, **session: Any) -> None:
    """Export the only span of a trace, which lost the session that was stamped on it."""
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SessionSpanProcessor())
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("tests")
    with propagate_sessions(**session), tracer.start_as_current_span("only") as span:
        for number in range(200):
            span.set_attribute(f"a{number}", number)
    provider.shutdown()


@pytest.mark.allow_opentelemetry_logs
def test_the_only_span_of_a_trace_keeps_its_session() -> None:
    """A span that lost its session, alone in its trace, is counted and forwarded with what was stamped on it."""
    inner = Kept()
    exporter = SessionExporter(inner, price=None, repair=True)
    session: dict[str, Any] = {"session_id": "s1", "user_id": "u", "tags": ["t"], "run": 1, "metadata": {"m": 2}}
    lost_alone(exporter, **session)
    (span,) = inner.spans
    assert {name: value for name, value in (span.attributes or {}).items() if name[0] != "a"} == {
        "session.id": "s1",
        "session.key.run": "1",
        "user.id": "u",
        "session.tags": ("t",),
        "session.metadata.m": 2,
    }
    assert span_count(exporter) == 1


@pytest.mark.allow_opentelemetry_logs
def test_a_session_that_is_put_back_is_redacted() -> None:
    """What was stamped passes through `redact` before it is put back; a value that it raises for stays out."""

    def redact(name: str, value: Any) -> Any:
        if name == "user.id":
            raise ValueError(name)
        return hide(name, value)

    inner = Kept()
    exporter = SessionExporter(inner, price=None, repair=True, redact=redact)
    lost_alone(exporter, session_id="secret", user_id="u")
    (span,) = inner.spans
    attributes = dict(span.attributes or {})
    assert (attributes["session.id"], attributes.get("user.id")) == ("[hidden]", None)
    assert exporter.dropped == {"redaction_errors": 1}


@pytest.mark.allow_opentelemetry_logs
def test_a_session_that_came_late_is_put_back() -> None:
    """A span that was open when its scope was entered, updated and contradicted is put back as it then was."""
    inner = Kept()
    exporter = SessionExporter(inner, price=None, repair=True)
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SessionSpanProcessor())
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with provider.get_tracer("tests").start_as_current_span("only") as span:
        with propagate_sessions("s1", run=1):
            update_session(session_name="n")
        with propagate_sessions("s2"):
            for number in range(200):
                span.set_attribute(f"a{number}", number)
    provider.shutdown()
    attributes = dict(inner.spans[0].attributes or {})
    assert {name: attributes.get(name) for name in ("session.key.run", "session.name", "session.cut")} == {
        "session.key.run": "1",
        "session.name": "n",
        "session.cut": ("id",),
    }
    assert exporter.session("s1") is None


@pytest.mark.parametrize("repair", [True, False])
def test_the_session_of_the_app_goes_before_one_that_an_instrumentation_wrote_over_it(repair: bool) -> None:
    """A span whose `session.id` became the id of a thread is in the session of its scope, and forwarded with it if asked for."""
    inner = Kept()
    exporter = SessionExporter(inner, price=None, repair=repair)
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SessionSpanProcessor())
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("tests")
    with propagate_sessions("s1"), tracer.start_as_current_span("turn"):
        agent = tracer.start_span("agent")
        agent.set_attributes({"session.id": "thread-1", "metadata": '{"thread_id": "thread-1"}'})
        agent.end()
    provider.shutdown()
    forwarded = [dict(span.attributes or {})["session.id"] for span in inner.spans]
    assert forwarded == ["s1" if repair else "thread-1", "s1"]
    session = exporter.session("s1")
    assert session is not None
    assert (session.span_count, session.conflicts) == (2, 0)
    assert exporter.session("thread-1") is None


def test_what_is_redacted_is_no_title() -> None:
    """First input, last output and title are read from the redacted copies: what `redact` removes is in none of them."""
    exporter = SessionExporter(
        price=None, redact=lambda name, value: None if name.startswith("gen_ai.input") else value
    )
    output = '[{"role": "assistant", "parts": [{"type": "text", "content": "On its way."}]}]'
    said = {"gen_ai.input.messages": output.replace("assistant", "user"), "gen_ai.output.messages": output}
    exporter.export([finished(session="s", name="answer", attributes=said)])
    session = exporter.session("s")
    assert session is not None
    assert (session.title, session.first_input, session.last_output) == ("answer", None, "On its way.")
