"""The attributes of a span, from the wire to a row, and those of them that counting reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from otel_sessions.dialects.read import is_read
from otel_sessions.server.clickhouse.row_binary import array, pairs, raw_string, string
from otel_sessions.server.otlp.key_values import Remembered, end_of_key
from otel_sessions.server.otlp.values import decode, split, store


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
    for raw in raws:
        key, entry, letter, name, value = _MEMBERS[raw]
        entries[key] = entry
        if letter:
            types[key] = letter
        if name is not None:
            values[name] = value
    if len(entries) != len(raws):
        return read_span_attributes(list({_MEMBERS[raw].key: raw for raw in raws}.values()))
    return SpanAttributes(array(entries.values()), pairs(types) if types else _EMPTY, values)


def _read(raw: bytes) -> _Member:
    """What a `KeyValue` says; a short string has the same form on the wire as in a row."""
    end = end_of_key(raw)
    if end is not None:
        name = raw[2:end].decode()
        read = name if is_read(name) else None
        return _Member(raw[1:end], raw[1:end] + raw[end + 3 :], b"", read, raw[end + 4 :].decode())
    name, inner = split(raw)
    value = decode(inner)
    text, letter = store(value)
    read = name if value is not None and is_read(name) else None
    key = string(name)
    return _Member(key, key + string(text), raw_string(letter.encode()) if letter else b"", read, value)


_MEMBERS: Final = Remembered(_read)
