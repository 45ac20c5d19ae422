"""The attributes of a span, from the wire to a row, and those of them that counting reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from otel_sessions.dialects.read import is_read
from otel_sessions.server.otlp.values import decode, split, store
from otel_sessions.server.row_binary import array, pairs, raw_string, string

_SHORT: Final = 132
"""A `KeyValue` of fewer bytes has no length over 127 in it, so that every length is one byte."""

_TAG_1: Final = 0x0A
_TAG_2: Final = 0x12
"""How fields 1 and 2 begin when they have a length: `key` and `value` of `KeyValue`, `string_value` of `AnyValue`."""

_REMEMBERED: Final = 16_384


class SpanAttributes(NamedTuple):
    """Attributes as two `Map` columns hold them, and those that counting reads.

    Attributes:
        texts: all of them, as text.
        types: the type letters of those that are no strings.
        values: by name, for `span_facts`; empty values left out.
    """

    texts: bytes
    types: bytes
    values: dict[str, Any]


class _Member(NamedTuple):
    """One attribute: its key, and key and text, as they are in a row, and its type letter, empty for a string.

    `name` is `None` where counting does not read it, or it has no value.
    """

    key: bytes
    entry: bytes
    letter: bytes
    name: str | None
    value: Any


_EMPTY: Final = pairs({})


def read_span_attributes(raws: Sequence[bytes]) -> SpanAttributes:
    """The attributes that these serialized `KeyValue` messages hold; the last of equal names wins.

    Raises:
        MalformedError: if one of them is none, or a value in it.
        NestedTooDeepError: if a value is nested too deeply.
    """
    entries: dict[bytes, bytes] = {}
    types: dict[bytes, bytes] = {}
    values: dict[str, Any] = {}
    remembered = _MEMBERS.get
    for raw in raws:
        key, entry, letter, name, value = remembered(raw) or _member(raw)
        entries[key] = entry
        if letter:
            types[key] = letter
        if name is not None:
            values[name] = value
    if len(entries) != len(raws):
        return read_span_attributes(list({_member(raw).key: raw for raw in raws}.values()))
    return SpanAttributes(array(entries.values()), pairs(types) if types else _EMPTY, values)


_MEMBERS: Final[dict[bytes, _Member]] = {}
"""Serialized `KeyValue` to what it says: most attributes of an app come again and again."""


def _member(raw: bytes) -> _Member:
    """What a `KeyValue` says; a short one is remembered."""
    short = len(raw) < _SHORT
    member = _short_string(raw) if short else None
    if member is None:
        name, inner = split(raw)
        value = decode(inner)
        text, letter = store(value)
        is_wanted = value is not None and is_read(name)
        key = string(name)
        member = _Member(
            key,
            key + string(text),
            raw_string(letter.encode()) if letter else b"",
            name if is_wanted else None,
            value,
        )
    if short:
        if len(_MEMBERS) >= _REMEMBERED:
            _MEMBERS.clear()
        _MEMBERS[raw] = member
    return member


def _short_string(raw: bytes) -> _Member | None:
    """A key and a string of ASCII, as most attributes are; they have the same form on the wire as in a row.

    Taken apart without message objects, which cost three times as much. `None` for whatever looks different.
    """
    try:
        after = raw[1] + 2
        if (
            raw[0] == _TAG_1
            and raw[after] == _TAG_2
            and raw[after + 1] + after + 2 == len(raw)
            and raw[after + 2] == _TAG_1
            and raw[after + 3] + after + 4 == len(raw)
            and raw.isascii()
        ):
            name = raw[2:after].decode()
            return _Member(
                raw[1:after],
                raw[1:after] + raw[after + 3 :],
                b"",
                name if is_read(name) else None,
                raw[after + 4 :].decode(),
            )
    except IndexError:
        pass
    return None
