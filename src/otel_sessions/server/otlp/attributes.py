"""The attributes of a span, a resource or any other part, as they are stored and as they are counted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from otel_sessions.server.otlp.values import decode, split, store

_SHORT: Final = 132
"""A `KeyValue` of fewer bytes has no length over 127 in it, so that every length is one byte."""

_TAG_1: Final = 0x0A
_TAG_2: Final = 0x12
"""How fields 1 and 2 begin when they have a length: `key` and `value` of `KeyValue`, `string_value` of `AnyValue`."""

_REMEMBERED: Final = 16_384
_LONGEST_NUMBER: Final = 11


class Attributes(NamedTuple):
    """Attributes by name, the last of equal names wins.

    Attributes:
        texts: all of them, as text.
        types: the type letter of those that are no strings.
        values: all but the empty ones as Python values; may be `texts` itself.
    """

    texts: dict[str, str]
    types: dict[str, str]
    values: dict[str, Any]


NO_ATTRIBUTES: Final = Attributes({}, {}, {})
"""Shared by all that have none; like every part of a batch, not to be changed."""


def read_attributes(raws: Sequence[bytes]) -> Attributes:
    """The attributes that these serialized `KeyValue` messages hold.

    Raises:
        MalformedError: if one of them is none, or a value in it.
    """
    if not raws:
        return NO_ATTRIBUTES
    texts: dict[str, str] = {}
    types: dict[str, str] = {}
    typed: dict[str, Any] = {}
    for raw in raws:
        size = len(raw)
        if size < _SHORT:
            # Nearly all attributes: a key, then a value, both short. Taking them apart here costs a third of what
            # message objects cost. Whatever looks different goes the long way below.
            try:
                after = raw[1] + 2
                if raw[0] == _TAG_1 and raw[after] == _TAG_2 and raw[after + 1] + after + 2 == size:
                    name = _NAMES[raw[2:after]]
                    if raw[after + 2] == _TAG_1 and raw[after + 3] + after + 4 == size:
                        texts[name] = raw[after + 4 :].decode("utf-8", "replace")
                        continue
                    text, letter, value = _VALUES[raw[after + 2 :]]
                else:
                    name, inner = split(raw)
                    text, letter, value = _VALUES[inner]
            except IndexError:
                name, inner = split(raw)
                text, letter, value = _VALUES[inner]
        else:
            name, inner = split(raw)
            text, letter, value = _VALUES[inner]
        texts[name] = text
        if letter:
            types[name] = letter
            typed[name] = value
    if len(texts) != len(raws):
        return _last_ones(raws)
    if not typed:
        return Attributes(texts, NO_ATTRIBUTES.types, texts)
    values = {**texts, **typed}
    if None in typed.values():
        values = {name: value for name, value in values.items() if value is not None}
    return Attributes(texts, types, values)


def _last_ones(raws: Sequence[bytes]) -> Attributes:
    read = {name: _VALUES[inner] for name, inner in map(split, raws)}
    return Attributes(
        {name: text for name, (text, _, _) in read.items()},
        {name: letter for name, (_, letter, _) in read.items() if letter},
        {name: value for name, (_, _, value) in read.items() if value is not None},
    )


class _Names(dict[bytes, str]):
    """Names as text: the same few thousand come again and again."""

    def __missing__(self, raw: bytes) -> str:
        if len(self) >= _REMEMBERED:
            self.clear()
        name = self[raw] = raw.decode("utf-8", "replace")
        return name


class _Values(dict[bytes, tuple[str, str, Any]]):
    """Serialized value to its text, type letter and Python value; short ones, as all numbers are, are remembered."""

    def __missing__(self, raw: bytes) -> tuple[str, str, Any]:
        value = decode(raw)
        read = (*store(value), value)
        if len(raw) <= _LONGEST_NUMBER:
            if len(self) >= _REMEMBERED:
                self.clear()
            self[raw] = read
        return read


_NAMES: Final = _Names()
_VALUES: Final = _Values()
