"""The one key in the OpenTelemetry Context, and how scopes are entered and left.

A scope lives in the OpenTelemetry Context, which is a contextvar too, because instrumentors carry that one into threads;
a contextvar of our own would be lost there. Leaving a scope attaches a new context and never detaches a token: a token
belongs to the `contextvars.Context` that made it, and a generator, a task or the garbage collector may leave the scope
in another one, for which OpenTelemetry logs an error. Context-scoped attributes will replace this file when
opentelemetry-api has them: https://github.com/open-telemetry/opentelemetry-specification/pull/4931

Copies of a context outlive a scope: tasks and threads have one, and so has the callback of a connection that asyncio
resumed inside the scope, from which the next request on that connection starts. Which of them a copy is cannot be told.
So a scope that has ended stays in force where a trace goes on, that is below a span of this process, and nowhere else: a
new trace, a remote caller's request, and code outside every span get nothing of it, nor of its baggage.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from time import time_ns
from typing import Any, Final

from opentelemetry import baggage as otel_baggage
from opentelemetry.context import Context, attach, create_key, get_current, set_value
from opentelemetry.trace import INVALID_SPAN, Span, set_span_in_context

from otel_sessions.attributes import SESSION_ID, SESSION_KEY_PREFIX, USER_ID
from otel_sessions.session import EMPTY, AttributeValue, Session, plain_attributes

_MAX_DEPTH: Final = 32

SCOPE_KEY: Final = create_key("otel-sessions-scope")

(SPAN_KEY,) = set_span_in_context(INVALID_SPAN, Context())
"""The key of the current span: `get_current_span` does more work per span than is needed here."""


class Scope:
    """One entered scope. Only `update_session` changes its session."""

    __slots__ = ("attributes", "baggage", "depth", "ended", "entered", "outer", "owner", "restore", "session")

    def __init__(self, session: Session, outer: Scope | None, owner: object, *, baggage: bool) -> None:
        """Hold a session; `owner` is the object that will leave the scope."""
        self.session = session
        self.attributes: dict[str, AttributeValue] = plain_attributes(session)
        self.outer = outer
        self.owner = owner
        self.baggage = baggage
        self.restore: dict[str, object] | None = None
        self.entered = time_ns()
        self.ended = False
        self.depth = 0
        if outer is not None:
            self.depth = outer.depth + 1
            # A job that starts its successor inside its own scope would make the chain of scopes longer for ever.
            if self.depth > _MAX_DEPTH:
                self._prune()

    def replace(self, session: Session) -> None:
        """Put another session in force for every task and thread that shares this scope."""
        self.session = session
        self.attributes = plain_attributes(session)

    def _prune(self) -> None:
        for depth, scope in enumerate(self.chain()):
            if scope.ended:
                scope.outer = None
                self.depth = depth
                return

    def chain(self) -> Iterator[Scope]:
        """This scope and the ones around it, innermost first."""
        scope: Scope | None = self
        while scope is not None:
            yield scope
            scope = scope.outer


class _Sent(str):
    """A baggage value that a scope wrote, so that it is known from one that came with a request."""

    __slots__ = ("scope",)

    scope: Scope

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        """Pickle and copy as a plain string."""
        return str, (str(self),)


def _sent(value: object, scope: Scope) -> _Sent:
    sent = _Sent(value)
    sent.scope = scope
    return sent


def scope_in(context: Context) -> Scope | None:
    """The scope that is in force in a context: the innermost that has not ended, or that its current trace goes on in."""
    scope = context.get(SCOPE_KEY)
    if not isinstance(scope, Scope):
        return None
    return scope if not scope.ended or _in_a_trace(context) else _live(scope)


def without_ended(context: Context) -> Context:
    """The context without what scopes that have ended left in it, if a trace that starts in it would get any of it.

    If it is the current context, it is put right for all that follows.
    """
    scope = context.get(SCOPE_KEY)
    if not isinstance(scope, Scope) or not scope.ended or _in_a_trace(context):
        return context
    cleaned = _with_scope(context, _live(scope))
    entries = otel_baggage.get_all(cleaned)
    before = {name: value for name, value in entries.items() if is_ours(name)}
    wanted = {name: value for name, value in before.items() if not (isinstance(value, _Sent) and value.scope.ended)}
    live = scope_in(cleaned)
    if live is not None and live.baggage:
        # An inner scope had replaced these.
        wanted |= _values_to_send(live)
    if wanted != before:
        cleaned = _replace_baggage(cleaned, entries, wanted)
    if get_current() is context:
        attach(cleaned)
    return cleaned


def _in_a_trace(context: Context) -> bool:
    """Return True if a span that starts in this context has its parent in this process."""
    span = context.get(SPAN_KEY)
    if not isinstance(span, Span):
        return False
    parent = span.get_span_context()
    return parent.is_valid and not parent.is_remote


def _live(scope: Scope) -> Scope | None:
    """The innermost scope of the chain that has not ended."""
    return next((one for one in scope.chain() if not one.ended), None)


def _with_scope(context: Context, scope: Scope | None) -> Context:
    if scope is not None:
        return set_value(SCOPE_KEY, scope, context)
    return Context({key: value for key, value in context.items() if key != SCOPE_KEY})


def session_in(context: Context) -> Session:
    """The session in force in a context, or the empty one."""
    scope = scope_in(context)
    return EMPTY if scope is None else scope.session


def enter(scope: Scope, current: Context) -> None:
    """Put a scope in force in the current context."""
    context = set_value(SCOPE_KEY, scope, current)
    # A context that was empty has no baggage: the common case where no server span is open.
    attach(_with_baggage(context, scope) if current or scope.baggage else context)


def leave(owner: object) -> bool:
    """End the innermost scope that `owner` entered, and every scope inside it; return True if there was one.

    Nothing happens in a context where the scope is not in force: it never was, or it was left already. Everything else
    in the context stays, such as the current span.
    """
    current = get_current()
    innermost: Any = current.get(SCOPE_KEY)
    scope: Scope | None = innermost
    # Scopes inside this one that were never left end with it; each may have changed the baggage.
    restore: dict[str, object] | None = None
    while scope is not None:
        if scope.restore is not None:
            restore = scope.restore
        if scope.owner is owner:
            break
        scope = scope.outer
    else:
        return False
    scope.ended = True
    while innermost is not scope:
        innermost.ended = True
        innermost = innermost.outer
    if scope.outer is not None:
        context = set_value(SCOPE_KEY, scope.outer, current)
    else:
        context = Context({key: value for key, value in current.items() if key != SCOPE_KEY})
    if restore is not None:
        context = _replace_baggage(context, otel_baggage.get_all(context), restore)
    attach(context)
    return True


def refresh_baggage(scope: Scope) -> None:
    """Update the baggage after the session of the current scope was changed."""
    current = get_current()
    if scope_in(current) is scope:
        changed = _with_baggage(current, scope)
        if changed is not current:
            attach(changed)


def is_ours(name: object) -> bool:
    """Return True if a baggage entry is a session id, a session key or a user id."""
    return isinstance(name, str) and (name in (SESSION_ID, USER_ID) or name.startswith(SESSION_KEY_PREFIX))


def _with_baggage(context: Context, scope: Scope) -> Context:
    """The context with the baggage entries of the scope instead of those of the scopes around it.

    The id of another session must not be sent on: without `baggage=True` only entries that equal the scope's own stay.
    """
    entries = otel_baggage.get_all(context)
    if not entries and not scope.baggage:
        return context
    before = {name: value for name, value in entries.items() if is_ours(name)}
    values: Mapping[str, object] = scope.attributes
    if scope.baggage:
        wanted = _values_to_send(scope)
    else:
        wanted = {name: value for name, value in before.items() if values.get(name) == value}
    if wanted == before:
        return context
    if scope.restore is None:
        scope.restore = before
    return _replace_baggage(context, entries, wanted)


def _values_to_send(scope: Scope) -> dict[str, object]:
    return {name: _sent(value, scope) for name, value in scope.attributes.items() if is_ours(name)}


def _replace_baggage(context: Context, entries: Mapping[str, object], wanted: Mapping[str, object]) -> Context:
    """The context with `wanted` as its only entries of ours; they come first, because the propagator drops from the end."""
    others = {name: value for name, value in entries.items() if not is_ours(name)}
    context = otel_baggage.clear(context)
    for name, value in {**wanted, **others}.items():
        context = otel_baggage.set_baggage(name, value, context)
    return context
