"""The attributes of a resource, a scope, an event, a link or a log record, as text with the types beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from otel_sessions.server.otlp.key_values import REMEMBERED, SHORT, end_of_key
from otel_sessions.server.otlp.limits import RecordBudget
from otel_sessions.server.otlp.memo import Memo
from otel_sessions.server.otlp.values import decode, split, to_text


class Attributes(NamedTuple):
    """Attributes by name, the last of equal names wins.

    Attributes:
        texts: all of them, as text.
        types: the type letter of those that are not strings.
        values: all but the empty ones as Python values; may be `texts` itself.
    """

    texts: dict[str, str]
    types: dict[str, str]
    values: dict[str, Any]


NO_ATTRIBUTES: Final = Attributes({}, {}, {})
"""Shared by everything without attributes; do not change it, nor any other part of a batch."""


_Attribute = tuple[str, str, str, Any, int]
"""Name, text, type letter and value of an attribute; the number of members that its reader has still to count."""


def read_attributes(raws: Sequence[bytes], budget: RecordBudget) -> Attributes:
    """The attributes that these serialized `KeyValue` messages hold.

    Raises:
        MalformedError: one of them is not a valid `KeyValue`, or a value in it is not valid.
        NestedTooDeepError: a value is nested too deeply.
        TooLargeError: the budget is spent.
    """
    if not raws:
        return NO_ATTRIBUTES
    budget.spend(len(raws))
    texts: dict[str, str] = {}
    types: dict[str, str] = {}
    typed: dict[str, Any] = {}
    for raw in raws:
        name, text, letter, value, members = _SHORT_ONES[raw] if len(raw) <= SHORT else (*_read(raw, budget), 0)
        texts[name] = text
        if letter:
            types[name] = letter
            typed[name] = value
            if members:
                budget.spend(members)
    if len(texts) != len(raws):
        # Read again without counting again.
        return read_attributes(list({split(raw)[0]: raw for raw in raws}.values()), RecordBudget(None))
    if not typed:
        return Attributes(texts, NO_ATTRIBUTES.types, texts)
    values = {**texts, **typed}
    if None in typed.values():
        values = {name: value for name, value in values.items() if value is not None}
    return Attributes(texts, types, values)


def _read(raw: bytes, budget: RecordBudget) -> tuple[str, str, str, Any]:
    """An attribute of any length; members are counted while they are read, so that a huge one is not read to its end."""
    name, inner = split(raw)
    value = decode(inner, budget)
    return name, *to_text(value), value


def _read_short(raw: bytes) -> _Attribute:
    """A short attribute, with its number of members."""
    end = end_of_key(raw)
    if end is not None:
        text = raw[end + 4 :].decode()
        return raw[2:end].decode(), text, "", text, 0
    counted = RecordBudget(None)
    return *_read(raw, counted), counted.spent


_SHORT_ONES: Final = Memo(_read_short, longest=SHORT, size=REMEMBERED)
