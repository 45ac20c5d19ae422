"""Generators that run in a `contextvars.Context` of their own.

A session or a current span that a generator sets would otherwise stay set in its caller while the generator is
suspended, and be missing when another thread or task resumes it. Each step here runs in the generator's own context, and
so does its end: by exhaustion, `close()`, an early `break` or the garbage collector.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Generator, Iterator
from contextvars import Context
from types import TracebackType
from typing import Any, ParamSpec

P = ParamSpec("P")


class _Steps:
    """An iterator with the generator protocol, whose calls run inside a context; for `yield from`."""

    def __init__(self, context: Context, iterator: Iterator[Any]) -> None:
        self._context = context
        self._iterator: Any = iterator

    def __iter__(self) -> _Steps:
        return self

    def __next__(self) -> Any:
        return self._context.run(next, self._iterator)

    def send(self, value: Any) -> Any:
        return self._context.run(self._iterator.send, value)

    def throw(self, kind: Any, value: Any = None, traceback: TracebackType | None = None) -> Any:
        # `yield from` passes on the three arguments that contextlib uses before Python 3.12.
        error = kind if isinstance(kind, BaseException) else value if isinstance(value, kind) else _made(kind, value)
        if traceback is not None:
            error = error.with_traceback(traceback)
        throw = getattr(self._iterator, "throw", None)
        if throw is None:
            raise error
        return self._context.run(throw, error)

    def close(self) -> None:
        close = getattr(self._iterator, "close", None)
        if close is not None:
            self._context.run(close)


def _made(kind: type[BaseException], value: Any) -> BaseException:
    if value is None:
        return kind()
    return kind(*value) if isinstance(value, tuple) else kind(value)


class _AwaitIn:
    """An awaitable that runs inside a context, step by step."""

    def __init__(self, context: Context, awaitable: Awaitable[Any]) -> None:
        self._context = context
        self._awaitable = awaitable

    def __await__(self) -> Generator[Any, Any, Any]:
        iterator = self._context.run(self._awaitable.__await__)
        return (yield from _Steps(self._context, iterator))


async def awaited_in(context: Context, awaitable: Awaitable[Any], end: Callable[[], None]) -> Any:
    """The result of an awaitable, which runs inside the context; `end` is called when it is done."""
    try:
        return await _AwaitIn(context, awaitable)
    finally:
        end()


def stepped(
    start: Callable[P, tuple[Context, Iterator[Any], Callable[[], None]]],
) -> Callable[P, Generator[Any, Any, Any]]:
    """A generator function whose items come from an iterator that runs inside a context.

    `start` makes the context and the iterator, and says what to call when the iterator is done.
    """

    def run(*args: P.args, **kwargs: P.kwargs) -> Generator[Any, Any, Any]:
        context, iterator, end = start(*args, **kwargs)
        try:
            return (yield from _Steps(context, iterator))
        finally:
            end()

    return run


def async_stepped(
    start: Callable[P, tuple[Context, AsyncIterator[Any], Callable[[], None]]],
) -> Callable[P, AsyncGenerator[Any, Any]]:
    """An async generator function whose items come from an async iterator that runs inside a context; see `stepped`."""

    async def run(*args: P.args, **kwargs: P.kwargs) -> AsyncGenerator[Any, Any]:
        context, iterator, end = start(*args, **kwargs)
        source: Any = iterator
        call: Any = source.__anext__
        arguments: tuple[Any, ...] = ()
        try:
            while True:
                try:
                    item = await _AwaitIn(context, context.run(call, *arguments))
                except StopAsyncIteration:
                    return
                try:
                    sent = yield item
                except GeneratorExit:
                    if hasattr(source, "aclose"):
                        await _AwaitIn(context, context.run(source.aclose))
                    raise
                except BaseException as error:
                    if not hasattr(source, "athrow"):
                        raise
                    call, arguments = source.athrow, (error,)
                else:
                    call, arguments = (source.__anext__, ()) if sent is None else (source.asend, (sent,))
        finally:
            end()

    return run
