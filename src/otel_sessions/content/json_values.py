"""Values of attributes as JSON values: texts parsed, and whatever JSON cannot carry replaced."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Final, TypeGuard

from otel_sessions.dialects.python_values import python_value

DEEPEST: Final = 48
"""How deep a value is kept."""

DEEPER: Final = "…"
"""What stands for a value that is deeper."""

_BITS: Final = 8_192
"""Python refuses to write integers that are much longer as digits."""

_PLAIN: Final = frozenset({dict, list, str, int, float, bool, type(None)})
"""The types of what JSON holds."""

REDACTED: Final = frozenset({"<redacted>", "[redacted]", "__redacted__", "<elided>", "[elided]"})
"""What programs write, in any case, in place of a text that they withhold."""


_LONGEST_REDACTED: Final = 64


def parsed(given: Any) -> Any:
    """The value that a text of JSON, or of Python, holds, if it is an object, a list or a quoted text; anything else as it is."""
    if not isinstance(given, str) or given[:32].lstrip()[:1] not in ("{", "[", '"'):
        return given
    try:
        return json.loads(given)
    except (ValueError, RecursionError):
        found = python_value(given)
        return given if found is None else found


def is_list(given: Any) -> TypeGuard[Sequence[Any]]:
    """True for a list of values, however it is stored."""
    # Nearly all values are of these types, and to ask an abstract class is slow.
    if type(given) in _PLAIN:
        return type(given) is list
    return isinstance(given, Sequence) and not isinstance(given, (str, bytes, bytearray, memoryview))


def is_object(given: Any) -> TypeGuard[Mapping[Any, Any]]:
    """True for an object, however it is stored."""
    if type(given) in _PLAIN:
        return type(given) is dict
    return isinstance(given, Mapping)


def is_withheld(given: Any) -> bool:
    """True for nothing, and for what stands for a text that was withheld."""
    if not isinstance(given, str):
        return given is None
    return not given or (len(given) < _LONGEST_REDACTED and given.strip().lower() in REDACTED)


def first(mapping: Mapping[Any, Any], names: Sequence[str]) -> Any:
    """The first of these members that is there and is not null."""
    for name in names:
        found = mapping.get(name)
        if found is not None:
            return found
    return None


def first_text(mapping: Mapping[Any, Any], names: Sequence[str]) -> str | None:
    """The first of these members that is a text, and not empty."""
    for name in names:
        found = mapping.get(name)
        if found and isinstance(found, str):
            return clean_text(found)
    return None


def clean_text(text: str) -> str:
    """The text, with a replacement character for each half of a character, which UTF-8 cannot carry."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def clean(value: Any, depth: int = 0) -> Any:
    """The value as strict JSON carries it: names are texts, numbers finite, and bytes are only counted."""
    # What JSON text was read into is nearly always of these types, and a pattern asks abstract classes.
    kind = type(value)
    if kind is str:
        return _without_bytes(clean_text(value))
    if kind is dict and depth < DEEPEST:
        return {
            clean_text(name) if type(name) is str else _name(name): clean(one, depth + 1) for name, one in value.items()
        }
    if kind is list and depth < DEEPEST:
        return [clean(one, depth + 1) for one in value]
    match value:
        case None | bool():
            return value
        case str():
            return _without_bytes(clean_text(value))
        case int():
            return value if value.bit_length() < _BITS else hex(value)
        case float():
            return value if math.isfinite(value) else str(value)
        case bytes() | bytearray() | memoryview():
            return f"({len(value)} bytes)"
        case Mapping() | Sequence() | AbstractSet() if depth >= DEEPEST:
            return DEEPER
        case Mapping():
            return {_name(name): clean(one, depth + 1) for name, one in value.items()}
        case Sequence() | AbstractSet():
            return [clean(one, depth + 1) for one in value]
        case _:
            return f"({type(value).__name__})"


def _name(name: Any) -> str:
    return clean_text(name) if isinstance(name, str) else repr(clean(name, DEEPEST))


def _without_bytes(text: str) -> str:
    """The text; of a `data:` URI only its beginning and how many bytes it holds."""
    if text.startswith("data:") and len(text) > 64:
        head, mark, encoded = text.partition(",")
        if mark and head.endswith(";base64"):
            return f"{head},({decoded_size(encoded)} bytes)"
    return text


def decoded_size(encoded: str) -> int:
    """How many bytes a base64 text stands for."""
    return len(encoded.rstrip("=")) * 3 // 4
