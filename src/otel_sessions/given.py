"""`Given`: the fields that a scope was given, checked by the rules and not yet merged into the scope around it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Final, NamedTuple

from otel_sessions import rules
from otel_sessions.attributes import ALL_KEYS, ID_KEY
from otel_sessions.drops import SessionValueError, drop
from otel_sessions.rules import DEFAULT_LIMITS, Limits, MetadataValue

_LOOKED_AT: Final = 1_000
"""Items examined of one iterable or mapping: a generator may never end."""


class Given(NamedTuple):
    """Values that passed the rules; `None` and empty mean "not given".

    Attributes:
        cut: session keys given as `None` in `keys=`, and those whose value was refused: neither may come from an
            outer scope.
        user_refused: a user id was given and refused, so the one of the outer scope must not be used either.
    """

    session_id: str | None = None
    session_name: str | None = None
    user_id: str | None = None
    previous_id: str | None = None
    tags: tuple[str, ...] = ()
    metadata: Mapping[str, MetadataValue] = {}
    keys: Mapping[str, str] = {}
    cut: tuple[str, ...] = ()
    user_refused: bool = False


SAME_PREVIOUS_ID: Final = "previous_id is the session id itself; pass the id of the session before it"


def check(
    *,
    session_id: object = None,
    session_name: object = None,
    user_id: object = None,
    previous_id: object = None,
    tags: object = None,
    metadata: object = None,
    keys: object = None,
    session_keys: Mapping[str, object] | None = None,
    cut: object = None,
    strict: bool | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> Given:
    """The arguments that the rules accept; the others are dropped one by one and counted.

    Raises:
        SessionValueError: in strict mode, for the first refused value.
    """
    not_inherited: list[str] = [] if cut is None else list(check_cut(cut, strict=strict, limits=limits))
    checked_id = checked_user = checked_previous = checked_name = None
    user_refused = False
    if session_id is not None:
        try:
            checked_id = rules.session_id(session_id, limits=limits)
        except SessionValueError as error:
            drop(error, strict=strict)
            not_inherited.append(ID_KEY)
    if user_id is not None:
        try:
            checked_user = rules.user_id(user_id, limits=limits)
        except SessionValueError as error:
            drop(error, strict=strict)
            user_refused = True
    if previous_id is not None:
        try:
            checked_previous = rules.session_id(previous_id, field="previous_id", limits=limits)
        except SessionValueError as error:
            drop(error, strict=strict)
    if session_name is not None:
        try:
            checked_name = rules.text(session_name, field="session_name", limits=limits)
        except SessionValueError as error:
            drop(error, strict=strict)
    checked_keys: dict[str, str] = {}
    if keys is not None:
        _check_keys(keys, checked_keys, not_inherited, strict, limits)
    if session_keys:
        _check_keys(
            {name: value for name, value in session_keys.items() if value is not None},
            checked_keys,
            not_inherited,
            strict,
            limits,
        )
    return Given(
        checked_id,
        checked_name,
        checked_user,
        checked_previous,
        () if tags is None else _check_tags(tags, strict, limits),
        {} if metadata is None else _check_metadata(metadata, strict, limits),
        checked_keys,
        tuple(name for name in dict.fromkeys(not_inherited) if name not in checked_keys),
        user_refused,
    )


def unreadable(error: Exception, *, strict: bool | None = None) -> Given:
    """The fields of a scope whose values raise when they are read: no session, not even an outer one. Counted.

    Raises:
        SessionValueError: in strict mode.
    """
    message = f"all values of a session: reading them raised {type(error).__name__}; pass plain values"
    drop(SessionValueError("session", "raised", message), strict=strict)
    return Given(cut=(ALL_KEYS,), user_refused=True)


def check_cut(names: object, *, strict: bool | None = None, limits: Limits = DEFAULT_LIMITS) -> tuple[str, ...]:
    """The names in a `session.cut` that are session keys, `id` or `*`; others are dropped and counted.

    Raises:
        SessionValueError: in strict mode, for the first refused name.
    """
    accepted: list[str] = []
    for name in _items(names, "cut", strict):
        if name in (ID_KEY, ALL_KEYS):
            accepted.append(name)
            continue
        try:
            accepted.append(rules.key(name, field="cut", limits=limits))
        except SessionValueError as error:
            drop(error, strict=strict)
    return tuple(dict.fromkeys(accepted))


def _check_keys(keys: object, accepted: dict[str, str], cut: list[str], strict: bool | None, limits: Limits) -> None:
    for name, value in _entries(keys, "session_keys", strict):
        try:
            key = ID_KEY if name == ID_KEY and value is None else rules.key(name, limits=limits)
        except SessionValueError as error:
            drop(error, strict=strict)
            continue
        if value is None:
            cut.append(key)
            continue
        try:
            accepted[key] = rules.keyed_value(value, limits=limits)
        except SessionValueError as error:
            drop(error, strict=strict)
            cut.append(key)


def _check_tags(tags: object, strict: bool | None, limits: Limits) -> tuple[str, ...]:
    accepted: dict[str, None] = {}
    for tag in _items(tags, "tags", strict):
        if tag is None:
            continue
        try:
            text = rules.text(tag, field="tags", limits=limits)
            if len(accepted) >= limits.tags and text not in accepted:
                raise _surplus("tags", limits.tags)
        except SessionValueError as error:
            drop(error, strict=strict)
            if error.reason == "surplus":
                break
        else:
            accepted[text] = None
    return tuple(accepted)


def _check_metadata(metadata: object, strict: bool | None, limits: Limits) -> dict[str, MetadataValue]:
    accepted: dict[str, MetadataValue] = {}
    for name, value in _entries(metadata, "metadata", strict):
        if value is None:
            continue
        try:
            key = rules.key(name, field="metadata", limits=limits)
            checked = rules.metadata_value(value, limits=limits)
            if len(accepted) >= limits.metadata and key not in accepted:
                raise _surplus("metadata", limits.metadata)
        except SessionValueError as error:
            drop(error, strict=strict)
        else:
            accepted[key] = checked
    return accepted


def _surplus(field: str, allowed: int) -> SessionValueError:
    return SessionValueError(field, "surplus", f"{field}: more than {allowed} entries; the surplus is left out")


def _items(values: object, field: str, strict: bool | None) -> Iterator[Any]:
    """The items of an iterable that is not a string; an exception of the iterable ends them and is counted."""
    if isinstance(values, str | bytes | bytearray) or not isinstance(values, Iterable):
        drop(rules.wrong_type(field, values, "a list of strings"), strict=strict)
        return
    yield from _guarded(values, field, strict)


def _entries(mapping: object, field: str, strict: bool | None) -> Iterator[tuple[Any, Any]]:
    if not isinstance(mapping, Mapping):
        drop(rules.wrong_type(field, mapping, "a mapping"), strict=strict)
        return
    for name in _guarded(mapping, field, strict):
        try:
            value = mapping[name]
        except Exception as error:
            drop(_raised(field, error), strict=strict)
        else:
            yield name, value


def _guarded(values: Iterable[Any], field: str, strict: bool | None) -> Iterator[Any]:
    iterator = islice(_iterate(values), _LOOKED_AT)
    while True:
        try:
            item = next(iterator)
        except StopIteration:
            return
        except Exception as error:
            drop(_raised(field, error), strict=strict)
            return
        yield item


def _iterate(values: Iterable[Any]) -> Iterator[Any]:
    yield from values


def _raised(field: str, error: Exception) -> SessionValueError:
    return SessionValueError(field, "raised", f"{field}: reading it raised {type(error).__name__}; pass a plain value")
