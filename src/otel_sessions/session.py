"""`Session`: the value that a scope holds; `inner_session`: how the fields of a scope merge into the session around it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from operator import attrgetter
from types import MappingProxyType
from typing import Any, Final, TypeVar

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
)
from otel_sessions.drops import SessionValueError, drop
from otel_sessions.given import SAME_PREVIOUS_ID, Given, check, unreadable
from otel_sessions.rules import DEFAULT_LIMITS, Limits, MetadataValue

AttributeValue = str | bool | int | float | tuple[str, ...]
"""The value of an attribute that a session writes on a span or a log record."""

T = TypeVar("T")

_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


def _nothing() -> Mapping[str, Any]:
    return _NOTHING


@dataclass(frozen=True, slots=True)
class Session:
    """A session as a scope holds it: its id, keys, name, user, tags and metadata; false if it has none of them.

    Attributes:
        id: the value of the default key, attribute `session.id`.
        keys: the values of the other session keys, by key; attributes `session.key.<key>`.
        name: a name for people, attribute `session.name`.
        user_id: the user, attribute `user.id`.
        tags: in the order in which they were given, those of outer scopes first; attribute `session.tags`.
        metadata: values by name; attributes `session.metadata.<name>`.
        previous_id: the id of the session that this one continues, attribute `session.previous_id`.
        cut: session keys that a span must not take from its ancestors, `*` for all keys; attribute `session.cut`.

    Example:
        >>> from otel_sessions import current_session, propagate_sessions
        >>> with propagate_sessions("ticket-2611", user_id="user-a", tags=["support"], attempt=2):
        ...     session = current_session()
        >>> session.id, session.value("attempt"), session.tags
        ('ticket-2611', '2', ('support',))
        >>> dict(session.attributes)["session.key.attempt"]
        '2'
    """

    id: str | None = None
    keys: Mapping[str, str] = field(default_factory=_nothing)
    name: str | None = None
    user_id: str | None = None
    tags: tuple[str, ...] = ()
    metadata: Mapping[str, MetadataValue] = field(default_factory=_nothing)
    previous_id: str | None = None
    cut: tuple[str, ...] = ()
    _attributes: dict[str, AttributeValue] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Freeze the mappings and lay out the attributes once; `session.id` first."""
        if type(self.keys) is not MappingProxyType:
            object.__setattr__(self, "keys", MappingProxyType(dict(self.keys)))
        if type(self.metadata) is not MappingProxyType:
            object.__setattr__(self, "metadata", MappingProxyType(dict(self.metadata)))
        attributes: dict[str, AttributeValue] = {}
        if self.id is not None:
            attributes[SESSION_ID] = self.id
        if self.keys:
            for name, value in self.keys.items():
                attributes[SESSION_KEY_PREFIX + name] = value
        if self.user_id is not None:
            attributes[USER_ID] = self.user_id
        if self.name is not None:
            attributes[SESSION_NAME] = self.name
        if self.previous_id is not None:
            attributes[SESSION_PREVIOUS_ID] = self.previous_id
        if self.tags:
            attributes[SESSION_TAGS] = self.tags
        if self.metadata:
            for name, scalar in self.metadata.items():
                attributes[SESSION_METADATA_PREFIX + name] = scalar
        if self.cut:
            attributes[SESSION_CUT] = self.cut
        object.__setattr__(self, "_attributes", attributes)

    def __bool__(self) -> bool:
        """Return True if any field but `cut` is set."""
        return len(self._attributes) > bool(self.cut)

    @property
    def attributes(self) -> Mapping[str, AttributeValue]:
        """The session as attributes of a span or a log record; read-only."""
        return MappingProxyType(self._attributes)

    def __hash__(self) -> int:
        """Equal sessions have equal hashes."""
        return hash((self.id, self.user_id, self.name, frozenset(self.keys.items())))

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle and copy by value; a mapping proxy cannot be pickled."""
        return _restore, (
            self.id,
            dict(self.keys),
            self.name,
            self.user_id,
            self.tags,
            dict(self.metadata),
            self.previous_id,
            self.cut,
        )

    def value(self, key: str = ID_KEY) -> str | None:
        """The value of a session key, `id` by default; `None` without one."""
        return self.id if key == ID_KEY else self.keys.get(key)

    def values(self) -> dict[str, str]:
        """Every session key with its value, `id` first."""
        return {**({} if self.id is None else {ID_KEY: self.id}), **self.keys}

    def to_dict(self) -> dict[str, Any]:
        """The session as JSON can carry it, for example in the headers of a job; empty fields are left out.

        `Session.from_dict` reads it back.
        """
        parts = {
            name: dict(value) if isinstance(value, Mapping) else list(value) if isinstance(value, tuple) else value
            for name, value in fields_of(self).items()
        }
        return {name: part for name, part in parts.items() if part not in (None, {}, [])}

    @classmethod
    def from_dict(cls, data: object, *, strict: bool | None = None, limits: Limits = DEFAULT_LIMITS) -> Session:
        """The session that `to_dict` wrote. Every value is checked again; what the rules refuse is dropped and counted.

        Args:
            data: a mapping such as `to_dict` returns; unknown names in it are ignored.
            strict: raise instead of dropping; by default the environment variable `OTEL_SESSIONS_STRICT` decides.
            limits: lengths and numbers that are accepted.

        Raises:
            SessionValueError: in strict mode, for a refused value or for data that is not a mapping.
        """
        if not isinstance(data, Mapping):
            message = f"session: from_dict got {type(data).__name__}; pass what to_dict returned"
            drop(SessionValueError("session", "type", message), strict=strict)
            return EMPTY
        try:
            given = check(**{name: data.get(name) for name in fields_of(EMPTY)}, strict=strict, limits=limits)
        except SessionValueError:
            raise
        except Exception as error:
            given = unreadable(error, strict=strict)
        return inner_session(EMPTY, given, strict=strict, limits=limits)


EMPTY: Final = Session()

plain_attributes: Final[Callable[[Session], dict[str, AttributeValue]]] = attrgetter("_attributes")
"""The same as `Session.attributes` without the protection against changes: per span, and only to be read."""


def fields_of(session: Session) -> dict[str, Any]:
    """The fields of a session under the names that `check` takes and `to_dict` writes."""
    return {
        "session_id": session.id,
        "keys": session.keys,
        "session_name": session.name,
        "user_id": session.user_id,
        "tags": session.tags,
        "metadata": session.metadata,
        "previous_id": session.previous_id,
        "cut": session.cut,
    }


def inner_session(
    outer: Session,
    given: Given,
    *,
    known: Iterable[str] = (),
    strict: bool | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> Session:
    """The session of a scope that was given `given` inside a scope whose session is `outer`.

    The given id, name and user win. Keys and metadata merge, the given ones first. Tags are united, the outer ones
    first. A refused id, user id or keyed value is not replaced by the outer one.

    Args:
        outer: the session around the scope; the empty one outside every scope.
        given: what the scope was given, checked.
        known: the session keys of all scopes around, which replace a `*` of `outer.cut` if the scope sets a key.
        strict: raise for surplus entries instead of dropping them.
        limits: how many entries are kept.

    Raises:
        SessionValueError: in strict mode, for surplus keys, tags or metadata.
    """
    # The values could not be read, or come from a no_session() in another process: nothing is inherited.
    inherited = EMPTY if ALL_KEYS in given.cut else outer
    # A refused id, and `keys={"id": None}`, leave no id: the outer one would be the wrong session.
    id_ = given.session_id or (None if ID_KEY in given.cut else inherited.id)
    keys, lost = _merged_keys(inherited.keys, given, limits.session_keys - (id_ is not None), strict)
    tags = inherited.tags
    if given.tags:
        tags = tuple(_first(dict.fromkeys(tags + given.tags), limits.tags, "tags", strict)[0])
    metadata = inherited.metadata
    if given.metadata:
        metadata, _ = _first(_given_first(given.metadata, metadata), limits.metadata, "metadata", strict)
    cut = inherited.cut
    if cut or given.cut or lost:
        cut = _merged_cut(outer, given, (*cut, *given.cut), lost, known)
        # A key that has a value is in force again: keys={"run": None} outside, run=7 inside.
        cut = tuple(name for name in cut if name not in keys and (name != ID_KEY or id_ is None))
        # `*` covers all other names: ("run", "*") is ("*",).
        cut = (ALL_KEYS,) if ALL_KEYS in cut else cut
    # The session that the outer one continues is not the one that another id continues.
    previous_id = given.previous_id or (inherited.previous_id if id_ == inherited.id else None)
    if previous_id is not None and previous_id == id_:
        drop(SessionValueError("previous_id", "same", SAME_PREVIOUS_ID), strict=strict)
        previous_id = None
    return Session(
        id_,
        keys,
        given.session_name if given.session_name is not None else inherited.name,
        given.user_id or (None if given.user_refused else inherited.user_id),
        tags,
        metadata,
        previous_id,
        cut,
    )


def _merged_keys(
    inherited: Mapping[str, str], given: Given, allowed: int, strict: bool | None
) -> tuple[Mapping[str, str], list[str]]:
    """The session keys beside the id, and the names of those that were lost because only `allowed` are kept."""
    if given.cut:
        # Outside ticket=1, run=1; inside keys={"run": None}: {"ticket": "1"}.
        inherited = {name: value for name, value in inherited.items() if name not in given.cut}
    if given.keys:
        inherited = _given_first(given.keys, inherited)
    # Outside five keys without an id; inside an id, which takes the place of the fifth.
    return _first(inherited, allowed, "session_keys", strict)


def _merged_cut(
    outer: Session, given: Given, cut: tuple[str, ...], lost: list[str], known: Iterable[str]
) -> tuple[str, ...]:
    """The session keys that spans must not take from an ancestor, before those that have a value are taken out."""
    if ALL_KEYS in cut and (given.session_id or given.keys):
        # In no_session() inside ticket=1, run=1, a scope sets ticket=2: `*` would also take its spans out of ticket 2.
        # All keys that an ancestor can have are named instead: ("id", "ticket", "run"), of which `ticket` has a value.
        names = (ID_KEY, *(outer.values() if ALL_KEYS in given.cut else ()), *known)
        cut = (*(name for name in cut if name != ALL_KEYS), *names)
    # Outside run=1; inside six keys, the last of them run=2, which is lost: without a cut its spans would count in run 1.
    return tuple(dict.fromkeys((*cut, *(name for name in lost if name in given.keys))))


def _given_first(given: Mapping[str, T], inherited: Mapping[str, T]) -> dict[str, T]:
    return {**given, **{name: value for name, value in inherited.items() if name not in given}}


def _first(
    entries: Mapping[str, T], allowed: int, field: str, strict: bool | None
) -> tuple[Mapping[str, T], list[str]]:
    """The first `allowed` entries, and the names of the others."""
    if len(entries) <= allowed:
        return entries, []
    lost = list(entries)[allowed:]
    message = f"{field}: {len(entries)} entries, {allowed} are allowed; the last {len(lost)} are left out"
    drop(SessionValueError(field, "surplus", message), strict=strict)
    return dict(list(entries.items())[:allowed]), lost


def _restore(*parts: Any) -> Session:
    return Session(*parts)
