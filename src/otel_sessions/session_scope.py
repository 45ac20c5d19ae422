"""`SessionScope`: a scope as a context manager, as a decorator, and around an iterator."""

from __future__ import annotations

import functools
import inspect
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Generator, Iterable
from contextvars import Context, copy_context
from types import TracebackType
from typing import Any, ParamSpec, TypeVar, overload

from opentelemetry.context import get_current
from opentelemetry.trace import INVALID_SPAN, Span, get_current_span

from otel_sessions.drops import drops
from otel_sessions.scopes import Scope, enter, leave, scope_in, session_in, without_ended
from otel_sessions.session import Session
from otel_sessions.stamping import stamp_on_entry
from otel_sessions.stepping import async_stepped, awaited_in, stepped

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")


class SessionScope(ABC):
    """A scope that a session is in force in: use it with `with` or `async with`, as a decorator, or to `wrap` an iterator.

    `propagate_sessions` and `no_session` return one. It can be entered many times, also inside itself and from several
    threads or tasks at once.

    Example:
        >>> from otel_sessions import current_session, propagate_sessions
        >>> scope = propagate_sessions("ticket-2611")
        >>> with scope as session:
        ...     print(session.id)
        ticket-2611
        >>> @scope
        ... def answer():
        ...     return current_session().id
        >>> answer()
        'ticket-2611'
        >>> list(scope.wrap(current_session().id for _ in range(2)))
        ['ticket-2611', 'ticket-2611']
    """

    _baggage = False
    _entered: Scope | None = None
    _several = False
    """Entered again before it was left: which of the scopes a context-less exit is about cannot be told."""

    @abstractmethod
    def _inside(self, outer: Scope | None) -> Session:
        """The session inside this scope, given the scope around it."""

    @abstractmethod
    def _for_call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> SessionScope:
        """A scope for one call of the decorated function: calls may end in any order, so each has its own."""

    def __enter__(self) -> Session:
        """Put the session in force and return it."""
        current = get_current()
        if current:
            current = without_ended(current)
        outer = scope_in(current)
        scope = Scope(self._inside(outer), outer, self, baggage=self._baggage)
        enter(scope, current)
        before = self._entered
        if before is not None and not before.ended:
            self._several = True
        self._entered = scope
        if current:
            span = get_current_span(current)
            if span is not INVALID_SPAN and scope.session:
                write_on_span(stamp_on_entry, span, scope)
        return scope.session

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Put the session in force again that was in force before."""
        if not leave(self):
            self._leave_elsewhere()

    async def __aenter__(self) -> Session:
        """Put the session in force and return it."""
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Put the session in force again that was in force before."""
        if not leave(self):
            self._leave_elsewhere()

    def _leave_elsewhere(self) -> None:
        """End a scope that is left from another context than it was entered in."""
        if self._entered is not None and not self._several:
            self._entered.ended = True

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        """Decorate a function, coroutine function, generator function or async generator function.

        The result is of the same kind, and every call has a scope of its own.

        Raises:
            TypeError: for an argument that cannot be called.
        """
        if not callable(function):
            raise TypeError(
                f"a session scope decorates a function, not a value of type {type(function).__name__};"
                " write @propagate_sessions(...) with its parentheses"
            )
        return _decorated(self, function)

    @overload
    def wrap(self, iterable: AsyncIterable[T]) -> AsyncGenerator[T, None]: ...
    @overload
    def wrap(self, iterable: Iterable[T]) -> Generator[T, None, None]: ...
    def wrap(self, iterable: Any) -> Any:
        """The items of an iterable, produced inside this scope: for one that is consumed later or in another thread.

        The context is taken now: the current span and the outer session are those of the caller of `wrap`. For example,
        wrap the body of a `StreamingResponse`.
        """
        context = copy_context()
        end = _entered_in(context, self)
        if isinstance(iterable, AsyncIterable):
            items = context.run(aiter, iterable)
            return async_stepped(lambda: (context, items, end))()
        iterator = context.run(iter, iterable)
        return stepped(lambda: (context, iterator, end))()


def write_on_span(action: Callable[[Span, Scope], None], span: Span, scope: Scope) -> None:
    """Call `action`, which writes the session of the scope on the span; an exception is counted."""
    try:
        action(span, scope)
    except Exception as error:
        drops.count("span", "raised", f"writing the session on the current span raised {type(error).__name__}")


class FixedScope(SessionScope):
    """A scope whose session does not depend on the scopes around it."""

    def __init__(self, session: Session, *, baggage: bool = False) -> None:
        """Put this session in force, whatever is in force around it."""
        self._session = session
        self._baggage = baggage

    def _inside(self, outer: Scope | None) -> Session:
        return self._session

    def _for_call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> SessionScope:
        return FixedScope(self._session, baggage=self._baggage)


def _entered_in(context: Context, scope: SessionScope) -> Callable[[], None]:
    """Enter a scope in a context that nothing else runs in, and return what ends the scope."""
    context.run(scope.__enter__)
    entered = scope_in(context.run(get_current))

    def end() -> None:
        assert entered is not None
        entered.ended = True

    return end


def _decorated(scope: SessionScope, function: Callable[P, R]) -> Callable[P, R]:
    def start(*args: Any, **kwargs: Any) -> tuple[Context, Any, Callable[[], None]]:
        context = copy_context()
        end = _entered_in(context, scope._for_call(args, kwargs))  # noqa: SLF001
        return context, context.run(function, *args, **kwargs), end

    def call(*args: Any, **kwargs: Any) -> Any:
        own = scope._for_call(args, kwargs)  # noqa: SLF001
        with own:
            result: Any = function(*args, **kwargs)
            if not inspect.iscoroutine(result):
                return result
            # A coroutine function behind a plain wrapper is only known by what a call returns. Its session is in force
            # until it is done, and this scope ends here.
            context = copy_context()
            end = _entered_in(context, FixedScope(session_in(get_current()), baggage=own._baggage))  # noqa: SLF001
        return awaited_in(context, result, end)

    async def call_async(*args: Any, **kwargs: Any) -> Any:
        with scope._for_call(args, kwargs):  # noqa: SLF001
            result: Any = function(*args, **kwargs)
            return await result

    wrapper: Callable[..., Any]
    if inspect.isasyncgenfunction(function):
        wrapper = async_stepped(start)
    elif inspect.isgeneratorfunction(function):
        wrapper = stepped(start)
    elif inspect.iscoroutinefunction(function):
        wrapper = call_async
    else:
        wrapper = call
    return functools.wraps(function)(wrapper)
