"""One attribute value: from the wire to Python, to the text and type letter that are stored, and back.

The text is the one that the Collector's ClickHouse exporter writes, so that its dashboards keep working:

| letter | type | text |
|---|---|---|
| (none) | string | as it is; what is no UTF-8 is replaced by U+FFFD |
| `i` | int | decimal |
| `d` | double | shortest that reads back, as JavaScript prints it: `1`, `0.5`, `1e+21`, `NaN`, `-Infinity` |
| `b` | bool | `true`, `false` |
| `a` `m` | array, map | JSON |
| `y` | bytes | base64 |
| `n` | empty | empty |

Inside that JSON a double always has a fraction or an exponent. What JSON has no word for is wrapped in a map of one
entry, `{"bytesValue": "<base64>"}` and `{"doubleValue": "NaN"}`; a map that looks like a wrapper is itself wrapped,
in `{"kvlistValue": {...}}`.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any, Final

from otel_sessions.server.otlp.errors import NestedTooDeepError
from otel_sessions.server.otlp.limits import count_members
from otel_sessions.server.otlp.messages import messages, parse

MAX_NESTING: Final = 64
"""Levels of a value; a string has one, an array of strings two."""

MAX_NESTED_BYTES: Final = 256 << 20
"""Bytes of a value and of all the values that it is in: each level is held until those below it are read."""

_SHORT: Final = 16
"""Values of no more bytes do not count their few members: who reads attributes remembers such values, and a request is
to count the same every time it is read."""

_SCALARS: Final = frozenset({"bool_value", "int_value", "double_value", "bytes_value"})
_BYTES, _DOUBLE, _MAP = "bytesValue", "doubleValue", "kvlistValue"
_WRAPPERS: Final = frozenset({_BYTES, _DOUBLE, _MAP})
_NOT_FINITE: Final = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def decode(raw: bytes, level: int = 1, above: int = 0) -> Any:
    """The Python value of a serialized `AnyValue`: a map is a `dict`, the last of equal keys wins; empty is `None`.

    Args:
        raw: the serialized value.
        level: how many values deep it is.
        above: how many bytes the values that it is in have, taken together.

    Raises:
        MalformedError: if it is none.
        NestedTooDeepError: if it has more than `MAX_NESTING` levels, or more than `MAX_NESTED_BYTES` in all of them.
        TooLargeError: if the request that is being read has too many members of arrays and maps.
    """
    above += len(raw)
    if level > MAX_NESTING:
        raise NestedTooDeepError(f"a value nests deeper than {MAX_NESTING} levels")
    if above > MAX_NESTED_BYTES:
        raise NestedTooDeepError(f"a value has more than {MAX_NESTED_BYTES} bytes, each level taken for itself")
    value = parse(messages().any_value, raw)
    which = value.WhichOneof("value")
    if which == "string_value":
        return value.string_value.decode("utf-8", "replace")
    if which == "array_value":
        values = value.array_value.values
        if above > _SHORT:
            count_members(len(values))
        return [decode(item, level + 1, above) for item in values]
    if which == "kvlist_value":
        values = value.kvlist_value.values
        if above > _SHORT:
            count_members(len(values))
        members = map(split, values)
        return {name: decode(member, level + 1, above) for name, member in members}
    if which in _SCALARS:
        return getattr(value, which)
    return None


def split(raw: bytes) -> tuple[str, bytes]:
    """The key of a serialized `KeyValue`, and its value, still serialized.

    Raises:
        MalformedError: if it is none.
    """
    member = parse(messages().key_value, raw)
    return member.key.decode("utf-8", "replace"), member.value


def store(value: Any) -> tuple[str, str]:
    """The text of a value that `decode` gave, and its type letter, empty for a string."""
    if isinstance(value, str):
        return value, ""
    if value is None:
        return "", "n"
    if isinstance(value, bool):
        return ("true" if value else "false"), "b"
    if isinstance(value, int):
        return str(value), "i"
    if isinstance(value, float):
        return _double(value), "d"
    if isinstance(value, bytes):
        return base64.b64encode(value).decode(), "y"
    text = json.dumps(_plain(value), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text, "a" if isinstance(value, list) else "m"


def restore(text: str, letter: str = "") -> Any:
    """The value that `store` made this text and type letter of; the text itself where they do not fit each other."""
    reader = _READERS.get(letter)
    if reader is None:
        return text
    try:
        return reader(text)
    except (ValueError, TypeError, RecursionError):
        return text


def _double(value: float) -> str:
    if not math.isfinite(value):
        return _spelled(value)
    text = repr(value)
    mantissa, mark, exponent = text.partition("e")
    if not mark:
        return text.removesuffix(".0")
    if 1e-6 <= abs(value) < 1e21:
        return format(Decimal(text), "f")
    return f"{mantissa}e{int(exponent):+d}"


def _spelled(value: float) -> str:
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _plain(value: Any) -> Any:
    """What `json.dumps` writes so that `_unwrapped` tells all types apart."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        plain = {name: _plain(item) for name, item in value.items()}
        return {_MAP: plain} if len(plain) == 1 and not _WRAPPERS.isdisjoint(plain) else plain
    if isinstance(value, bytes):
        return {_BYTES: base64.b64encode(value).decode()}
    if isinstance(value, float) and not math.isfinite(value):
        return {_DOUBLE: _spelled(value)}
    return value


def _unwrapped(value: Any) -> Any:
    if isinstance(value, list):
        return [_unwrapped(item) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        [(name, inner)] = value.items()
        if name == _BYTES:
            return _from_base64(inner)
        if name == _DOUBLE and inner in _NOT_FINITE:
            return _NOT_FINITE[inner]
        if name == _MAP and isinstance(inner, dict):
            value = inner
    return {name: _unwrapped(item) for name, item in value.items()}


def _from_base64(text: str) -> bytes:
    return binascii.a2b_base64(text, strict_mode=True)


def _from_json(kind: type) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        value = _unwrapped(json.loads(text))
        return value if isinstance(value, kind) else text

    return read


_READERS: Final[dict[str, Callable[[str], Any]]] = {
    "i": int,
    "d": float,
    "b": lambda text: {"true": True, "false": False}.get(text, text),
    "a": _from_json(list),
    "m": _from_json(dict),
    "y": _from_base64,
    "n": lambda _: None,
}


def restore_all(texts: Iterable[tuple[str, str]], types: dict[str, str]) -> dict[str, Any]:
    """The attributes of a row, from the entries of its map of texts and its map of type letters."""
    return {name: restore(text, types.get(name, "")) for name, text in texts}
