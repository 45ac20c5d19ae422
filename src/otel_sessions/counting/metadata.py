"""The last value of a metadata name: which of two values is the later one."""

from __future__ import annotations

import json
from typing import Final

from otel_sessions.rules import MetadataValue

Dated = tuple[int, MetadataValue]
"""The start of the span that gave a value, nanoseconds UTC, and the value."""

_TO_JSON: Final = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, check_circular=False, allow_nan=False)


def metadata_json(value: MetadataValue) -> str:
    """A metadata value as JSON, which tells its type: `"1"` is text, `1` an integer, `1.0` a float, `true` a bool."""
    return _TO_JSON.encode(value)


def later(one: Dated | None, other: Dated) -> Dated:
    """The later of two values; of two values of one moment, the one whose JSON is greater.

    So the order of arrival does not matter, and a database finds the same value by comparing bytes.
    """
    if one is None or one[0] < other[0]:
        return other
    if one[0] > other[0]:
        return one
    return max(one, other, key=lambda dated: metadata_json(dated[1]))
