"""The attributes of a resource, a scope, an event, a link or a log record, as text with the types beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from otel_sessions.server.otlp.key_values import Remembered, end_of_key
from otel_sessions.server.otlp.values import decode, split, store


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
        name, text, letter, value = _MEMBERS[raw]
        texts[name] = text
        if letter:
            types[name] = letter
            typed[name] = value
    if len(texts) != len(raws):
        return read_attributes(list({_MEMBERS[raw][0]: raw for raw in raws}.values()))
    if not typed:
        return Attributes(texts, NO_ATTRIBUTES.types, texts)
    values = {**texts, **typed}
    if None in typed.values():
        values = {name: value for name, value in values.items() if value is not None}
    return Attributes(texts, types, values)


def _read(raw: bytes) -> tuple[str, str, str, Any]:
    """Name, text, type letter and value of an attribute."""
    end = end_of_key(raw)
    if end is not None:
        text = raw[end + 4 :].decode()
        return raw[2:end].decode(), text, "", text
    name, inner = split(raw)
    value = decode(inner)
    return name, *store(value), value


_MEMBERS: Final = Remembered(_read)
