"""Generators stepped in a context of their own: the whole generator protocol, and only the context differs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextvars import Context, ContextVar, copy_context
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_sessions.stepping import async_stepped, stepped

place: ContextVar[str] = ContextVar("place", default="outside")


def inside() -> Context:
    """A context that can be told from the test's."""
    context = copy_context()
    context.run(place.set, "inside")
    return context


def step(function: Callable[..., Iterator[Any]]) -> Callable[..., Generator[Any, Any, Any]]:
    """A generator function, stepped."""
    return stepped(lambda *args: (inside(), function(*args), lambda: None))


def astep(function: Callable[..., AsyncIterator[Any]]) -> Callable[..., Any]:
    """An async generator function, stepped."""
    return async_stepped(lambda *args: (inside(), function(*args), lambda: None))


class Log(list[str]):
    """The steps of a generator, each with the context in which it ran."""

    def add(self, what: str) -> None:
        """Write it down."""
        self.append(f"{what} {place.get()}")


def conversation(log: Log) -> Generator[object, object, str]:
    """A generator that answers every call of its protocol."""
    sent: object = "start"
    try:
        while True:
            try:
                log.add("step")
                sent = yield sent
            except KeyError as error:
                log.add("caught")
                sent = type(error).__name__
            if sent == "stop":
                return "result"
    finally:
        log.add("end")


async def async_conversation(log: Log) -> AsyncIterator[object]:
    """The same as an async generator."""
    sent: object = "start"
    try:
        while True:
            try:
                log.add("step")
                await asyncio.sleep(0)
                log.add("woken")
                sent = yield sent
            except KeyError as error:
                log.add("caught")
                sent = type(error).__name__
            if sent == "stop":
                return
    finally:
        await asyncio.sleep(0)
        log.add("end")


def test_steps_run_inside_and_the_caller_stays_outside() -> None:
    """Each step and the end see the generator's context; between steps the caller sees its own."""
    log = Log()
    steps = step(conversation)(log)
    assert log == []
    assert next(steps) == "start"
    assert place.get() == "outside"
    assert steps.send(7) == 7
    assert steps.throw(KeyError("x")) == "KeyError"
    with pytest.raises(StopIteration) as stop:
        steps.send("stop")
    assert stop.value.value == "result"
    assert log == ["step inside", "step inside", "caught inside", "step inside", "end inside"]


@pytest.mark.filterwarnings("ignore:the .*signature of throw:DeprecationWarning")
@pytest.mark.parametrize(
    ("parts", "arguments"),
    [
        ((KeyError("x"),), ("x",)),
        ((KeyError, KeyError("x"), None), ("x",)),
        ((KeyError, "x"), ("x",)),
        ((KeyError, ("x", "y")), ("x", "y")),
        ((KeyError,), ()),
        ((KeyError, None, None), ()),
    ],
)
def test_every_form_of_throw(parts: tuple[Any, ...], arguments: tuple[object, ...]) -> None:
    """`throw` takes an error, or its type, value and traceback, as `contextlib` passes up to Python 3.11."""

    def listening() -> Iterator[object]:
        try:
            yield None
        except KeyError as error:
            yield error.args

    steps = step(listening)()
    next(steps)
    assert steps.throw(*parts) == arguments


@pytest.mark.filterwarnings("ignore:the .*signature of throw:DeprecationWarning")
def test_a_thrown_traceback_is_kept() -> None:
    """The traceback of a thrown error still shows its origin."""
    with pytest.raises(KeyError) as first:
        dict[str, int]()["x"]
    thrown, traceback = first.value, first.tb
    steps = step(iter)([1, 2])
    next(steps)
    with pytest.raises(KeyError) as raised:
        steps.throw(KeyError, thrown.with_traceback(None), traceback)
    frames = []
    found = raised.value.__traceback__
    while found:
        frames.append(found.tb_lineno)
        found = found.tb_next
    assert frames[-1] == traceback.tb_lineno


def test_a_generator_that_is_closed_ends_inside() -> None:
    """`close` reaches the generator, in its context."""
    log = Log()
    steps = step(conversation)(log)
    next(steps)
    steps.close()
    assert log == ["step inside", "end inside"]
    assert list(steps) == []


def test_a_generator_that_is_forgotten_ends_inside() -> None:
    """A generator that the garbage collector ends also ends in its context."""
    log = Log()
    steps = step(conversation)(log)
    next(steps)
    del steps
    assert log == ["step inside", "end inside"]


def test_a_generator_that_never_started_does_nothing() -> None:
    """No code of a generator runs before its first step."""
    started: list[int] = []

    def start() -> tuple[Context, Iterator[int], Callable[[], None]]:
        started.append(1)
        return inside(), iter([1]), lambda: None

    stepped(start)().close()
    assert started == []


def test_an_iterator_is_as_good_as_a_generator() -> None:
    """An iterator without `throw` and `close` is iterated over, and raises what is thrown at it."""
    assert list(step(iter)([1, 2, 3])) == [1, 2, 3]
    steps = step(iter)([1, 2, 3])
    next(steps)
    error = KeyError("x")
    with pytest.raises(KeyError) as raised:
        steps.throw(error)
    assert raised.value is error
    steps = step(iter)([1, 2, 3])
    next(steps)
    steps.close()
    assert list(steps) == []


def test_the_steps_object_is_its_own_iterator() -> None:
    """The object can be iterated over with `for` inside `yield from`."""

    def delegating() -> Iterator[int]:
        yield from step(iter)([1, 2])

    assert list(step(delegating)()) == [1, 2]


def test_an_error_of_the_generator_passes_unchanged() -> None:
    """The caller gets the very exception, and the generator is finished."""
    error = ValueError("own")

    def failing() -> Iterator[int]:
        yield 1
        raise error

    steps = step(failing)()
    next(steps)
    with pytest.raises(ValueError) as raised:
        next(steps)
    assert raised.value is error
    assert list(steps) == []


MOVES = st.lists(st.sampled_from(["next", "send", "throw", "other", "close", "stop"]), max_size=12)


def play(steps: Generator[Any, Any, Any], moves: list[str]) -> list[object]:
    """The results of a list of calls of a generator."""
    answers: list[object] = []
    calls: dict[str, Callable[[], object]] = {
        "next": lambda: next(steps),
        "send": lambda: steps.send(7),
        "throw": lambda: steps.throw(KeyError("k")),
        "other": lambda: steps.throw(ValueError("v")),
        "close": steps.close,
        "stop": lambda: steps.send("stop"),
    }
    for move in moves:
        try:
            answers.append(calls[move]())
        except BaseException as error:  # every outcome is compared
            answers.append((type(error), str(error)))
    return answers


@given(MOVES)
def test_a_stepped_generator_answers_like_a_plain_one(moves: list[str]) -> None:
    """Any sequence of calls gives the results of the plain generator."""
    assert play(step(conversation)(Log()), moves) == play(conversation(Log()), moves)


async def async_play(steps: Any, moves: list[str]) -> list[object]:
    """The results of a list of calls of an async generator."""
    answers: list[object] = []
    calls: dict[str, Callable[[], Any]] = {
        "next": steps.__anext__,
        "send": lambda: steps.asend(7),
        "throw": lambda: steps.athrow(KeyError("k")),
        "other": lambda: steps.athrow(ValueError("v")),
        "close": steps.aclose,
        "stop": lambda: steps.asend("stop"),
    }
    for move in moves:
        try:
            answers.append(await calls[move]())
        except BaseException as error:  # every outcome is compared
            answers.append((type(error), str(error)))
    await steps.aclose()
    return answers


@given(MOVES)
def test_a_stepped_async_generator_answers_like_a_plain_one(moves: list[str]) -> None:
    """Any sequence of calls gives the results of the plain async generator."""

    async def main() -> None:
        log = Log()
        found = await async_play(astep(async_conversation)(log), moves)
        assert found == await async_play(async_conversation(Log()), moves)
        assert not [line for line in log if "outside" in line]

    asyncio.run(main())


def test_an_async_generator_runs_inside_also_after_waiting() -> None:
    """The caller's task awaits what the generator awaits, and the generator's code runs in its own context."""

    async def main() -> None:
        log = Log()
        steps = astep(async_conversation)(log)
        assert await anext(steps) == "start"
        assert place.get() == "outside"
        assert await steps.athrow(KeyError("x")) == "KeyError"
        await steps.aclose()
        expected = ["step", "woken", "caught", "step", "woken", "end"]
        assert log == [f"{what} inside" for what in expected]

    asyncio.run(main())


def test_an_async_iterator_is_as_good_as_an_async_generator() -> None:
    """An async iterator without `athrow` and `aclose` raises what is thrown at it, and closing ends it."""

    class Numbers:
        def __init__(self) -> None:
            self.number = 0

        def __aiter__(self) -> Numbers:
            return self

        async def __anext__(self) -> int:
            self.number += 1
            if self.number > 3:
                raise StopAsyncIteration
            assert place.get() == "inside"
            return self.number

    async def main() -> None:
        assert [number async for number in astep(Numbers)()] == [1, 2, 3]
        steps = astep(Numbers)()
        await anext(steps)
        error = KeyError("x")
        with pytest.raises(KeyError) as raised:
            await steps.athrow(error)
        assert raised.value is error
        steps = astep(Numbers)()
        await anext(steps)
        await steps.aclose()
        assert [number async for number in steps] == []

    asyncio.run(main())


def test_cancellation_reaches_the_async_generator() -> None:
    """A task that is cancelled while the generator waits ends it inside, with `CancelledError`."""
    log = Log()

    async def waiting() -> AsyncIterator[int]:
        try:
            yield 1
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            log.add("cancelled")
            raise
        finally:
            log.add("end")

    async def consume(started: asyncio.Event) -> None:
        async for _ in astep(waiting)():
            log.add("item")
            started.set()

    async def main() -> None:
        started = asyncio.Event()
        task = asyncio.create_task(consume(started))
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert log == ["item outside", "cancelled inside", "end inside"]
