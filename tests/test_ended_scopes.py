"""A scope that has ended, in the contexts that were copied while it was in force."""

from __future__ import annotations

import asyncio
import logging
import pickle
from collections.abc import AsyncIterator, Callable, Iterator
from contextvars import Context, copy_context
from http.client import HTTPConnection
from typing import Any

import pytest
import uvicorn
from opentelemetry import baggage
from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.context import Context as OtelContext
from opentelemetry.context import attach, get_current
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, Tracer, set_span_in_context, use_span
from tests.recording import Spans, started

from otel_sessions import (
    SessionLogFilter,
    SessionLogRecordProcessor,
    SessionRatioSampler,
    SessionScope,
    bind_session,
    current_session,
    dropped_values,
    no_session,
    propagate_sessions,
    update_session,
)

SESSION = "session.id"


def left_behind(scope: SessionScope) -> Context:
    """A copy of the context in which a scope was in force; the scope has ended."""
    with scope:
        return copy_context()


def header() -> str:
    """The W3C baggage header of an outgoing call."""
    carrier: dict[str, str] = {}
    W3CBaggagePropagator().inject(carrier)
    return carrier.get("baggage", "")


@pytest.mark.parametrize("http", ["h11", "httptools"])
def test_a_kept_connection_takes_nothing_from_one_request_to_the_next_ai_dial_sdk_450(
    http: Any, tracer: Tracer, spans: Spans
) -> None:
    """A request on a kept connection has no session of the one before, in whose context asyncio resumed the connection."""
    sessions: list[str | None] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        if scope["path"] == "/first":
            with propagate_sessions("tenant-a", baggage=True):
                while (await receive()).get("more_body"):
                    pass
        else:
            sessions.append(current_session().id)
            tracer.start_span("second").end()
            sessions.append(header())
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body"})

    async def main() -> None:
        config = uvicorn.Config(app, port=0, http=http, loop="asyncio", lifespan="off", log_config=None)
        server = uvicorn.Server(config)
        config.load()
        server.lifespan = config.lifespan_class(config)
        await server.startup()
        host, port = server.servers[0].sockets[0].getsockname()

        def requests() -> None:
            connection = HTTPConnection(host, port, timeout=30)
            for method, path, body in (("POST", "/first", b"x" * 400_000), ("GET", "/second", b"")):
                connection.request(method, path, body)
                connection.getresponse().read()
            connection.close()

        await asyncio.to_thread(requests)
        await server.shutdown()

    asyncio.run(main())
    assert spans.ids() == {"second": None}
    assert sessions == [None, ""]


@pytest.mark.parametrize("scope", [propagate_sessions("a"), propagate_sessions("a", run=1, tags=["t"])])
def test_a_new_trace_in_an_ended_scope_has_no_session(tracer: Tracer, scope: SessionScope) -> None:
    """A span without a parent has nothing of a scope that has ended."""
    assert left_behind(scope).run(started, tracer) == {}


def test_a_trace_goes_on_in_an_ended_scope(tracer: Tracer) -> None:
    """A task that outlives its scope has the session in the trace that it was started in, and in no other."""

    async def job() -> list[str | None]:
        await asyncio.sleep(0)
        inside = [started(tracer).get(SESSION), current_session().id]
        with use_span(NonRecordingSpan(SpanContext(1, 2, is_remote=True, trace_flags=TraceFlags(1)))):
            return [*inside, started(tracer).get(SESSION), current_session().id]

    async def main() -> list[str | None]:
        with tracer.start_as_current_span("request"), propagate_sessions("a"):
            task = asyncio.create_task(job())
        return await task

    assert asyncio.run(main()) == ["a", "a", None, None]


def test_a_job_without_a_session_stays_without_one(tracer: Tracer) -> None:
    """The spans of a job that was started inside `no_session()` stay out of the session of the request around it."""
    with propagate_sessions("a"), tracer.start_as_current_span("request"):
        context = left_behind(no_session())
    assert context.run(started, tracer) == {"session.cut": ("*",)}


def test_an_ended_scope_shows_the_scope_around_it(tracer: Tracer) -> None:
    """A new trace gets the session of the innermost scope that has not ended, and its baggage."""
    with propagate_sessions("outer", baggage=True):
        context = left_behind(propagate_sessions("inner"))
        assert context.run(lambda: current_session().id) == "outer"
        assert context.run(started, tracer) == {SESSION: "outer"}
        assert context.run(header) == "session.id=outer"
    assert context.run(started, tracer) == {}
    assert context.run(header) == ""


def test_a_scope_inside_an_ended_one(tracer: Tracer) -> None:
    """A scope that is entered for a new trace merges nothing of an ended scope, and leaves nothing of it behind."""

    def inside() -> None:
        with propagate_sessions("b", baggage=True) as session:
            assert dict(session.attributes) == {SESSION: "b"}
            assert header() == "session.id=b"
        assert (bool(current_session()), header()) == (False, "")

    left_behind(propagate_sessions("a", user_id="u", tags=["t"], baggage=True)).run(inside)


def test_the_baggage_of_a_later_request_is_its_own(tracer: Tracer) -> None:
    """Baggage that came with the next request is read, also if it names the session of the ended scope."""

    def next_request() -> Any:
        attach(baggage.set_baggage(SESSION, "tenant-a"))
        return started(tracer).get(SESSION), baggage.get_baggage(SESSION)

    assert left_behind(propagate_sessions("tenant-a", baggage=True)).run(next_request) == ("tenant-a", "tenant-a")


def test_baggage_of_a_scope_can_be_pickled() -> None:
    """What a scope sends is a plain string to anyone who stores it."""
    with propagate_sessions("a", baggage=True):
        value = pickle.loads(pickle.dumps(baggage.get_baggage(SESSION)))
    assert (type(value), value) == (str, "a")


def test_an_explicit_context_of_an_ended_scope(tracer: Tracer) -> None:
    """A context that is passed by hand is not attached when something of it is left out."""
    with propagate_sessions("a", baggage=True):
        context = get_current()
    before = get_current()
    assert started(tracer, context=context) == {}
    assert get_current() is before


def test_logs_and_sampling_in_an_ended_scope() -> None:
    """Log records, log lines and sampling decisions have no session of a scope that has ended."""
    exporter = InMemoryLogRecordExporter()  # type: ignore[no-untyped-call]
    provider = LoggerProvider()
    provider.add_log_record_processor(SessionLogRecordProcessor())
    provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
    sampled = TracerProvider(sampler=SessionRatioSampler(1.0, root=SessionRatioSampler(0.0))).get_tracer("tests")

    def inside() -> tuple[Any, bool]:
        provider.get_logger("tests").emit(body="hello")
        line = logging.makeLogRecord({"msg": "hello"})
        SessionLogFilter().filter(line)
        return vars(line)["session_id"], sampled.start_span("span").is_recording()

    assert left_behind(propagate_sessions("a")).run(inside) == ("-", False)
    assert dict(exporter.get_finished_logs()[0].log_record.attributes or {}) == {}
    with propagate_sessions("a"):
        assert inside() == ("a", True)
    provider.shutdown()


def test_an_ended_scope_is_not_changed(tracer: Tracer) -> None:
    """`update_session` changes a scope until it ends, also where its trace goes on."""
    with tracer.start_as_current_span("request"):
        context = left_behind(propagate_sessions("a"))
    context.run(update_session, "b")
    assert context.run(lambda: current_session().id) == "a"
    assert dropped_values() == {("update_session", "no_scope"): 1}


def test_a_bound_function_has_its_own_scope(tracer: Tracer) -> None:
    """`bind_session` carries a session into work that goes on after the scope, with traces of its own."""

    async def job() -> str | None:
        await asyncio.sleep(0)
        return started(tracer).get(SESSION)

    async def main() -> str | None:
        with propagate_sessions("a"):
            task = asyncio.create_task(bind_session(job)())
        return await task

    assert asyncio.run(main()) == "a"


def test_a_scope_that_is_left_in_another_context_has_ended(tracer: Tracer) -> None:
    """A scope ends also where it is not in force, such as a generator that the event loop closes in another task."""
    scope = propagate_sessions("a")
    context = copy_context()
    context.run(scope.__enter__)
    assert context.run(started, tracer) == {SESSION: "a"}
    scope.__exit__(None, None, None)
    assert context.run(started, tracer) == {}


def test_a_shared_scope_that_is_left_in_another_context_ends_for_nobody(tracer: Tracer) -> None:
    """Of a scope object that was entered in several contexts it cannot be told which one a stranger leaves."""
    scope = propagate_sessions("a")
    contexts = [copy_context(), copy_context()]
    for context in contexts:
        context.run(scope.__enter__)
    scope.__exit__(None, None, None)
    assert [context.run(started, tracer) for context in contexts] == [{SESSION: "a"}, {SESSION: "a"}]


def decorated(taken: list[Context]) -> Iterator[object]:
    """A decorated generator."""

    @propagate_sessions("a")
    def items() -> Iterator[int]:
        taken.append(copy_context())
        yield 1

    return items()


def wrapped(taken: list[Context]) -> Iterator[object]:
    """A wrapped iterator."""

    def items() -> Iterator[int]:
        taken.append(copy_context())
        yield 1

    return propagate_sessions("a").wrap(items())


@pytest.mark.parametrize("make", [decorated, wrapped])
@pytest.mark.parametrize("consume", [list, next])
def test_a_stepped_generator_ends_its_scope(
    tracer: Tracer, make: Callable[[list[Context]], Any], consume: Callable[[Any], object]
) -> None:
    """The session of a decorated or wrapped generator ends with the generator: exhausted, or closed early."""
    taken: list[Context] = []
    generator = make(taken)
    consume(generator)
    generator.close()
    assert taken[0].run(started, tracer) == {}


def test_an_async_generator_ends_its_scope(tracer: Tracer) -> None:
    """The session of a decorated async generator is there in every step, and ends with the generator."""
    taken: list[Context] = []

    @propagate_sessions("a")
    async def items() -> AsyncIterator[dict[str, Any]]:
        taken.append(copy_context())
        yield started(tracer)

    async def main() -> list[dict[str, Any]]:
        return [item async for item in items()]

    assert asyncio.run(main()) == [{SESSION: "a"}]
    assert taken[0].run(started, tracer) == {}


def test_a_coroutine_behind_a_plain_wrapper_ends_its_scope(tracer: Tracer) -> None:
    """A coroutine that a decorated function returns has the session until it is done."""
    taken: list[Context] = []

    async def work() -> dict[str, Any]:
        await asyncio.sleep(0)
        taken.append(copy_context())
        return started(tracer)

    @propagate_sessions("a", baggage=True)
    def start() -> Any:
        return work()

    async def main() -> Any:
        return await start()

    assert asyncio.run(main()) == {SESSION: "a"}
    assert taken[0].run(started, tracer) == {}


def test_a_span_that_is_detached_after_its_scope_brings_nothing_back(tracer: Tracer) -> None:
    """A span that was current inside a scope and ends after it restores a context in which the scope has ended."""
    scope = propagate_sessions("a")
    scope.__enter__()
    span = tracer.start_as_current_span("span")
    span.__enter__()
    scope.__exit__(None, None, None)
    span.__exit__(None, None, None)
    assert not current_session()
    assert started(tracer) == {}


def test_a_parent_that_is_passed_by_hand(tracer: Tracer) -> None:
    """A child of an explicit parent has the session of its parent, in a context that an ended scope was copied into."""
    with propagate_sessions("parent"):
        parent = tracer.start_span("parent")
    context = left_behind(propagate_sessions("a"))
    assert context.run(lambda: started(tracer, context=set_span_in_context(parent, OtelContext()))) == {
        SESSION: "parent"
    }
