"""Values in ClickHouse's RowBinary: numbers as they are in memory, everything else after its length.

Spans are written in this format while a request is read, so that their values do not become Python objects on the way to the store. A
`LowCardinality` type is written like the type inside it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cache
from itertools import chain
from struct import Struct
from typing import Any, Final

from otel_sessions.money import EXACT
from otel_sessions.server.clickhouse.times import LATEST

Writer = Callable[[Any], bytes]

_ONE_BYTE: Final = tuple(bytes((number,)) for number in range(128))


def length(number: int) -> bytes:
    """A length, seven bits a byte, the lowest first; as protobuf has it."""
    if number < 128:
        return _ONE_BYTE[number]
    written = bytearray()
    while number > 127:
        written.append(number & 127 | 128)
        number >>= 7
    written.append(number)
    return bytes(written)


def raw_string(raw: bytes) -> bytes:
    """A `String` of these bytes."""
    return length(len(raw)) + raw


def string(text: str) -> bytes:
    """A `String`."""
    return raw_string(text.encode())


def mapping(texts: Mapping[str, str]) -> bytes:
    """A `Map(String, String)`."""
    return pairs({string(name): string(text) for name, text in texts.items()})


def pairs(written: Mapping[bytes, bytes]) -> bytes:
    """A `Map` of keys and values in RowBinary."""
    return length(len(written)) + b"".join(chain.from_iterable(written.items()))


def array(written: Collection[bytes]) -> bytes:
    """An `Array` of items in RowBinary."""
    return length(len(written)) + b"".join(written)


def strings(texts: Iterable[str]) -> bytes:
    """An `Array(String)`."""
    return array([string(text) for text in texts])


def times(moments: Sequence[int]) -> bytes:
    """An `Array(DateTime64(9))` of nanoseconds UTC; a moment that it cannot hold becomes the last one that it can."""
    return length(len(moments)) + Struct(f"<{len(moments)}q").pack(*(min(moment, LATEST) for moment in moments))


@cache
def writer(kind: str) -> Writer:
    """The function that writes a value of a ClickHouse type, such as `Map(LowCardinality(String), String)`.

    Integers of any size, floats, decimals, strings, times as integer nanoseconds, and what holds them.

    Raises:
        ValueError: for another type.
    """
    outer, _, inner = kind.partition("(")
    inner = inner.removesuffix(")")
    if outer == "String":
        return string
    if outer == "LowCardinality":
        return writer(inner)
    if outer == "Nullable":
        return _nullable(writer(inner))
    if outer == "Array":
        return _array(writer(inner))
    if outer == "Map":
        key, _, value = inner.partition(", ")
        return _map(writer(key), writer(value))
    if outer == "Decimal":
        precision, scale = map(int, inner.split(","))
        return _decimal(next(size for size, digits in _DECIMALS if precision <= digits), scale)
    if kind == "DateTime64(9)":
        return lambda moment: min(moment, LATEST).to_bytes(8, "little", signed=True)
    if kind == "Float64":
        return Struct("<d").pack
    integer = _INTEGER.fullmatch(kind)
    if integer is None:
        raise ValueError(f"values of the type {kind} cannot be written; add it to this file")
    size, signed = int(integer[2]) // 8, not integer[1]
    return lambda number: int(number).to_bytes(size, "little", signed=signed)


_INTEGER: Final = re.compile(r"(U?)Int(8|16|32|64|128|256)")
_DECIMALS: Final = ((4, 9), (8, 18), (16, 38), (32, 76))
"""Pairs: how many bytes a `Decimal` takes, and how many digits it may have."""


def _nullable(write: Writer) -> Writer:
    return lambda value: b"\x01" if value is None else b"\0" + write(value)


def _array(write: Writer) -> Writer:
    return lambda values: length(len(values)) + b"".join(map(write, values))


def _map(write_key: Writer, write_value: Writer) -> Writer:
    return lambda values: pairs({write_key(key): write_value(value) for key, value in values.items()})


def _decimal(size: int, scale: int) -> Writer:
    return lambda amount: int(EXACT.scaleb(amount, scale)).to_bytes(size, "little", signed=True)
