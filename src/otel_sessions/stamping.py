"""Writing a session on a span, and reading it back.

A span that is open when a scope is entered, such as the server span of a framework, gets the scope's session late. If
another scope with another value is then entered under the same span, the span belongs to neither session, and
`session.cut` takes it out. For each span that got its session late, the scope is remembered while the span is alive.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple
from weakref import WeakKeyDictionary, ref

from opentelemetry.trace import Span

from otel_sessions.attributes import (
    ALL_KEYS,
    ID_KEY,
    SESSION_CUT,
    SESSION_ID,
    SESSION_KEY_PREFIX,
    SESSION_METADATA_PREFIX,
    SESSION_NAME,
    SESSION_PREVIOUS_ID,
    SESSION_TAGS,
    USER_ID,
    attribute_of,
    is_session_name,
)
from otel_sessions.forking import ForkSafeLock
from otel_sessions.given import check, check_cut
from otel_sessions.rules import DEFAULT_LIMITS, Limits
from otel_sessions.scopes import Scope
from otel_sessions.session import EMPTY, AttributeValue, Session, inner_session
from otel_sessions.stamped_sessions import stamped_sessions
from otel_sessions.value_limits import fitting, value_limit


class _Late(NamedTuple):
    """The session values that a scope wrote on a span that was open before the scope."""

    scope: Scope
    values: dict[str, str]


_late: Final[WeakKeyDictionary[Span, _Late]] = WeakKeyDictionary()
_without_id: Final[dict[int, tuple[Session, ref[Span]]]] = {}
"""The sessions of spans without `session.id`, by the `id()` of the span and while it is alive: a child finds the session of
its parent here, without a search through all attributes."""

changing: Final = ForkSafeLock()
"""Held while the session of a span or a shared scope changes."""


def attributes_of(span: Span) -> Mapping[str, Any] | None:
    """The attributes of a span so far; `None` for a span that does not have them, such as a remote parent."""
    attributes: Mapping[str, Any] | None = getattr(span, "attributes", None)
    return attributes


def missing(attributes: Mapping[str, AttributeValue], present: Mapping[str, Any]) -> Mapping[str, AttributeValue]:
    """The attributes that are not present yet."""
    taken = present.copy() if isinstance(present, MappingProxyType) else dict(present)
    if SESSION_CUT in attributes:
        attributes = _without_own_keys(attributes, taken)
    return {name: value for name, value in attributes.items() if name not in taken}


def _without_own_keys(
    attributes: Mapping[str, AttributeValue], taken: Mapping[str, Any]
) -> Mapping[str, AttributeValue]:
    """The attributes with the cut reduced to keys that the span does not set: a cut is for inherited values only."""
    cut: Any = attributes[SESSION_CUT]
    if has_session(taken):
        cut = tuple(key for key in cut if key != ALL_KEYS and attribute_of(key) not in taken)
    rest = {name: value for name, value in attributes.items() if name != SESSION_CUT}
    return {**rest, SESSION_CUT: cut} if cut else rest


def _is_settled(attributes: Mapping[str, Any]) -> bool:
    """Return True if a span has a session, or was taken out of one."""
    own = attributes.copy() if isinstance(attributes, MappingProxyType) else attributes
    return SESSION_ID in own or SESSION_CUT in own or has_session(own)


def has_session(attributes: Mapping[str, Any]) -> bool:
    """Return True if there is a session id or a session key among the attributes."""
    return any(map(is_session_name, attributes))


def remember(span: Span) -> None:
    """Remember the session of a span without `session.id`, so that its children find it."""
    present = attributes_of(span)
    if present and SESSION_ID not in present:
        key = id(span)
        _without_id[key] = (read_session(present), ref(span, lambda _: _without_id.pop(key, None)))


def stamp_on_entry(span: Span, scope: Scope) -> None:
    """Write the session of a scope that is entered on the current span, or take that span out of contradicting sessions."""
    if not span.is_recording():
        return
    present = attributes_of(span)
    # Most scopes are entered under a span that has its session from its start; they need no lock.
    if _late.get(span) is None and (present is None or _is_settled(present)):
        return
    with changing:
        late = _late.get(span)
        if late is not None:
            if late.scope not in scope.chain():
                _cut(span, late, scope.session)
            return
        present = attributes_of(span) or {}
        if _is_settled(present):
            return
        attributes = missing(_fitting(span, scope.attributes), present)
        attributes = {name: value for name, value in attributes.items() if name != SESSION_CUT}
        span.set_attributes(attributes)
        stamped_sessions.keep(span, attributes)
        values = scope.session.values()
        if values:
            _late[span] = _Late(scope, values)
            if ID_KEY not in values:
                remember(span)


def _cut(span: Span, late: _Late, session: Session) -> None:
    """Take the span out of the sessions that a sibling scope contradicts."""
    contradicted = [
        key for key, value in late.values.items() if session.value(key) is not None and session.value(key) != value
    ]
    if not contradicted:
        return
    present = attributes_of(span) or {}
    cut = tuple(dict.fromkeys((*present.get(SESSION_CUT, ()), *contradicted)))
    span.set_attribute(SESSION_CUT, cut)
    stamped_sessions.keep(span, {SESSION_CUT: cut})
    for key in contradicted:
        del late.values[key]
    remember(span)


def restamp(span: Span, scope: Scope, before: Session) -> None:
    """Update the current span after `update_session`, if its session is this scope's.

    That is a span without a session, one that got the scope's session late, and one that started in the scope. Only
    attributes that are missing, or that the scope itself wrote, change.
    """
    if not span.is_recording():
        return
    with changing:
        late = _late.get(span)
        present = attributes_of(span)
        if present is None:
            return
        is_own = _started_in(span, scope) and _carries(present, before) if late is None else late.scope is scope
        if not is_own:
            stamp_on_entry(span, scope)
            return
        changed: Mapping[str, Any] = {
            name: value
            for name, value in scope.attributes.items()
            if name != SESSION_CUT
            and (name not in present or (name in before.attributes and present[name] == before.attributes[name]))
            and present.get(name) != value
        }
        if changed:
            changed = _fitting(span, changed)
            if SESSION_CUT in changed:
                cut: Any = (*present.get(SESSION_CUT, ()), *changed[SESSION_CUT])  # type: ignore[misc]
                changed = {**changed, SESSION_CUT: tuple(dict.fromkeys(cut))}
            span.set_attributes(changed)
            stamped_sessions.keep(span, changed)
        if late is not None:
            values = scope.session.values()
            late.values.update({key: value for key, value in values.items() if attribute_of(key) in changed})
        remember(span)


def _fitting(span: Span, attributes: Mapping[str, AttributeValue]) -> Mapping[str, AttributeValue]:
    limit = value_limit(span)
    return attributes if limit is None else fitting(attributes, limit)


def _started_in(span: Span, scope: Scope) -> bool:
    """Return True if a span started after the scope was entered."""
    start: int | None = getattr(span, "start_time", None)
    return start is not None and start >= scope.entered


def _carries(attributes: Mapping[str, Any], session: Session) -> bool:
    """Return True if a session has keys and a span carries exactly those."""
    own = {name: value for name, value in attributes.items() if is_session_name(name)}
    return bool(own) and own == {attribute_of(key): value for key, value in session.values().items()}


def session_of(span: object, *, limits: Limits = DEFAULT_LIMITS) -> Session:
    """The session that a span carries and its children inherit, without the keys that it was cut from."""
    # This runs for every span of an app without sessions: as few calls as possible.
    attributes = getattr(span, "attributes", None)
    if attributes is not None:
        own = attributes.copy() if type(attributes) is MappingProxyType else dict(attributes)
        if SESSION_ID in own:
            return read_session(own, limits=limits)
    kept = _without_id.get(id(span))
    return EMPTY if kept is None else kept[0]


def read_session(attributes: Mapping[str, Any], *, limits: Limits = DEFAULT_LIMITS) -> Session:
    """The session in the attributes of a span, checked by the rules, without the keys that the span was cut from."""
    keys: dict[str, object] = {}
    metadata: dict[str, object] = {}
    for name, value in attributes.items():
        if name.startswith(SESSION_KEY_PREFIX):
            keys[name.removeprefix(SESSION_KEY_PREFIX)] = value
        elif name.startswith(SESSION_METADATA_PREFIX):
            metadata[name.removeprefix(SESSION_METADATA_PREFIX)] = value
    cut = check_cut(attributes.get(SESSION_CUT, ()), strict=False, limits=limits)
    id_ = attributes.get(SESSION_ID)
    if cut:
        everything = ALL_KEYS in cut
        keys = {} if everything else {name: value for name, value in keys.items() if name not in cut}
        id_ = None if everything or ID_KEY in cut else id_
    given = check(
        session_id=id_,
        session_name=attributes.get(SESSION_NAME),
        user_id=attributes.get(USER_ID),
        previous_id=attributes.get(SESSION_PREVIOUS_ID),
        tags=attributes.get(SESSION_TAGS),
        metadata=metadata,
        keys=keys,
        strict=False,
        limits=limits,
    )
    return inner_session(EMPTY, given._replace(cut=cut), strict=False, limits=limits)
