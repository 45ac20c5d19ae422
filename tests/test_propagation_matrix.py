"""Where a session gets lost and where it does not: threads, tasks, executors, explicit contexts, streaming servers.

Each row is one case that people reported for other libraries. What cannot be kept is asserted as well: it is the
documented limit, and the next row shows the way out. No row may put a line on the `opentelemetry` logger; the
fixture that checks this is in conftest.py.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fastapi import FastAPI
from opentelemetry.context import Context, attach, detach, get_current
from opentelemetry.instrumentation.threading import ThreadingInstrumentor
from opentelemetry.trace import Tracer, set_span_in_context
from starlette.responses import StreamingResponse
from starlette.testclient import TestClient
from tests.recording import Spans

from otel_sessions import bind_session, current_session, propagate_sessions

Row = Callable[[Tracer], object]
LOST = None


@pytest.fixture
def threading_instrumentor() -> Iterator[None]:
    """The official instrumentor that carries the OpenTelemetry Context into threads and pools."""
    instrumentor = ThreadingInstrumentor()
    instrumentor.instrument()
    yield
    instrumentor.uninstrument()


def in_thread(function: Callable[[], object]) -> None:
    """Run something in a bare thread."""
    thread = threading.Thread(target=function)
    thread.start()
    thread.join()


def in_executor(function: Callable[[], object]) -> None:
    """Run something in a bare pool."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(function).result()


def in_run_in_executor(function: Callable[[], object]) -> None:
    """Run something in an event loop's pool."""

    async def main() -> None:
        with ThreadPoolExecutor(1) as pool:
            await asyncio.get_running_loop().run_in_executor(pool, function)

    # A loop runs in a copy of the context that is current now.
    asyncio.run(main())


def in_to_thread(function: Callable[[], object]) -> None:
    """Run something with `asyncio.to_thread`."""
    asyncio.run(asyncio.to_thread(function))


def in_task(function: Callable[[], object]) -> None:
    """Run something in a task."""

    async def call() -> None:
        await asyncio.sleep(0)
        function()

    async def main() -> None:
        await asyncio.create_task(call())

    asyncio.run(main())


def in_call_soon(function: Callable[[], object]) -> None:
    """Run something as a callback of the loop."""

    async def main() -> None:
        done = asyncio.Event()
        asyncio.get_running_loop().call_soon(function)
        asyncio.get_running_loop().call_soon(done.set)
        await done.wait()

    asyncio.run(main())


def at_once(function: Callable[[], object]) -> None:
    """Run something here."""
    function()


WAYS: list[tuple[Callable[[Callable[[], object]], None], bool]] = [
    (at_once, True),
    (in_task, True),
    (in_call_soon, True),
    (in_to_thread, True),
    (in_thread, False),
    (in_executor, False),
    (in_run_in_executor, False),
]


@pytest.mark.parametrize(("way", "kept"), WAYS)
def test_ways_to_run_something(tracer: Tracer, spans: Spans, way: Any, kept: bool) -> None:
    """Tasks and `to_thread` keep the session; bare threads and pools start without the context and lose it."""
    with propagate_sessions("a"), tracer.start_as_current_span("outside"):
        way(lambda: tracer.start_span("inside").end())
        assert current_session().id == "a"
    assert spans.ids() == {"inside": "a" if kept else LOST, "outside": "a"}


@pytest.mark.parametrize("way", [way for way, _ in WAYS])
def test_bound_functions_keep_the_session_everywhere(tracer: Tracer, spans: Spans, way: Any) -> None:
    """`bind_session` keeps the session in bare threads and pools, and everywhere else."""
    with propagate_sessions("a"), tracer.start_as_current_span("outside"):
        way(bind_session(lambda: tracer.start_span("inside").end()))
        assert current_session().id == "a"
    assert spans.ids() == {"inside": "a", "outside": "a"}


@pytest.mark.usefixtures("threading_instrumentor")
@pytest.mark.parametrize("way", [way for way, _ in WAYS])
def test_the_threading_instrumentor_keeps_the_session_everywhere(tracer: Tracer, spans: Spans, way: Any) -> None:
    """The threading instrumentor carries the OpenTelemetry Context, and so our key, into threads and pools."""
    with propagate_sessions("a"), tracer.start_as_current_span("outside"):
        way(lambda: tracer.start_span("inside").end())
    assert spans.ids() == {"inside": "a", "outside": "a"}
    assert len({span.context.trace_id for span in spans() if span.context}) == 1


@pytest.mark.usefixtures("threading_instrumentor")
def test_pool_threads_do_not_remember_a_session(tracer: Tracer, spans: Spans) -> None:
    """A thread that served one session serves the next job without it."""
    with ThreadPoolExecutor(1) as pool:
        with propagate_sessions("a"):
            pool.submit(lambda: tracer.start_span("first").end()).result()
            pool.submit(bind_session(lambda: tracer.start_span("second").end())).result()
        pool.submit(lambda: tracer.start_span("third").end()).result()
    assert spans.ids() == {"first": "a", "second": "a", "third": LOST}


def explicit_parent(tracer: Tracer) -> None:
    """A callback handler creates the child later, from the parent span it kept."""
    with propagate_sessions("a"):
        parent = tracer.start_span("outside")
    tracer.start_span("inside", context=set_span_in_context(parent)).end()
    parent.end()


def explicit_parent_in_fresh_context(tracer: Tracer) -> None:
    """The same with a context of its own, in a thread of its own."""
    with propagate_sessions("a"):
        parent = tracer.start_span("outside")
    in_thread(lambda: tracer.start_span("inside", context=set_span_in_context(parent, Context())).end())
    parent.end()


def context_handed_over(tracer: Tracer) -> None:
    """A context that was taken with `get_current` starts the span in another thread."""
    with propagate_sessions("a"), tracer.start_as_current_span("outside"):
        context = get_current()
    in_thread(lambda: tracer.start_span("inside", context=context).end())


def context_attached_elsewhere(tracer: Tracer) -> None:
    """The same context attached and detached in another thread, by the book."""
    with propagate_sessions("a"), tracer.start_as_current_span("outside"):
        context = get_current()

    def work() -> None:
        token = attach(context)
        assert current_session().id == "a"
        tracer.start_span("inside").end()
        detach(token)
        assert not current_session()

    in_thread(work)


def context_argument_beats_the_current_scope(tracer: Tracer) -> None:
    """`context=` decides, not where the code happens to run."""
    with propagate_sessions("a"), tracer.start_as_current_span("outside"):
        context = get_current()
    with propagate_sessions("b"), tracer.start_as_current_span("inside", context=context):
        assert current_session().id == "b"


def task_created_inside_runs_after(tracer: Tracer) -> None:
    """A task keeps the session of the trace it was created in, also when the scope has ended since."""

    async def inside() -> None:
        await asyncio.sleep(0)
        tracer.start_span("inside").end()

    async def main() -> None:
        with propagate_sessions("a"), tracer.start_as_current_span("outside"):
            task = asyncio.create_task(inside())
        assert not current_session()
        await task

    asyncio.run(main())


@pytest.mark.parametrize(
    "row",
    [
        explicit_parent,
        explicit_parent_in_fresh_context,
        context_handed_over,
        context_attached_elsewhere,
        context_argument_beats_the_current_scope,
        task_created_inside_runs_after,
    ],
)
def test_contexts_and_parents_handed_over(tracer: Tracer, spans: Spans, row: Row) -> None:
    """A context or a parent span that is passed by hand brings its session."""
    row(tracer)
    assert spans.ids() == {"inside": "a", "outside": "a"}
    assert not current_session()


def test_an_explicit_empty_context_means_no_session(tracer: Tracer, spans: Spans) -> None:
    """An explicit `Context()` means no session."""
    with propagate_sessions("a"):
        tracer.start_span("inside", context=Context()).end()
    assert spans.ids() == {"inside": LOST}


def test_exits_in_the_wrong_order_with_spans_between(tracer: Tracer, spans: Spans) -> None:
    """Scopes that end in the order in which they began leave no session and no log line behind."""
    first, second = propagate_sessions("a"), propagate_sessions("b")
    first.__enter__()
    second.__enter__()
    tracer.start_span("in both").end()
    first.__exit__(None, None, None)
    tracer.start_span("after first").end()
    second.__exit__(None, None, None)
    tracer.start_span("after both").end()
    assert spans.ids() == {"in both": "b", "after first": LOST, "after both": LOST}


def test_a_scope_left_while_a_span_of_its_own_is_current(tracer: Tracer, spans: Spans) -> None:
    """A span of a scope has its session where its trace goes on; detaching it after leaving the scope restores nothing."""
    scope = propagate_sessions("a")
    scope.__enter__()
    span = tracer.start_as_current_span("span")
    span.__enter__()
    scope.__exit__(None, None, None)
    tracer.start_span("after scope").end()
    span.__exit__(None, None, None)
    assert spans.ids() == {"after scope": "a", "span": "a"}
    assert not current_session()


def test_nothing_stays_from_an_instrumentor_that_attaches_without_detaching(tracer: Tracer, spans: Spans) -> None:
    """Leaving the outer scope also leaves an inner one that other code left open."""
    with propagate_sessions("a"):
        propagate_sessions("leaky").__enter__()
        tracer.start_span("inside").end()
    tracer.start_span("after").end()
    assert spans.ids() == {"inside": "leaky", "after": LOST}


def stream(respond: Callable[[], StreamingResponse]) -> list[str]:
    """Serve one request whose response streams three chunks; return the chunks."""
    app = FastAPI()

    @app.get("/")
    async def endpoint() -> StreamingResponse:
        return respond()

    with TestClient(app) as client:
        return client.get("/").text.split()


def chunks(tracer: Tracer) -> Iterator[str]:
    """Three chunks, a span each."""
    for number in range(3):
        tracer.start_span(f"chunk {number}").end()
        yield f"{number} "


async def async_chunks(tracer: Tracer) -> AsyncIterator[str]:
    """Three chunks, a span each."""
    for chunk in chunks(tracer):
        await asyncio.sleep(0)
        yield chunk


def with_inside_sync(tracer: Tracer) -> StreamingResponse:
    """A `with` in the body of a plain generator: each chunk is made in a copy of the context of its own."""

    def body() -> Iterator[str]:
        with propagate_sessions("a"):
            yield from chunks(tracer)

    return StreamingResponse(body())


def with_inside_async(tracer: Tracer) -> StreamingResponse:
    """A `with` in the body of an async generator, which one task steps."""

    async def body() -> AsyncIterator[str]:
        with propagate_sessions("a"):
            async for chunk in async_chunks(tracer):
                yield chunk

    return StreamingResponse(body())


def built_inside_sync(tracer: Tracer) -> StreamingResponse:
    """The response is made inside the scope, its body runs after it."""
    with propagate_sessions("a"):
        return StreamingResponse(chunks(tracer))


def built_inside_async(tracer: Tracer) -> StreamingResponse:
    """The same with an async body."""
    with propagate_sessions("a"):
        return StreamingResponse(async_chunks(tracer))


def decorated_sync(tracer: Tracer) -> StreamingResponse:
    """The decorator on a generator function."""
    return StreamingResponse(propagate_sessions("a")(chunks)(tracer))


def decorated_async(tracer: Tracer) -> StreamingResponse:
    """The decorator on an async generator function."""
    return StreamingResponse(propagate_sessions("a")(async_chunks)(tracer))


def wrapped_sync(tracer: Tracer) -> StreamingResponse:
    """`wrap` around the iterator that is handed over."""
    return StreamingResponse(propagate_sessions("a").wrap(chunks(tracer)))


def wrapped_async(tracer: Tracer) -> StreamingResponse:
    """`wrap` around the async iterator that is handed over."""
    return StreamingResponse(propagate_sessions("a").wrap(async_chunks(tracer)))


def wrapped_inside_a_scope(tracer: Tracer) -> StreamingResponse:
    """`wrap` with nothing of its own keeps the scope around it."""
    with propagate_sessions("a"):
        return StreamingResponse(propagate_sessions().wrap(chunks(tracer)))


@pytest.mark.parametrize(
    ("respond", "kept"),
    [
        (with_inside_sync, 1),
        (with_inside_async, 3),
        (built_inside_sync, 0),
        (built_inside_async, 0),
        (decorated_sync, 3),
        (decorated_async, 3),
        (wrapped_sync, 3),
        (wrapped_async, 3),
        (wrapped_inside_a_scope, 3),
    ],
)
def test_streaming_responses(
    tracer: Tracer, spans: Spans, respond: Callable[[Tracer], StreamingResponse], kept: int
) -> None:
    """The decorator and `wrap` keep all three chunks in the session, and a `with` in a sync body one."""
    assert stream(lambda: respond(tracer)) == ["0", "1", "2"]
    assert list(spans.ids().values()) == ["a"] * kept + [LOST] * (3 - kept)
    assert not current_session()
