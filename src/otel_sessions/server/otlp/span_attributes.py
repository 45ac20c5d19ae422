"""The attributes of a span: from the wire to a row, to the values that counting reads, and to those that may hold messages."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

from otel_sessions.content.read import may_hold_content
from otel_sessions.dialects.read import is_read
from otel_sessions.server.clickhouse.row_binary import array, pairs, raw_string, string
from otel_sessions.server.otlp.key_values import REMEMBERED, SHORT, end_of_key
from otel_sessions.server.otlp.limits import RecordBudget
from otel_sessions.server.otlp.memo import Memo
from otel_sessions.server.otlp.values import decode, split, to_text


class SpanAttributes(NamedTuple):
    """Attributes as two `Map` columns hold them, and those that counting reads or that may hold messages.

    Attributes:
        texts: all of them, as text.
        types: the type letters of those that are not strings.
        values: by name, for `span_facts`; empty values left out.
        content: `values` and those that hold messages, for `content_of_span`; empty if none does.
    """

    texts: bytes
    types: bytes
    values: dict[str, Any]
    content: dict[str, Any]


_Attribute = tuple[bytes, bytes, bytes, str | None, Any, bool, int]
"""One attribute: its key, and key and text, as they are in a row; its type letter, empty for a string; its name and value
if counting or content reads it, else `None`; whether it may hold messages; the number of members that the reader of the
attribute has still to count.

A plain tuple, since this is unpacked for every attribute of every span.
"""

_EMPTY: Final = pairs({})
_NO_CONTENT: Final[dict[str, Any]] = {}
"""Shared by all spans without; do not change it."""


def read_span_attributes(raws: Sequence[bytes], budget: RecordBudget) -> SpanAttributes:
    """The attributes that these serialized `KeyValue` messages hold; the last of equal names wins.

    Raises:
        MalformedError: one of them is not a valid `KeyValue`, or a value in it is not valid.
        NestedTooDeepError: a value is nested too deeply.
        TooLargeError: the budget is spent.
    """
    budget.spend(len(raws))
    entries: dict[bytes, bytes] = {}
    types: dict[bytes, bytes] = {}
    values: dict[str, Any] = {}
    held: dict[str, Any] | None = None
    for raw in raws:
        key, entry, letter, name, value, holds, members = (
            _SHORT_ONES[raw] if len(raw) <= SHORT else (*_read(raw, budget), 0)
        )
        entries[key] = entry
        if letter:
            types[key] = letter
            if members:
                budget.spend(members)
        if name is not None:
            if holds:
                held = held or {}
                held[name] = value
            if not holds or is_read(name):
                values[name] = value
    if len(entries) != len(raws):
        # Read again without counting again.
        return read_span_attributes(list({_key(raw): raw for raw in raws}.values()), RecordBudget(None))
    content = _NO_CONTENT if held is None else {**values, **held}
    return SpanAttributes(array(entries.values()), pairs(types) if types else _EMPTY, values, content)


def _key(raw: bytes) -> bytes:
    return string(split(raw)[0])


def _read(raw: bytes, budget: RecordBudget) -> tuple[bytes, bytes, bytes, str | None, Any, bool]:
    """An attribute of any length; members are counted while they are read, so that a huge one is not read to its end."""
    name, inner = split(raw)
    value = decode(inner, budget)
    text, letter = to_text(value)
    holds = value is not None and _holds(name)
    read = name if value is not None and (holds or is_read(name)) else None
    key = string(name)
    return key, key + string(text), raw_string(letter.encode()) if letter else b"", read, value, holds


def _read_short(raw: bytes) -> _Attribute:
    """A short attribute, with its number of members. A short string has the same form on the wire as in a row."""
    end = end_of_key(raw)
    if end is not None:
        name = raw[2:end].decode()
        holds = _holds(name)
        read = name if holds or is_read(name) else None
        return raw[1:end], raw[1:end] + raw[end + 3 :], b"", read, raw[end + 4 :].decode(), holds, 0
    counted = RecordBudget(None)
    return *_read(raw, counted), counted.spent


def _holds(name: str) -> bool:
    return _short_name_holds(name) if len(name) <= SHORT else may_hold_content((name,))


@lru_cache(maxsize=4_096)
def _short_name_holds(name: str) -> bool:
    return may_hold_content((name,))


_SHORT_ONES: Final = Memo(_read_short, longest=SHORT, size=REMEMBERED)
