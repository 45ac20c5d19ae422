"""`SessionSpanProcessor`: every span that starts in a session carries it; nothing is overwritten, nothing raises."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from opentelemetry import baggage
from opentelemetry.context import Context, attach, set_value
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    TraceFlags,
    Tracer,
    set_span_in_context,
)
from tests.recording import Spans, attributes_of, started

from otel_sessions import Limits, SessionSpanProcessor, dropped_values, no_session, propagate_sessions

REMOTE = NonRecordingSpan(SpanContext(0x1, 0x1, is_remote=True, trace_flags=TraceFlags(1)))
TracerWith = Callable[..., Tracer]


@pytest.fixture
def tracer_with(exporter: InMemorySpanExporter) -> TracerWith:
    """Make a tracer whose session processor has these options."""

    def make(**options: Any) -> Tracer:
        limits = options.pop("span_limits", None)
        provider = TracerProvider(span_limits=limits, shutdown_on_exit=False)
        provider.add_span_processor(SessionSpanProcessor(**options))
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        return provider.get_tracer("tests")

    return make


def test_a_span_without_a_session_is_untouched(tracer: Tracer) -> None:
    """A span gets no attribute without a session, in an empty context or under a parent without one."""
    assert started(tracer) == {}
    assert started(tracer, context=Context()) == {}
    assert started(tracer, attributes={"a": 1}) == {"a": 1}
    with tracer.start_as_current_span("parent", attributes={"a": 1}):
        assert started(tracer) == {}
    attach(set_value("unrelated", 1, set_span_in_context(REMOTE)))
    assert started(tracer) == {}


def test_spans_at_every_depth_carry_the_session(tracer: Tracer, spans: Spans) -> None:
    """The root span and the model call four levels below both carry the session."""
    with propagate_sessions("a"):
        for depth in range(4):
            attach(set_span_in_context(tracer.start_span(str(depth))))
        tracer.start_span("leaf").end()
    assert spans.ids() == {"leaf": "a"}
    assert started(tracer) == {"session.id": "a"}, "inherited from the parent that is still current"


def test_attributes_on_the_span_are_never_overwritten(tracer: Tracer) -> None:
    """Attributes that the span starts with stay, and missing ones are added."""
    own = {"session.id": "own", "session.tags": ("own",), "http.route": "/"}
    with propagate_sessions("a", user_id="u", tags=["t"], run=1):
        assert started(tracer, attributes=own) == {**own, "user.id": "u", "session.key.run": "1"}


def test_the_id_is_the_first_of_our_attributes(tracer: Tracer) -> None:
    """`session.id` comes first, in whatever order the fields were given."""
    with propagate_sessions(run=1, user_id="u", tags=["t"]), propagate_sessions("a"):
        assert next(iter(started(tracer))) == "session.id"


def test_a_cut_spares_the_keys_that_the_span_brought_itself(tracer: Tracer) -> None:
    """A cut removes inherited values, and a value that the span starts with stays."""
    with propagate_sessions("bad\n", keys={"run": None, "job": None}):
        assert started(tracer, attributes={"session.id": "own"}) == {
            "session.id": "own",
            "session.cut": ("run", "job"),
        }
        assert started(tracer, attributes={"session.id": "own", "session.key.run": "1", "session.key.job": "1"}) == {
            "session.id": "own",
            "session.key.run": "1",
            "session.key.job": "1",
        }
        assert started(tracer, attributes={"a": 1}) == {"a": 1, "session.cut": ("id", "run", "job")}
    with no_session():
        assert started(tracer, attributes={"session.id": "own"}) == {"session.id": "own"}
        assert started(tracer, attributes={"a": 1}) == {"a": 1, "session.cut": ("*",)}


def test_a_parent_context_beats_the_current_one(tracer: Tracer) -> None:
    """The `context=` of a span decides, and an explicit empty one means no session."""
    with propagate_sessions("a"):
        assert started(tracer, context=Context()) == {}
        other = set_span_in_context(REMOTE, Context())
        assert started(tracer, context=other) == {}
        assert started(tracer, context=baggage.set_baggage("session.id", "b", other)) == {"session.id": "b"}


def test_no_session_marks_its_spans(tracer: Tracer) -> None:
    """Spans under `no_session` are marked, so that they are not counted with their ancestors."""
    with propagate_sessions("a"), tracer.start_as_current_span("parent"), no_session():
        assert started(tracer) == {"session.cut": ("*",)}


def test_the_options_reach_the_sources(tracer_with: TracerWith) -> None:
    """`accept_baggage` and `limits` decide what is read from baggage."""
    context = baggage.set_baggage("session.id", "long id", set_span_in_context(REMOTE, Context()))
    assert started(tracer_with(), context=context) == {"session.id": "long id"}
    assert started(tracer_with(accept_baggage=()), context=context) == {}
    assert started(tracer_with(limits=Limits(id_length=3)), context=context) == {}


def test_dialects_write_the_same_values_under_other_names(tracer_with: TracerWith) -> None:
    """Other names are added to our own, and never overwrite an attribute of the span."""
    tracer = tracer_with(dialects=["langfuse", "gen_ai"])
    with propagate_sessions("a", user_id="u"):
        assert started(tracer, attributes={"langfuse.user.id": "own"}) == {
            "session.id": "a",
            "user.id": "u",
            "langfuse.session.id": "a",
            "langfuse.user.id": "own",
            "gen_ai.conversation.id": "a",
        }
    assert started(tracer) == {}


def test_an_unknown_dialect_is_an_error_that_lists_the_known_ones() -> None:
    """An unknown dialect raises an error that lists the known ones."""
    with pytest.raises(ValueError, match=r"'langfuze' is not known; choose from .*langfuse"):
        SessionSpanProcessor(dialects=["langfuze"])


def test_the_session_is_known_at_start(tracer: Tracer) -> None:
    """The session is on an open span, and the app can change it afterwards."""
    with propagate_sessions("a"), tracer.start_as_current_span("span") as span:
        assert attributes_of(span) == {"session.id": "a"}
        span.set_attribute("session.id", "own")
        assert attributes_of(span) == {"session.id": "own"}


@pytest.mark.allow_opentelemetry_logs
def test_a_span_with_few_attributes_allowed_does_not_raise(tracer_with: TracerWith) -> None:
    """A span whose attribute limit is too low starts, and the SDK counts what it drops."""
    tracer = tracer_with(span_limits=SpanLimits(max_attributes=1))
    with propagate_sessions("a", user_id="u", run=1):
        assert len(started(tracer)) == 1
    tracer = tracer_with(span_limits=SpanLimits(max_attributes=0))
    with propagate_sessions("a"):
        assert started(tracer) == {}


class HostileSpan:
    """A span whose parts raise."""

    def __init__(self, **parts: Any) -> None:
        self.parts = parts

    @property
    def attributes(self) -> Any:
        """What the test wants, or an exception."""
        return self.part("attributes")

    def set_attributes(self, attributes: Any) -> None:
        """Refuse, if the test wants that."""
        self.part("set_attributes")

    def part(self, name: str) -> Any:
        """A value that is returned, or an exception that is raised."""
        value = self.parts.get(name)
        if isinstance(value, Exception):
            raise value
        return value


@pytest.mark.parametrize(
    "span",
    [
        HostileSpan(attributes=RuntimeError("personal data")),
        HostileSpan(set_attributes=RuntimeError("personal data")),
        HostileSpan(attributes={"session.id": "own"}, set_attributes=RuntimeError("personal data")),
        HostileSpan(attributes=7),
        HostileSpan(attributes=[object()]),
        object(),
        None,
    ],
)
def test_a_hostile_span_never_makes_the_processor_raise(caplog: pytest.LogCaptureFixture, span: Any) -> None:
    """The app's `start_span` succeeds; the fault is counted and logged once, without its message."""
    processor = SessionSpanProcessor()
    with propagate_sessions("a", run=1):
        processor.on_start(span)
        processor.on_start(span)
    assert dropped_values() == {("span", "raised"): 2}
    assert len(caplog.records) == 1
    assert "personal data" not in caplog.text


@pytest.mark.parametrize("context", [7, "context", object(), {"session.id": "a"}])
def test_a_hostile_context_never_makes_the_processor_raise(tracer: Tracer, context: Any) -> None:
    """A value that is not a context raises nothing."""
    SessionSpanProcessor().on_start(tracer.start_span("span"), context)  # type: ignore[arg-type]


def test_a_hostile_parent_costs_the_session_only(tracer: Tracer) -> None:
    """The child of a parent that raises starts without a session."""

    class Parent(NonRecordingSpan):
        @property
        def attributes(self) -> Any:
            raise RuntimeError

    parent = Parent(REMOTE.get_span_context())
    assert started(tracer, context=set_span_in_context(parent, Context())) == {}
    assert dropped_values() == {("span", "raised"): 1}


def test_many_threads_stamp_at_once(tracer: Tracer, spans: Spans) -> None:
    """Each span has the session of its own thread."""
    together = threading.Barrier(4)

    def work(name: str) -> None:
        together.wait()
        for _ in range(50):
            with propagate_sessions(name, run=name):
                tracer.start_span(name).end()

    threads = [threading.Thread(target=work, args=(str(number),)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(spans()) == 200
    for span in spans():
        assert attributes_of(span) == {"session.id": span.name, "session.key.run": span.name}


def test_ending_flushing_and_shutting_down_do_nothing(tracer: Tracer) -> None:
    """The processor can be shut down twice, and still stamps."""
    processor = SessionSpanProcessor()
    span = tracer.start_span("span")
    assert processor.force_flush()
    processor.shutdown()
    processor.shutdown()
    assert processor.force_flush(timeout_millis=0)
    with propagate_sessions("a"):
        processor.on_start(span)  # type: ignore[arg-type]
    processor.on_end(span)  # type: ignore[arg-type]
    assert attributes_of(span) == {"session.id": "a"}


def test_two_processors_write_the_same(tracer: Tracer, provider: TracerProvider) -> None:
    """A second processor on a provider changes nothing."""
    provider.add_span_processor(SessionSpanProcessor())
    with propagate_sessions("a", run=1):
        assert started(tracer) == {"session.id": "a", "session.key.run": "1"}
