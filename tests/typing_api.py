"""The types of the public API: mypy checks this file, and the test beside it runs it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Generator, Iterator, Mapping
from decimal import Decimal
from typing import Any, assert_type

from otel_sessions import (
    AttributeValue,
    Cost,
    MetadataValue,
    ModelRollup,
    Pricer,
    Redact,
    Session,
    SessionExporter,
    SessionRollup,
    SessionScope,
    Skipped,
    Totals,
    TraceGroup,
    TraceRollup,
    Usage,
    bind_session,
    current_session,
    no_session,
    propagate_sessions,
    score_session,
    update_session,
)


@propagate_sessions("a")
def function(x: int, *, y: str = "") -> float:
    """A function."""
    return float(x)


@propagate_sessions(lambda x: x)
async def coroutine(x: int) -> str:
    """A coroutine function."""
    return str(x)


@propagate_sessions("a")
def iterator(x: int) -> Iterator[int]:
    """A generator function annotated as iterator."""
    yield x


@propagate_sessions("a")
def generator(x: int) -> Generator[int, str, float]:
    """A generator function."""
    sent = yield x
    return float(len(sent))


@propagate_sessions("a")
async def async_generator(x: int) -> AsyncGenerator[int, str]:
    """An async generator function."""
    yield x


@no_session()
def job() -> None:
    """A function without a session."""


class Agent:
    """A class with decorated methods."""

    @propagate_sessions(lambda self, x: x)
    def method(self, x: int) -> str:
        """A method."""
        return str(x)

    @propagate_sessions("a")
    async def async_method(self, x: int) -> str:
        """A coroutine method."""
        return str(x)


async def types_of_decorated() -> None:
    """Signatures, results and kinds are kept."""
    assert_type(function(1, y=""), float)
    waiting = coroutine(1)
    assert_type(await waiting, str)
    same: Coroutine[Any, Any, str] = coroutine(1)
    await same
    assert_type(iterator(1), Iterator[int])
    assert_type(generator(1), Generator[int, str, float])
    assert_type(async_generator(1), AsyncGenerator[int, str])
    assert_type(Agent().method(1), str)
    assert_type(await Agent().async_method(1), str)
    job()


def types_of_wrong_calls() -> None:
    """Calls that the undecorated function would refuse are refused."""
    function(1, z=1)  # type: ignore[call-arg]
    function([])  # type: ignore[arg-type]
    Agent().method(1, 2)  # type: ignore[call-arg]
    propagate_sessions("a", strict=1)  # type: ignore[arg-type]
    propagate_sessions("a", "b")  # type: ignore[call-arg]


async def types_of_scopes() -> None:
    """A scope is a context manager of a `Session`, an async one as well, and wraps both kinds of iterables."""
    scope = propagate_sessions("a")
    assert_type(scope, SessionScope)
    with scope as session:
        assert_type(session, Session)
    async with no_session() as session:
        assert_type(session, Session)
    assert_type(scope.wrap([1]), Generator[int, None, None])
    assert_type(scope.wrap(iter("a")), Generator[str, None, None])
    assert_type(scope.wrap(async_generator(1)), AsyncGenerator[int, None])


def types_of_functions() -> None:
    """The other entry points."""
    assert_type(current_session(), Session)
    assert_type(update_session("a", run=1), Session)
    assert_type(bind_session(function)(1), float)
    bound: Callable[[int], Coroutine[Any, Any, str]] = bind_session(coroutine)
    del bound
    assert_type(score_session("helpful", 1), bool)


def redact(name: str, value: Any) -> Any:
    """Keeps every value."""
    return value


class FlatPrice:
    """A `Pricer` without that base class."""

    def price(
        self, *, provider: str | None, model: str, usage: Usage, at: int, context: tuple[tuple[str, str], ...] = ()
    ) -> Cost | None:
        """One price for all calls."""
        return Cost(None, None, Decimal("0.01"), "flat price")


def types_of_sessions() -> None:
    """The fields of a session are typed."""
    session = current_session()
    assert_type(session.attributes, Mapping[str, AttributeValue])
    assert_type(session.metadata, Mapping[str, MetadataValue])
    assert_type(session.values(), dict[str, str])


def types_of_rollups() -> None:
    """The exporter takes callbacks and a pricer of your own, and hands out typed sessions."""
    chosen: Redact = redact
    pricer: Pricer = FlatPrice()
    traces: list[TraceRollup] = []
    exporter = SessionExporter(redact=chosen, price=pricer, on_trace=traces.append)
    assert_type(exporter.session("a"), SessionRollup | None)
    assert_type(exporter.dropped, dict[str, int])
    for session in exporter.sessions():
        assert_type(session.models, tuple[ModelRollup, ...])
        assert_type(session.total_cost, Decimal | None)
    for trace in traces:
        assert_type(trace.groups, tuple[TraceGroup, ...])
        assert_type(trace.skipped, Mapping[int, Skipped])
        assert_type(next(iter(trace.skipped.values())).residual, Usage | None)
        assert_type(next(iter(trace.whole.models.values())), Totals)
    exporter.shutdown()


def consume(items: AsyncIterator[int]) -> AsyncIterator[int]:
    """Callers that ask for the wider type accept the wrapped one."""
    wrapped: AsyncIterator[int] = propagate_sessions("a").wrap(items)
    return wrapped
