"""The public functions around scopes: `propagate_sessions`, `no_session`, `current_session` and others."""

from __future__ import annotations

import functools
from collections.abc import (
    Callable,
    Mapping,
)
from functools import lru_cache
from typing import Any, Final, ParamSpec, TypeVar

from opentelemetry.context import get_current
from opentelemetry.trace import get_current_span

from otel_sessions import rules
from otel_sessions.attributes import ALL_KEYS
from otel_sessions.drops import SessionValueError, drop
from otel_sessions.given import Given, check, unreadable
from otel_sessions.scopes import Scope, refresh_baggage, scope_in, session_in
from otel_sessions.session import EMPTY, Session, fields_of, inner_session
from otel_sessions.session_scope import FixedScope, SessionScope, write_on_span
from otel_sessions.stamping import changing, restamp

P = ParamSpec("P")
R = TypeVar("R")

_PLAIN_TYPES: Final = frozenset({str, type(None)})

_NO_SESSION: Final = Session(cut=(ALL_KEYS,))


class _Propagated(SessionScope):
    """The scope of `propagate_sessions`; values are checked when it is made, callables when the function is called."""

    def __init__(self, fields: dict[str, object], *, strict: bool | None, baggage: bool) -> None:
        self._fields = fields
        self._strict = strict
        self._baggage = baggage
        self._callables = _has_callables(fields)
        self._given: Given | None = None if self._callables else _checked(fields, strict)

    def _inside(self, outer: Scope | None) -> Session:
        if self._given is None:
            self._given = _checked(self._fields, self._strict)
        return _merged(outer, self._given, self._strict)

    def _for_call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> SessionScope:
        scope = _Propagated.__new__(_Propagated)
        scope.__dict__.update(self.__dict__)
        if self._callables:
            fields = {name: _resolved(name, value, args, kwargs) for name, value in self._fields.items()}
            scope._given = _checked(fields, self._strict)  # noqa: SLF001
        return scope


class _Plain(SessionScope):
    """The scope of `propagate_sessions` for an id, a user and a name alone, as nearly all scopes are."""

    def __init__(self, session: Session, *, strict: bool | None, baggage: bool) -> None:
        self._session = session
        self._strict = strict
        self._baggage = baggage

    def _inside(self, outer: Scope | None) -> Session:
        own = self._session
        if outer is None:
            return own
        around = outer.session
        adds_nothing = (
            own.id in (None, around.id)
            and own.user_id in (None, around.user_id)
            and own.name in (None, around.name)
            and not around.cut
        )
        return around if adds_nothing else _merged(outer, Given(own.id, own.name, own.user_id), self._strict)

    def _for_call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> SessionScope:
        return _Plain(self._session, strict=self._strict, baggage=self._baggage)


@lru_cache(maxsize=1_024)
def _plain_session(session_id: str | None, user_id: str | None, session_name: str | None) -> Session:
    """The session with these fields, which is checked and laid out once however often an app enters it.

    Raises:
        SessionValueError: for a refused value; errors are not cached.
    """
    return Session(
        None if session_id is None else rules.session_id(session_id),
        name=None if session_name is None else rules.text(session_name, field="session_name"),
        user_id=None if user_id is None else rules.user_id(user_id),
    )


def propagate_sessions(
    session_id: object = None,
    *,
    session_name: object = None,
    user_id: object = None,
    tags: object = None,
    metadata: object = None,
    previous_id: object = None,
    keys: Mapping[str, object] | Callable[..., object] | None = None,
    baggage: bool = False,
    strict: bool | None = None,
    **session_keys: object,
) -> SessionScope:
    """A scope in which every span carries this session, also in the functions that are called.

    Use it with `with` or `async with`, or as a decorator of functions, coroutine functions, generators and async
    generators; see `SessionScope`. Inside another scope the inner id, name and user win, keys and metadata merge, and
    tags are united. As a decorator, any value may be a callable: it gets the arguments of the call. Values that the
    rules refuse are dropped, counted in `dropped_values()` and logged once.

    The session lives in the OpenTelemetry Context; see docs/context.md for where that is lost, and
    https://github.com/open-telemetry/opentelemetry-specification/pull/4931 for the coming standard way.

    Args:
        session_id: the value of `session.id`: str, int or UUID; printable US-ASCII, up to 200 characters. Or a whole
            `Session`, such as `Session.from_dict(...)` of a job; then the other arguments replace its fields.
        session_name: a name for people, up to 200 characters.
        user_id: the value of `user.id`; the same rule as for `session_id`.
        tags: any iterable of strings, at most 32 of up to 200 characters.
        metadata: up to 32 entries of str, bool, int or float.
        previous_id: the id of the session that this one continues, where threads rotate.
        keys: session keys whose names are parameters of this function; `None` as a value cuts an inherited key.
        baggage: also send the id, the keys and the user with outgoing calls, to third parties too.
        strict: raise instead of dropping; by default the environment variable `OTEL_SESSIONS_STRICT` decides.
        **session_keys: further session keys, such as `conversation_id="conv_1"`; at most five with the id.

    Raises:
        SessionValueError: in strict mode, for the first value that the rules refuse.

    Example:
        >>> from otel_sessions import current_session, propagate_sessions
        >>> with propagate_sessions("ticket-2611", user_id="user-a", conversation_id="conv-1"):
        ...     with propagate_sessions(agent_run=7):
        ...         print(current_session().values())
        {'id': 'ticket-2611', 'agent_run': '7', 'conversation_id': 'conv-1'}
        >>> @propagate_sessions(lambda ticket: ticket["id"])
        ... def handle(ticket):
        ...     return current_session().id
        >>> handle({"id": "ticket-2612"})
        'ticket-2612'
    """
    if (
        _PLAIN_TYPES.issuperset((type(session_id), type(user_id), type(session_name)))
        and tags is metadata is previous_id is keys is None
        and not session_keys
    ):
        try:
            return _Plain(_plain_session(session_id, user_id, session_name), strict=strict, baggage=baggage)
        except SessionValueError:  # counted, or raised, below
            pass
    fields: dict[str, object] = {
        "session_id": session_id,
        "session_name": session_name,
        "user_id": user_id,
        "tags": tags,
        "metadata": metadata,
        "previous_id": previous_id,
        "keys": keys,
        "session_keys": session_keys,
    }
    return _Propagated(fields, strict=strict, baggage=baggage)


def no_session() -> SessionScope:
    """A scope without a session, for a background job that is started inside a request.

    Its spans carry `session.cut`, so that they stay out of the sessions of their ancestors.

    Example:
        >>> from otel_sessions import current_session, no_session, propagate_sessions
        >>> with propagate_sessions("ticket-2611"), no_session():
        ...     print(current_session().id)
        None
    """
    return FixedScope(_NO_SESSION)


def current_session() -> Session:
    """The session in force, or an empty one, which is false.

    Example:
        >>> from otel_sessions import current_session, propagate_sessions
        >>> with propagate_sessions("ticket-2611"):
        ...     print(current_session().id)
        ticket-2611
        >>> bool(current_session())
        False
    """
    return session_in(get_current())


def update_session(
    session_id: object = None,
    *,
    session_name: object = None,
    user_id: object = None,
    tags: object = None,
    metadata: object = None,
    previous_id: object = None,
    keys: Mapping[str, object] | None = None,
    strict: bool | None = None,
    **session_keys: object,
) -> Session:
    """Change the session of the innermost scope until the scope ends, and return it.

    All tasks and threads that share the scope see the change. The fields merge as in an inner scope. The current span
    is updated; spans that have ended are not. Outside a scope nothing changes, which is counted and logged once: a
    session without a scope would leak into the next request on the same thread.

    Args:
        session_id: as for `propagate_sessions`, as all other arguments; callables are not accepted.
        session_name: a name for people.
        user_id: the value of `user.id`.
        tags: tags to add.
        metadata: entries to add or replace.
        previous_id: the id of the session that this one continues.
        keys: session keys whose names are parameters of this function; `None` as a value cuts a key.
        strict: raise instead of dropping.
        **session_keys: further session keys.

    Raises:
        SessionValueError: in strict mode, for the first value that the rules refuse, or outside a scope.

    Example:
        >>> from otel_sessions import current_session, propagate_sessions, update_session
        >>> with propagate_sessions("ticket-2611"):
        ...     session = update_session(session_name="Order #12345")
        ...     print(current_session().name)
        Order #12345
    """
    scope = scope_in(get_current())
    if scope is None or scope.ended:
        message = "update_session outside a session scope does nothing; enter propagate_sessions(...) first"
        drop(SessionValueError("update_session", "no_scope", message), strict=strict)
        return EMPTY
    fields: dict[str, object] = {
        "session_id": session_id,
        "session_name": session_name,
        "user_id": user_id,
        "tags": tags,
        "metadata": metadata,
        "previous_id": previous_id,
        "keys": keys,
        "session_keys": session_keys,
    }
    given = _checked(fields, strict)
    with changing:
        before = scope.session
        session = inner_session(before, given, known=_known_keys(scope), strict=strict)
        scope.replace(session)
    refresh_baggage(scope)
    write_on_span(functools.partial(restamp, before=before), get_current_span(), scope)
    return session


def bind_session(function: Callable[P, R]) -> Callable[P, R]:
    """The function with the current session in force whenever it is called, in any thread or task.

    For a bare thread, an executor or a callback, which start without the context of the caller. Outside a scope the
    function itself is returned.

    Example:
        >>> from concurrent.futures import ThreadPoolExecutor
        >>> from otel_sessions import bind_session, current_session, propagate_sessions
        >>> with ThreadPoolExecutor() as pool, propagate_sessions("ticket-2611"):
        ...     pool.submit(bind_session(lambda: current_session().id)).result()
        'ticket-2611'
    """
    scope = scope_in(get_current())
    if scope is None:
        return function
    return FixedScope(scope.session, baggage=scope.baggage)(function)


def _checked(fields: dict[str, Any], strict: bool | None) -> Given:
    try:
        session = fields["session_id"]
        if isinstance(session, Session):
            given = {name: value for name, value in fields.items() if value is not None and value is not session}
            fields = {**fields_of(session), **given}
        return check(**fields, strict=strict)
    except SessionValueError:
        raise
    except Exception as error:
        return unreadable(error, strict=strict)


def _merged(outer: Scope | None, given: Given, strict: bool | None) -> Session:
    if outer is None:
        return inner_session(EMPTY, given, strict=strict)
    return inner_session(outer.session, given, known=_known_keys(outer), strict=strict)


def _known_keys(scope: Scope) -> tuple[str, ...]:
    """The session keys of all scopes around, if the scope has none (`*`): an inner scope keeps those cut that it does not set."""
    if ALL_KEYS not in scope.session.cut:
        return ()
    return tuple(dict.fromkeys(key for outer in scope.chain() for key in outer.session.values()))


def _has_callables(fields: dict[str, Any]) -> bool:
    try:
        for value in fields.values():
            if value is None or type(value) is str:
                continue
            if callable(value) or (isinstance(value, Mapping) and any(map(callable, value.values()))):
                return True
    except Exception:  # the value raises when it is read, which the check counts
        return False
    return False


def _resolved(field: str, value: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The value that a callable returns; if it raises, an error that the check then counts or raises."""
    try:
        if callable(value):
            return value(*args, **kwargs)
        if isinstance(value, Mapping):
            return {name: _resolved(field, item, args, kwargs) for name, item in value.items()}
    except Exception as error:
        message = f"{field}: the callable raised {type(error).__name__}; it gets the arguments of the decorated call"
        refused = SessionValueError("session_keys" if field == "keys" else field, "raised", message)
        refused.__cause__ = error
        return refused
    return value
