"""One attribute value: from the wire to Python, to the text and type letter that are stored, and back.

The text is the one that the Collector's ClickHouse exporter writes, so that its dashboards keep working:

| letter | type | text |
|---|---|---|
| (none) | string | as it is; bytes that are not UTF-8 are replaced by U+FFFD |
| `i` | int | decimal |
| `d` | double | shortest that reads back, as JavaScript prints it: `1`, `0.5`, `1e+21`, `NaN`, `-Infinity` |
| `b` | bool | `true`, `false` |
| `a` `m` | array, map | JSON |
| `y` | bytes | base64 |
| `n` | empty | empty |

Inside that JSON a double always has a fraction or an exponent. A value that JSON cannot express is wrapped in a map of one
entry, `{"bytesValue": "<base64>"}` or `{"doubleValue": "NaN"}`; a map that looks like a wrapper is itself wrapped, in
`{"kvlistValue": {...}}`.
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
from otel_sessions.server.otlp.limits import RecordBudget
from otel_sessions.server.otlp.messages import messages, parse

MAX_NESTING: Final = 64
"""Levels of a value; a string has one, an array of strings two."""

MAX_NESTED_BYTES: Final = 256 << 20
"""Bytes of a value and of all the values that it is in: each level is held until those below it are read."""

_SCALARS: Final = frozenset({"bool_value", "int_value", "double_value", "bytes_value"})
_BYTES, _DOUBLE, _MAP = "bytesValue", "doubleValue", "kvlistValue"
_WRAPPERS: Final = frozenset({_BYTES, _DOUBLE, _MAP})
_NOT_FINITE: Final = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def decode(raw: bytes, budget: RecordBudget, level: int = 1, above: int = 0) -> Any:
    """The Python value of a serialized `AnyValue`: a map is a `dict`, the last of equal keys wins; empty is `None`.

    Args:
        raw: the serialized value.
        budget: counts the members of arrays and maps, each array or map before its members are read.
        level: the level of this value in the one that the attribute has.
        above: bytes of all the values that this one is in, together.

    Raises:
        MalformedError: these bytes are not a valid `AnyValue`.
        NestedTooDeepError: it has more than `MAX_NESTING` levels, or more than `MAX_NESTED_BYTES` in all of them.
        TooLargeError: the budget is spent.
    """
    above += len(raw)
    if level > MAX_NESTING:
        raise NestedTooDeepError(f"a value nests deeper than {MAX_NESTING} levels; send a flatter one")
    if above > MAX_NESTED_BYTES:
        raise NestedTooDeepError(
            f"a value has more than {MAX_NESTED_BYTES} bytes, where each level counts with all that it holds; "
            "send a flatter one"
        )
    value = parse(messages().any_value, raw)
    which = value.WhichOneof("value")
    if which == "string_value":
        return text_of(value.string_value)
    if which == "array_value":
        values = value.array_value.values
        budget.spend(len(values))
        return [decode(item, budget, level + 1, above) for item in values]
    if which == "kvlist_value":
        values = value.kvlist_value.values
        budget.spend(len(values))
        members = map(split, values)
        return {name: decode(member, budget, level + 1, above) for name, member in members}
    if which in _SCALARS:
        return getattr(value, which)
    return None


def split(raw: bytes) -> tuple[str, bytes]:
    """The key of a serialized `KeyValue`, and its value, still serialized.

    Raises:
        MalformedError: these bytes are not a valid `KeyValue`.
    """
    member = parse(messages().key_value, raw)
    return text_of(member.key), member.value


def text_of(raw: bytes) -> str:
    """A string of a message; bytes that are not UTF-8 are replaced by U+FFFD."""
    return raw.decode("utf-8", "replace")


def to_text(value: Any) -> tuple[str, str]:
    """The text of a value that `decode` returned, and its type letter, empty for a string."""
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
    text = json.dumps(to_json_value(value), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text, "a" if isinstance(value, list) else "m"


def from_text(text: str, letter: str = "") -> Any:
    """The value of a text and its type letter, as `to_text` writes them; the text itself if they do not fit each other."""
    reader = _READERS.get(letter)
    if reader is None:
        return text
    try:
        return reader(text)
    except (ValueError, TypeError, RecursionError):
        return text


def attributes_from_text(texts: Iterable[tuple[str, str]], types: dict[str, str]) -> dict[str, Any]:
    """The attributes of a row, from the entries of its map of texts and its map of type letters."""
    return {name: from_text(text, types.get(name, "")) for name, text in texts}


def to_json_value(value: Any) -> Any:
    """A value for `json.dumps` that keeps all types apart: what JSON cannot express is wrapped, as the module describes."""
    if isinstance(value, list):
        return [to_json_value(item) for item in value]
    if isinstance(value, dict):
        members = {name: to_json_value(item) for name, item in value.items()}
        return {_MAP: members} if len(members) == 1 and not _WRAPPERS.isdisjoint(members) else members
    if isinstance(value, bytes):
        return {_BYTES: base64.b64encode(value).decode()}
    if isinstance(value, float) and not math.isfinite(value):
        return {_DOUBLE: _spelled(value)}
    return value


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
