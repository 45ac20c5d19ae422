"""Scopes as decorators: every kind of function, and values computed from the call."""

from __future__ import annotations

import asyncio
import functools
import inspect
import threading
from collections.abc import AsyncIterator, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from types import MappingProxyType, SimpleNamespace
from typing import Any

import pytest
from opentelemetry.trace import Tracer
from tests.recording import started

from otel_sessions import (
    Session,
    SessionValueError,
    current_session,
    dropped_values,
    no_session,
    propagate_sessions,
)


class Ticket(SimpleNamespace):
    """What a handler is called with."""


@propagate_sessions("a")
def function(x: int, *, y: int = 1) -> tuple[int, str | None]:
    """A function."""
    return x + y, current_session().id


@propagate_sessions("a")
async def coroutine(x: int, *, y: int = 1) -> tuple[int, str | None]:
    """A coroutine function."""
    await asyncio.sleep(0)
    return x + y, current_session().id


@propagate_sessions("a")
def generator(x: int, *, y: int = 1) -> Iterator[tuple[int, str | None]]:
    """A generator function."""
    yield x + y, current_session().id


@propagate_sessions("a")
async def async_generator(x: int, *, y: int = 1) -> AsyncIterator[tuple[int, str | None]]:
    """An async generator function."""
    await asyncio.sleep(0)
    yield x + y, current_session().id


def test_decorated_functions_of_each_kind() -> None:
    """Arguments go in, results come out, and the session is in force inside only."""

    async def collect() -> list[tuple[int, str | None]]:
        return [await coroutine(1, y=2), *[item async for item in async_generator(1, y=2)]]

    assert function(1, y=2) == (3, "a")
    assert list(generator(1, y=2)) == [(3, "a")]
    assert asyncio.run(collect()) == [(3, "a"), (3, "a")]
    assert not current_session()


@pytest.mark.parametrize(
    ("decorated", "kind"),
    [
        (function, inspect.isfunction),
        (coroutine, inspect.iscoroutinefunction),
        (generator, inspect.isgeneratorfunction),
        (async_generator, inspect.isasyncgenfunction),
    ],
)
def test_a_decorated_function_stays_what_it_was(decorated: Any, kind: Any) -> None:
    """A decorated function keeps its kind, name, documentation and signature, which frameworks look at."""
    assert kind(decorated)
    assert decorated.__name__ in {"function", "coroutine", "generator", "async_generator"}
    assert decorated.__doc__
    assert str(inspect.signature(decorated)).startswith("(x: 'int', *, y: 'int' = 1)")


def test_decorated_functions_raise_what_they_raise() -> None:
    """A decorated function raises the same exception, and the scope is left."""
    error = ValueError("own")

    @propagate_sessions("a")
    def failing() -> None:
        raise error

    @propagate_sessions("a")
    async def async_failing() -> None:
        raise error

    for call in (failing, lambda: asyncio.run(async_failing())):
        with pytest.raises(ValueError) as raised:
            call()
        assert raised.value is error
        assert not current_session()


def test_methods_partials_lambdas_and_callable_objects_can_be_decorated() -> None:
    """Methods, partials, lambdas and callable objects can be decorated."""

    class Agent:
        name = "agent"

        @propagate_sessions(lambda self: self.name)
        def method(self) -> str | None:
            return current_session().id

        @staticmethod
        @propagate_sessions("static")
        def static() -> str | None:
            return current_session().id

        @classmethod
        @propagate_sessions(lambda cls: cls.name)
        def klass(cls) -> str | None:
            return current_session().id

        def __call__(self) -> str | None:
            return current_session().id

    assert Agent().method() == "agent"
    assert Agent.static() == "static"
    assert Agent.klass() == "agent"
    scope = propagate_sessions("a")
    assert scope(Agent())() == "a"
    assert scope(lambda: current_session().id)() == "a"
    assert scope(functools.partial(Agent().__call__))() == "a"


def test_whatever_returns_a_coroutine_can_be_decorated() -> None:
    """An object with an async `__call__`, and an `async def` behind a plain wrapper, can be decorated."""

    async def coroutine_() -> str | None:
        await asyncio.sleep(0)
        return current_session().id

    def wrapper() -> Coroutine[Any, Any, str | None]:
        return coroutine_()

    class Agent:
        async def __call__(self) -> str | None:
            return await coroutine_()

    assert asyncio.run(propagate_sessions("a")(wrapper)()) == "a"
    assert asyncio.run(propagate_sessions("a")(Agent())()) == "a"


@pytest.mark.parametrize("value", [7, "text", None, ["list"]])
def test_decorating_what_cannot_be_called_says_what_is_wrong(value: Any) -> None:
    """The error for decorating a value that cannot be called suggests that parentheses are missing."""
    with pytest.raises(TypeError, match="parentheses"):
        propagate_sessions("a")(value)


def test_decorating_without_parentheses_is_found_at_the_first_call() -> None:
    """`@propagate_sessions` without parentheses raises at the first call."""

    @propagate_sessions
    def handle(ticket: str) -> str:
        return ticket

    with pytest.raises(TypeError, match="parentheses"):
        handle("t")  # type: ignore[arg-type]


def test_callables_get_the_arguments_of_the_call(tracer: Tracer) -> None:
    """Any field may be computed from the call, entry by entry in `keys` and `metadata`."""

    @propagate_sessions(
        lambda ticket, **_: ticket.id,
        user_id=lambda ticket, **_: ticket.user,
        session_name=lambda ticket, shout: ticket.name.upper() if shout else ticket.name,
        tags=lambda ticket, **_: ticket.tags,
        metadata={"fixed": 1, "words": lambda ticket, **_: len(ticket.tags)},
        previous_id=lambda *_, **__: "before",
        keys={"user_id": lambda ticket, **_: ticket.user},
        run=lambda *_, **__: 7,
    )
    def handle(ticket: Ticket, *, shout: bool) -> dict[str, Any]:
        return started(tracer)

    expected = {
        "session.id": "t-1",
        "session.key.user_id": "ann",
        "session.key.run": "7",
        "user.id": "ann",
        "session.name": "HELP",
        "session.previous_id": "before",
        "session.tags": ("x", "y"),
        "session.metadata.fixed": 1,
        "session.metadata.words": 2,
    }
    assert handle(Ticket(id="t-1", user="ann", name="help", tags=["x", "y"]), shout=True) == expected
    assert handle(Ticket(id=2, user=None, name="n", tags=None), shout=False)["session.id"] == "2"
    assert dropped_values() == {("metadata", "raised"): 1}


def test_callables_are_found_in_any_mapping() -> None:
    """Callables in mappings other than a dict are called too."""

    @propagate_sessions(keys=MappingProxyType({"run": lambda ticket: ticket, "fixed": 1}))
    def handle(ticket: int) -> dict[str, str]:
        return dict(current_session().keys)

    assert handle(7) == {"run": "7", "fixed": "1"}


def test_callables_for_every_kind_of_function() -> None:
    """Each call, coroutine and generator has its own values."""
    scope = propagate_sessions(lambda name: name)

    @scope
    async def coroutine_of(name: str) -> str | None:
        await asyncio.sleep(0)
        return current_session().id

    @scope
    def generator_of(name: str) -> Iterator[str | None]:
        yield current_session().id
        yield current_session().id

    @scope
    async def async_generator_of(name: str) -> AsyncIterator[str | None]:
        yield current_session().id

    async def main() -> None:
        assert await asyncio.gather(*(coroutine_of(name) for name in "abc")) == ["a", "b", "c"]
        assert [id_ async for id_ in async_generator_of("d")] == ["d"]

    asyncio.run(main())
    assert list(zip(generator_of("a"), generator_of("b"), strict=True)) == [("a", "b"), ("a", "b")]


def raising(*args: object) -> str:
    """A callable that fails."""
    raise LookupError("personal data")


@pytest.mark.parametrize(
    ("fields", "expected", "field"),
    [
        ({"session_id": raising}, {"session.key.run": "1", "user.id": "u", "session.cut": ("id",)}, "session_id"),
        ({"user_id": raising}, {"session.id": "a", "session.key.run": "1"}, "user_id"),
        ({"run": raising}, {"session.id": "a", "user.id": "u", "session.cut": ("run",)}, "session_keys"),
        ({"keys": {"run": raising}}, {"session.id": "a", "user.id": "u", "session.cut": ("run",)}, "session_keys"),
        ({"keys": raising}, {"session.id": "a", "session.key.run": "1", "user.id": "u"}, "session_keys"),
        ({"tags": raising}, {"session.id": "a", "session.key.run": "1", "user.id": "u"}, "tags"),
        ({"metadata": raising}, {"session.id": "a", "session.key.run": "1", "user.id": "u"}, "metadata"),
        ({"metadata": {"m": raising}}, {"session.id": "a", "session.key.run": "1", "user.id": "u"}, "metadata"),
        ({"session_name": raising}, {"session.id": "a", "session.key.run": "1", "user.id": "u"}, "session_name"),
        ({"previous_id": raising}, {"session.id": "a", "session.key.run": "1", "user.id": "u"}, "previous_id"),
    ],
)
def test_a_callable_that_raises_costs_its_value_only(
    tracer: Tracer,
    caplog: pytest.LogCaptureFixture,
    fields: dict[str, Any],
    expected: dict[str, Any],
    field: str,
) -> None:
    """The call goes on without the value, and an id, key or user does not fall back to the outer one."""

    @propagate_sessions(**fields)
    def handle(ticket: str) -> dict[str, Any]:
        return started(tracer)

    with propagate_sessions("a", run=1, user_id="u"):
        assert handle("t") == expected
        assert handle("t") == expected
    assert dropped_values() == {(field, "raised"): 2}
    assert "LookupError" in caplog.text
    assert "personal data" not in caplog.text


def test_a_callable_that_returns_none_gives_nothing() -> None:
    """`None` from a callable means not given, so the outer value holds."""

    @propagate_sessions(lambda: None, run=lambda: None)
    def handle() -> Session:
        return current_session()

    with propagate_sessions("a", run=1) as outer:
        assert handle() == outer
    assert dropped_values() == {}


def test_a_callable_in_strict_mode_raises_at_the_call() -> None:
    """The call raises in strict mode, with the callable's error as the cause."""

    @propagate_sessions(raising, strict=True)
    def handle() -> None:
        raise AssertionError

    with pytest.raises(SessionValueError) as error:
        handle()
    assert isinstance(error.value.__cause__, LookupError)
    assert not current_session()


def test_callables_in_a_with_block_are_refused(tracer: Tracer) -> None:
    """A callable in a `with` block, where no call has arguments for it, is dropped and nothing is inherited."""
    with propagate_sessions("a"), propagate_sessions(lambda: "b"):
        assert started(tracer) == {"session.cut": ("id",)}
    assert dropped_values() == {("session_id", "type"): 1}


def test_recursion() -> None:
    """Each level of a recursion has its own value, and the outer one is back after it."""

    @propagate_sessions(lambda depth: f"level {depth}")
    def descend(depth: int) -> list[str | None]:
        below = descend(depth - 1) if depth else []
        return [*below, current_session().id]

    assert descend(3) == ["level 0", "level 1", "level 2", "level 3"]
    assert not current_session()


def test_one_decorated_function_in_many_threads() -> None:
    """Calls that overlap do not see each other's session."""
    together = threading.Barrier(4)

    @propagate_sessions(lambda name: name)
    def handle(name: str) -> tuple[str, str | None, str | None]:
        together.wait()
        before = current_session().id
        together.wait()
        return name, before, current_session().id

    names = [str(number) for number in range(4)]
    with ThreadPoolExecutor(4) as pool:
        for _ in range(20):
            assert list(pool.map(handle, names)) == [(name, name, name) for name in names]


def test_one_scope_object_in_two_threads(tracer: Tracer) -> None:
    """Each of two threads has its own session from one scope object, entered and left in any order."""
    scope = propagate_sessions("a")
    entered, left = threading.Event(), threading.Event()

    def work() -> Session:
        with scope:
            entered.set()
            assert left.wait(60)
            return current_session()

    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(work)
        assert entered.wait(60)
        with scope:
            pass
        assert not current_session()
        left.set()
        assert future.result().id == "a"


def test_no_session_and_bound_functions_decorate_too() -> None:
    """Every kind of scope works as a decorator."""

    @no_session()
    def job() -> Session:
        return current_session()

    async def main() -> Session:
        async with no_session():
            return current_session()

    with propagate_sessions("a"):
        assert not job()
        assert not asyncio.run(main())
        assert [bool(current_session()) for _ in no_session().wrap([1])] == [True]
