"""Generators: the decorator and `wrap` keep the session in, and out of the caller."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any

import pytest
from opentelemetry.context import attach, detach, get_current, set_value
from opentelemetry.trace import Tracer, get_current_span
from tests.recording import Spans

from otel_sessions import current_session, propagate_sessions, update_session

LOST = None


@pytest.mark.allow_opentelemetry_logs
def test_the_log_guard_sees_a_failed_detach(silent_opentelemetry: list[str]) -> None:
    """The check of every test sees the log line of a token that belongs to another context."""
    token = copy_context().run(attach, set_value("theirs", 1))
    detach(token)
    assert silent_opentelemetry == ["ERROR opentelemetry.context: Failed to detach context"]


@propagate_sessions("a")
def decorated(tracer: Tracer) -> Iterator[int]:
    """Three items with a span open across each yield."""
    for number in range(3):
        with tracer.start_as_current_span(f"item {number}"):
            yield number


@propagate_sessions("a")
async def async_decorated(tracer: Tracer) -> AsyncGenerator[int, None]:
    """The same as an async generator."""
    for number in range(3):
        with tracer.start_as_current_span(f"item {number}"):
            await asyncio.sleep(0)
            yield number


def undecorated(tracer: Tracer) -> Generator[int, None, None]:
    """A `with` in the body of a plain generator."""
    with propagate_sessions("a"):
        for number in range(3):
            with tracer.start_as_current_span(f"item {number}"):
                yield number


async def async_undecorated(tracer: Tracer) -> AsyncIterator[int]:
    """The same as an async generator."""
    async with propagate_sessions("a"):
        for number in range(3):
            yield number
            tracer.start_span(f"item {number}").end()


def test_a_suspended_decorated_generator_does_not_leak(tracer: Tracer, spans: Spans) -> None:
    """The caller has neither the generator's session nor its current span between items."""
    before = get_current()
    for _ in decorated(tracer):
        assert get_current() is before
        tracer.start_span("caller").end()
    assert [span.name for span in spans()] == [name for number in range(3) for name in ("caller", f"item {number}")]
    assert spans.ids() == {"caller": LOST, "item 0": "a", "item 1": "a", "item 2": "a"}
    assert {span.parent for span in spans()} == {None}


def test_a_suspended_undecorated_generator_leaks(tracer: Tracer) -> None:
    """The caller is in the session of a plain generator's `with` while that is suspended, which is a documented limit."""
    items = undecorated(tracer)
    next(items)
    assert current_session().id == "a"
    items.close()
    assert not current_session()


@pytest.mark.parametrize("generator", [decorated, lambda tracer: propagate_sessions("a").wrap(undecorated(tracer))])
def test_interleaved_generators(tracer: Tracer, spans: Spans, generator: Callable[[Tracer], Iterator[int]]) -> None:
    """Two generators that run in turns each have their own context."""
    with propagate_sessions("around"):
        for first, second in zip(generator(tracer), generator(tracer), strict=True):
            assert first == second
            assert current_session().id == "around"
    assert {span.attributes["session.id"] for span in spans() if span.attributes} == {"a"}


def close(items: Iterator[int]) -> None:
    """Close a generator."""
    items.close()  # type: ignore[attr-defined]


def stop_early(items: Iterator[int]) -> None:
    """Break out of a loop and forget the generator."""
    for _ in items:
        break


def throw(items: Iterator[int]) -> None:
    """Throw into it."""
    with pytest.raises(KeyError):
        items.throw(KeyError("x"))  # type: ignore[attr-defined]


def step_in_threads(items: Iterator[int]) -> None:
    """Step it in pool threads, as servers do."""
    with ThreadPoolExecutor(2) as pool:
        for _ in range(2):
            pool.submit(next, items).result()


def close_in_another_context(items: Iterator[int]) -> None:
    """Close it from elsewhere."""
    copy_context().run(close, items)


@pytest.mark.parametrize("end", [close, stop_early, throw, step_in_threads, close_in_another_context])
@pytest.mark.parametrize("generator", [decorated, lambda tracer: propagate_sessions("a").wrap(decorated(tracer))])
def test_however_a_decorated_generator_ends(
    tracer: Tracer, spans: Spans, generator: Callable[[Tracer], Iterator[int]], end: Callable[[Iterator[int]], None]
) -> None:
    """The caller keeps its session, no span is left current, and each span was in the session."""
    with propagate_sessions("around"), tracer.start_as_current_span("caller") as span:
        items = generator(tracer)
        next(items)
        end(items)
        assert get_current_span() is span
        assert current_session().id == "around"
        del items
        gc.collect()
        assert get_current_span() is span
        assert current_session().id == "around"
    assert {name: id_ for name, id_ in spans.ids().items() if name != "caller"}.keys() <= {
        "item 0",
        "item 1",
        "item 2",
    }
    assert {id_ for name, id_ in spans.ids().items() if name != "caller"} == {"a"}


def test_an_undecorated_generator_closed_elsewhere_says_nothing(tracer: Tracer) -> None:
    """A scope that is left in a context that never had it changes and logs nothing."""

    def body() -> Iterator[int]:
        with propagate_sessions("a"):
            yield 1

    items = body()
    copy_context().run(next, items)
    with propagate_sessions("around"):
        close(items)
        assert current_session().id == "around"


def test_an_async_generator_broken_out_of(tracer: Tracer, spans: Spans) -> None:
    """The event loop ends a generator after an early `break`, in its own context."""

    async def main(generator: Callable[[Tracer], AsyncIterator[int]]) -> None:
        with propagate_sessions("around"):
            async for _ in generator(tracer):
                tracer.start_span("caller").end()
                break
            gc.collect()
            await asyncio.sleep(0)
            tracer.start_span("after").end()

    asyncio.run(main(async_decorated))
    assert spans.ids() == {"item 0": "a", "caller": "around", "after": "around"}
    spans.clear()
    asyncio.run(main(async_undecorated))
    assert spans.ids()["caller"] == "a"


def test_an_async_generator_collected_in_another_task(tracer: Tracer, spans: Spans) -> None:
    """The scope of a generator whose last reference another task drops ends without a log line."""

    async def main(generator: Callable[[Tracer], AsyncIterator[int]]) -> None:
        kept: list[Any] = [generator(tracer)]

        async def start() -> None:
            await anext(kept[0])

        async def drop() -> None:
            with propagate_sessions("other"):
                kept.clear()
                gc.collect()
                await asyncio.sleep(0)
                await asyncio.sleep(0)
                tracer.start_span("dropper").end()

        await asyncio.create_task(start())
        await asyncio.create_task(drop())

    for generator in (async_decorated, async_undecorated):
        asyncio.run(main(generator))
        assert spans.ids()["dropper"] == "other"
        spans.clear()


def test_an_async_generator_stepped_by_different_tasks(tracer: Tracer, spans: Spans) -> None:
    """Each item may be asked for by a task of its own, as web servers with timeouts do."""

    async def main() -> None:
        items = async_decorated(tracer)
        for _ in range(3):
            await asyncio.wait_for(anext(items), 60)
        await items.aclose()

    asyncio.run(main())
    assert spans.ids() == {"item 0": "a", "item 1": "a", "item 2": "a"}


def test_a_cancelled_consumer(tracer: Tracer, spans: Spans) -> None:
    """Cancellation inside the generator ends its span and its scope in its context."""

    @propagate_sessions("a")
    async def waiting() -> AsyncIterator[int]:
        with tracer.start_as_current_span("waiting"):
            yield 1
            await asyncio.Event().wait()

    async def consume(started: asyncio.Event) -> None:
        with propagate_sessions("around"):
            try:
                async for _ in waiting():
                    started.set()
            finally:
                tracer.start_span("caller").end()

    async def main() -> None:
        started = asyncio.Event()
        task = asyncio.create_task(consume(started))
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert spans.ids() == {"waiting": "a", "caller": "around"}


def test_code_inside_that_attaches_and_never_detaches(tracer: Tracer) -> None:
    """A context that code inside the generator attaches and never detaches stays inside."""

    @propagate_sessions("a")
    def leaky() -> Iterator[object]:
        attach(set_value("theirs", 1))
        yield get_current().get("theirs")
        yield get_current().get("theirs")

    for value in leaky():
        assert value == 1
        assert "theirs" not in get_current()


def test_nested_scopes_inside_a_generator() -> None:
    """Nested scopes inside a generator hold across each yield and end in turn."""

    @propagate_sessions("a")
    def nested() -> Iterator[str | None]:
        with propagate_sessions("b"):
            yield current_session().id
        yield current_session().id

    assert list(nested()) == ["b", "a"]
    assert not current_session()


def test_an_update_inside_a_generator_stays_inside() -> None:
    """An update inside a generator holds for its later steps only."""

    @propagate_sessions("a")
    def updating() -> Iterator[str | None]:
        update_session("b")
        yield current_session().id
        yield current_session().id

    with propagate_sessions("around"):
        for id_ in updating():
            assert (id_, current_session().id) == ("b", "around")


def test_recursive_generators() -> None:
    """A decorated generator can delegate to itself."""

    @propagate_sessions(lambda depth: depth)
    def tree(depth: int) -> Iterator[tuple[int, str | None]]:
        yield depth, current_session().id
        if depth:
            yield from tree(depth - 1)
        yield depth, current_session().id

    assert list(tree(2)) == [(2, "2"), (1, "1"), (0, "0"), (0, "0"), (1, "1"), (2, "2")]


def test_a_decorated_generator_takes_its_context_when_it_is_first_stepped(tracer: Tracer, spans: Spans) -> None:
    """A decorated generator has the session around its first step, not the one around the call."""

    @propagate_sessions(user_id="u")
    def items() -> Iterator[int]:
        tracer.start_span("item").end()
        yield 1

    with propagate_sessions("called"):
        made = items()
    with propagate_sessions("stepped"):
        next(made)
    assert spans.ids() == {"item": "stepped"}


def test_wrap_takes_the_context_of_its_call(tracer: Tracer, spans: Spans) -> None:
    """The current span and the outer session are those of the call of `wrap`, wherever the result is consumed."""

    def items() -> Iterator[int]:
        tracer.start_span("item").end()
        yield 1

    with propagate_sessions("called"), tracer.start_as_current_span("caller") as caller:
        made = propagate_sessions(ticket=1).wrap(items())
        assert current_session().keys == {}
    with propagate_sessions("stepped"):
        assert list(made) == [1]
        assert current_session().id == "stepped"
    item = next(span for span in spans() if span.name == "item")
    assert spans.attributes("item") == {"session.id": "called", "session.key.ticket": "1"}
    assert item.parent == caller.get_span_context()


@pytest.mark.parametrize("iterable", [[1, 2], (1, 2), iter([1, 2]), range(1, 3), {1: "a", 2: "b"}])
def test_wrap_takes_any_iterable(iterable: Any) -> None:
    """`wrap` takes lists, iterators and generators."""
    assert list(propagate_sessions("a").wrap(iterable)) == [1, 2]


def test_wrap_takes_async_iterables(tracer: Tracer) -> None:
    """`wrap` takes async generators and objects that only have `__aiter__`."""

    class Numbers:
        async def __aiter__(self) -> AsyncIterator[str | None]:
            yield current_session().id

    async def main() -> None:
        assert [number async for number in propagate_sessions("b").wrap(async_decorated(tracer))] == [0, 1, 2]
        assert [id_ async for id_ in propagate_sessions("b").wrap(Numbers())] == ["b"]
        assert not current_session()

    asyncio.run(main())


def test_wrap_runs_the_iter_of_an_iterable_inside() -> None:
    """`__iter__` of a wrapped object runs in the session."""
    seen: list[str | None] = []

    class Items:
        def __iter__(self) -> Iterator[int]:
            seen.append(current_session().id)
            return iter([1])

    assert list(propagate_sessions("a").wrap(Items())) == [1]
    assert seen == ["a"]


def test_wrap_of_what_is_not_iterable_raises_at_once() -> None:
    """`wrap` raises for a value that cannot be iterated over, and leaves no session behind."""
    with pytest.raises(TypeError):
        propagate_sessions("a").wrap(7)  # type: ignore[call-overload]
    assert not current_session()


def test_a_decorated_context_manager() -> None:
    """`contextlib.contextmanager` works around a decorated generator as long as its block raises nothing."""

    @contextlib.contextmanager
    @propagate_sessions("a")
    def manager() -> Iterator[str | None]:
        yield current_session().id

    with manager() as id_:
        assert id_ == "a"
        assert not current_session()


def test_an_error_in_the_block_of_a_decorated_context_manager() -> None:
    """The exception of the block passes through."""

    @contextlib.contextmanager
    @propagate_sessions("a")
    def manager() -> Iterator[None]:
        yield

    with pytest.raises(KeyError), manager():
        raise KeyError("user's own")
