"""`Resolver`: finds the session of a new span, log record or sampling decision in its context."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from opentelemetry import baggage as otel_baggage
from opentelemetry.context import Context, get_current

from otel_sessions.attributes import ALL_KEYS, SESSION_ID, SESSION_KEY_PREFIX, USER_ID
from otel_sessions.dialects.ambient import AMBIENT_KEYS, read_ambient
from otel_sessions.given import check
from otel_sessions.rules import DEFAULT_LIMITS, Limits
from otel_sessions.scopes import SPAN_KEY, scope_in, without_ended
from otel_sessions.session import EMPTY, Session, inner_session, plain_attributes
from otel_sessions.stamping import session_of

ACCEPT_BAGGAGE: Final = (SESSION_ID, SESSION_KEY_PREFIX + "*", USER_ID)
"""The baggage entries that are accepted by default."""


class Resolver:
    """Finds the session of a context; the sources and their order are those of `SessionSpanProcessor`."""

    def __init__(self, *, accept_baggage: Iterable[str] = ACCEPT_BAGGAGE, limits: Limits = DEFAULT_LIMITS) -> None:
        """Split the accepted names into exact ones and prefixes.

        Raises:
            TypeError: for a string.
        """
        if isinstance(accept_baggage, str):
            raise TypeError(f"accept_baggage is the string {accept_baggage!r}; pass a tuple of names")
        accepted = tuple(accept_baggage)
        self._names = frozenset(name for name in accepted if not name.endswith("*"))
        self._prefixes = tuple(name[:-1] for name in accepted if name.endswith("*"))
        self._baggage = bool(accepted)
        self._limits = limits

    def session(self, context: Context | None) -> Session:
        """The session of a context, by default the current one; the empty session if it has none."""
        if context is None:
            context = get_current()
        context = without_ended(context)
        scope = scope_in(context)
        return self.elsewhere(context) if scope is None else scope.session

    def elsewhere(self, context: Context) -> Session:
        """The session of a context without a scope, from its span, another SDK or the accepted baggage."""
        span = context.get(SPAN_KEY)
        if span is not None:
            session = session_of(span, limits=self._limits)
            if session is not EMPTY and (session or ALL_KEYS in session.cut):
                return session
            # A context that holds only a span has no baggage. Most spans of an app without sessions return here.
            if len(context) == 1:
                return EMPTY
        if not AMBIENT_KEYS.isdisjoint(context):
            session = read_ambient(context, limits=self._limits)
            if plain_attributes(session):
                return session
        if self._baggage:
            entries = otel_baggage.get_all(context)
            if entries:
                return self._from_baggage(entries)
        return EMPTY

    def _from_baggage(self, entries: Mapping[str, object]) -> Session:
        accepted = {
            name: value for name, value in entries.items() if name in self._names or name.startswith(self._prefixes)
        }
        given = check(
            session_id=accepted.get(SESSION_ID),
            user_id=accepted.get(USER_ID),
            keys={
                name.removeprefix(SESSION_KEY_PREFIX): value
                for name, value in accepted.items()
                if name.startswith(SESSION_KEY_PREFIX)
            },
            strict=False,
            limits=self._limits,
        )
        return inner_session(EMPTY, given._replace(cut=()), strict=False, limits=self._limits)
