"""`Session`: the value that a scope holds, and how an inner scope's values merge into an outer one's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
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

T = TypeVar("T")

_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


def _nothing() -> Mapping[str, Any]:
    return _NOTHING


@dataclass(frozen=True, slots=True)
class Session:
    """The session in force: its id, keys, name, user, tags and metadata. Falsy when it has none of them.

    Attributes:
        id: value of the default key, attribute `session.id`.
        keys: the other session keys and their values, by name.
        name: what people call the session.
        user_id: whose session it is, attribute `user.id`.
        tags: in the order they were given, outer scopes first.
        metadata: text, bool, int or float by name.
        previous_id: the session that this one continues.
        cut: session keys that must not be taken from an ancestor; `*` is all of them.
        plain_attributes: what `attributes` shows; for the library's own hot path, not to be changed.
    """

    id: str | None = None
    keys: Mapping[str, str] = field(default_factory=_nothing)
    name: str | None = None
    user_id: str | None = None
    tags: tuple[str, ...] = ()
    metadata: Mapping[str, MetadataValue] = field(default_factory=_nothing)
    previous_id: str | None = None
    cut: tuple[str, ...] = ()
    plain_attributes: dict[str, AttributeValue] = field(init=False, repr=False, compare=False)

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
        object.__setattr__(self, "plain_attributes", attributes)

    def __bool__(self) -> bool:
        """Whether there is anything to tell of; a cut alone is nothing."""
        return len(self.plain_attributes) > bool(self.cut)

    @property
    def attributes(self) -> Mapping[str, AttributeValue]:
        """The session as attributes of a span or a log record; read-only."""
        return MappingProxyType(self.plain_attributes)

    def __hash__(self) -> int:
        """Equal sessions hash alike."""
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
        """The value of a session key, `id` by default."""
        return self.id if key == ID_KEY else self.keys.get(key)

    def values(self) -> dict[str, str]:
        """Every session key with its value, `id` first."""
        return {**({} if self.id is None else {ID_KEY: self.id}), **self.keys}

    def inner(
        self, given: Given, *, known: Iterable[str] = (), strict: bool | None = None, limits: Limits = DEFAULT_LIMITS
    ) -> Session:
        """The session of a scope inside this one.

        The inner id, name and user win; keys and metadata merge, the inner ones first; tags are united, the outer
        ones first. A refused id, user id or keyed value does not fall back to the outer one.

        Args:
            given: what the inner scope was given.
            known: session keys of the scopes around this one, for a `*` that the inner scope ends.
            strict: whether surplus entries raise.
            limits: how many entries are kept.

        Raises:
            SessionValueError: in strict mode, for surplus keys, tags or metadata.
        """
        outer = EMPTY if ALL_KEYS in given.cut else self
        id_ = given.session_id or (None if ID_KEY in given.cut else outer.id)
        keys = outer.keys
        lost: list[str] = []
        if given.keys or given.cut:
            merged = {**given.keys, **{k: v for k, v in keys.items() if k not in given.keys and k not in given.cut}}
            keys = _first(merged, limits.session_keys - (id_ is not None), "session_keys", strict, lost)
        elif keys and id_ is not None and len(keys) >= limits.session_keys:
            keys = _first(keys, limits.session_keys - 1, "session_keys", strict, [])
        tags = outer.tags
        if given.tags:
            tags = tuple(_first(dict.fromkeys(tags + given.tags), limits.tags, "tags", strict, []))
        metadata = outer.metadata
        if given.metadata:
            metadata = _first(
                {**given.metadata, **{k: v for k, v in metadata.items() if k not in given.metadata}},
                limits.metadata,
                "metadata",
                strict,
                [],
            )
        cut = outer.cut
        if cut or given.cut or lost:
            not_inherited = (*cut, *given.cut)
            if ALL_KEYS in not_inherited and (given.session_id or given.keys):
                everything = (ID_KEY, *(self.values() if ALL_KEYS in given.cut else ()), *known)
                not_inherited = (*(name for name in not_inherited if name != ALL_KEYS), *everything)
            explicit = (name for name in lost if name in given.keys)
            names = dict.fromkeys((*not_inherited, *explicit))
            cut = tuple(name for name in names if name not in keys and (name != ID_KEY or id_ is None))
            if ALL_KEYS in cut:
                cut = (ALL_KEYS,)
        previous_id = given.previous_id or (outer.previous_id if id_ == outer.id else None)
        if previous_id is not None and previous_id == id_:
            drop(SessionValueError("previous_id", "same", SAME_PREVIOUS_ID), strict=strict)
            previous_id = None
        return Session(
            id_,
            keys,
            given.session_name if given.session_name is not None else outer.name,
            given.user_id or (None if given.user_refused else outer.user_id),
            tags,
            metadata,
            previous_id,
            cut,
        )

    def to_dict(self) -> dict[str, Any]:
        """The session as JSON can carry it, without what is empty: for the headers of a job queue.

        `Session.from_dict` reads it back.
        """
        parts: dict[str, Any] = {
            "session_id": self.id,
            "keys": dict(self.keys),
            "session_name": self.name,
            "user_id": self.user_id,
            "tags": list(self.tags),
            "metadata": dict(self.metadata),
            "previous_id": self.previous_id,
            "cut": list(self.cut),
        }
        return {name: part for name, part in parts.items() if part not in (None, {}, [])}

    @classmethod
    def from_dict(cls, data: object, *, strict: bool | None = None, limits: Limits = DEFAULT_LIMITS) -> Session:
        """The session that `to_dict` wrote, every value checked anew; what the rules refuse is dropped and counted.

        Raises:
            SessionValueError: in strict mode, for a refused value or for data that is not a mapping.
        """
        if not isinstance(data, Mapping):
            message = f"session: from_dict got {type(data).__name__}; pass what to_dict returned"
            drop(SessionValueError("session", "type", message), strict=strict)
            return EMPTY
        try:
            given = check(**{name: data.get(name) for name in _FIELDS}, strict=strict, limits=limits)
        except SessionValueError:
            raise
        except Exception as error:
            given = unreadable(error, strict=strict)
        return EMPTY.inner(given, strict=strict, limits=limits)


EMPTY: Final = Session()
_FIELDS: Final = ("session_id", "keys", "session_name", "user_id", "tags", "metadata", "previous_id", "cut")


def _first(entries: Mapping[str, T], allowed: int, field: str, strict: bool | None, lost: list[str]) -> Mapping[str, T]:
    """The first entries, as many as are allowed; the names of the others go to `lost`."""
    if len(entries) > allowed:
        lost.extend(list(entries)[allowed:])
        message = f"{field}: {len(entries)} entries, {allowed} are allowed; the last {len(lost)} are left out"
        drop(SessionValueError(field, "surplus", message), strict=strict)
        entries = dict(list(entries.items())[:allowed])
    return entries


def _restore(*parts: Any) -> Session:
    return Session(*parts)
