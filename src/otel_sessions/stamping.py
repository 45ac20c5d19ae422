"""How a session gets onto a span, and how it is read back from one.

A span that is open when a scope is entered, such as the server span of a framework, takes the scope's session late.
If a sibling scope with another value is entered under it, it turns out to be in neither session: `session.cut` says
so. What was stamped late, and by which scope, is kept beside the span for as long as the span lives.
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
)
from otel_sessions.forking import ForkSafeLock
from otel_sessions.given import check, check_cut
from otel_sessions.rules import DEFAULT_LIMITS, Limits
from otel_sessions.scopes import Scope
from otel_sessions.session import EMPTY, AttributeValue, Session, inner_session


class _Late(NamedTuple):
    """What a scope wrote on a span that was open before it."""

    scope: Scope
    values: dict[str, str]


_late: Final[WeakKeyDictionary[Span, _Late]] = WeakKeyDictionary()
_without_id: Final[dict[int, tuple[Session, ref[Span]]]] = {}
"""Stamped spans without `session.id`, by their `id()` and for as long as they live: a child finds its parent's session
here, not by a search through all attributes."""

changing: Final = ForkSafeLock()
"""Held while a span or a shared scope goes from one session to another."""


def attributes_of(span: Span) -> Mapping[str, Any] | None:
    """The attributes a span has so far; `None` for a span that does not show them, a remote parent for one."""
    attributes: Mapping[str, Any] | None = getattr(span, "attributes", None)
    return attributes


def missing(attributes: Mapping[str, AttributeValue], present: Mapping[str, Any]) -> Mapping[str, AttributeValue]:
    """Those of the attributes that are not present yet."""
    taken = present.copy() if isinstance(present, MappingProxyType) else dict(present)
    if SESSION_CUT in attributes:
        attributes = _without_own_keys(attributes, taken)
    return {name: value for name, value in attributes.items() if name not in taken}


def _without_own_keys(
    attributes: Mapping[str, AttributeValue], taken: Mapping[str, Any]
) -> Mapping[str, AttributeValue]:
    """A scope cuts what would be inherited; a value that the span was started with is its own and stays in force."""
    cut: Any = attributes[SESSION_CUT]
    if has_session(taken):
        cut = tuple(key for key in cut if key != ALL_KEYS and attribute_of(key) not in taken)
    rest = {name: value for name, value in attributes.items() if name != SESSION_CUT}
    return {**rest, SESSION_CUT: cut} if cut else rest


def _is_settled(attributes: Mapping[str, Any]) -> bool:
    """Whether a span has a session, or was taken out of one."""
    own = attributes.copy() if isinstance(attributes, MappingProxyType) else attributes
    return SESSION_ID in own or SESSION_CUT in own or has_session(own)


def has_session(attributes: Mapping[str, Any]) -> bool:
    """Whether there is a session id or any session key among the attributes."""
    return any(name == SESSION_ID or name.startswith(SESSION_KEY_PREFIX) for name in attributes)


def remember(span: Span) -> None:
    """Keep the session of a stamped span without `session.id` where its children find it."""
    present = attributes_of(span)
    if present and SESSION_ID not in present:
        key = id(span)
        _without_id[key] = (read_session(present), ref(span, lambda _: _without_id.pop(key, None)))


def stamp_on_entry(span: Span, scope: Scope) -> None:
    """Give the span that is current when a scope is entered the scope's session, or take it out of all sessions."""
    if not span.is_recording():
        return
    present = attributes_of(span)
    # Most scopes are entered under a span that has its session from its start; they get by without the lock.
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
        span.set_attributes(missing({k: v for k, v in scope.attributes.items() if k != SESSION_CUT}, present))
        values = scope.session.values()
        if values:
            _late[span] = _Late(scope, values)
            if ID_KEY not in values:
                remember(span)


def _cut(span: Span, late: _Late, session: Session) -> None:
    """Take the span out of those sessions that a sibling scope contradicts."""
    contradicted = [
        key for key, value in late.values.items() if session.value(key) is not None and session.value(key) != value
    ]
    if not contradicted:
        return
    present = attributes_of(span) or {}
    span.set_attribute(SESSION_CUT, tuple(dict.fromkeys((*present.get(SESSION_CUT, ()), *contradicted))))
    for key in contradicted:
        del late.values[key]
    remember(span)


def restamp(span: Span, scope: Scope, before: Session) -> None:
    """Bring the current span up to date after `update_session`, if its session is this scope's.

    That is a span without a session, one that the scope stamped late, and one that started in the scope. Only what
    is missing or what the scope itself wrote changes.
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
        changed = {
            name: value
            for name, value in scope.attributes.items()
            if name != SESSION_CUT
            and (name not in present or (name in before.attributes and present[name] == before.attributes[name]))
            and present.get(name) != value
        }
        if changed:
            span.set_attributes(changed)
        if late is not None:
            values = scope.session.values()
            late.values.update({key: value for key, value in values.items() if attribute_of(key) in changed})
        remember(span)


def _started_in(span: Span, scope: Scope) -> bool:
    """Whether a current span is younger than the scope it is current in."""
    start: int | None = getattr(span, "start_time", None)
    return start is not None and start >= scope.entered


def _carries(attributes: Mapping[str, Any], session: Session) -> bool:
    """Whether a span carries exactly the keys of a session that has some."""
    own = {
        name: value for name, value in attributes.items() if name == SESSION_ID or name.startswith(SESSION_KEY_PREFIX)
    }
    return bool(own) and own == {attribute_of(key): value for key, value in session.values().items()}


def session_of(span: object, *, limits: Limits = DEFAULT_LIMITS) -> Session:
    """The session that a span itself carries and lends to its children: what it was not cut from."""
    # Every span of an app without sessions comes by here: as few calls as can be.
    attributes = getattr(span, "attributes", None)
    if attributes is not None:
        own = attributes.copy() if type(attributes) is MappingProxyType else dict(attributes)
        if SESSION_ID in own:
            return read_session(own, limits=limits)
    kept = _without_id.get(id(span))
    return EMPTY if kept is None else kept[0]


def read_session(attributes: Mapping[str, Any], *, limits: Limits = DEFAULT_LIMITS) -> Session:
    """The session in a span's `session.*` and `user.id` attributes, checked by the rules, without the keys it was cut from."""
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
