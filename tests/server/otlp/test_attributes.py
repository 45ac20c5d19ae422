"""Attributes as they are stored and as they are counted."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.server.otlp.building import any_values, field, key_values, texts

from otel_sessions.server.otlp.attributes import Attributes, read_attributes
from otel_sessions.server.otlp.errors import MalformedError
from otel_sessions.server.otlp.key_values import REMEMBERED
from otel_sessions.server.otlp.limits import RecordBudget
from otel_sessions.server.otlp.values import attributes_from_text, decode, split


def _raw(pairs: list[tuple[str, Any]]) -> list[bytes]:
    return [key_values({name: value})[0].SerializeToString() for name, value in pairs]


def _read(raws: list[bytes]) -> Attributes:
    return read_attributes(raws, RecordBudget())


@settings(deadline=None)
@given(st.lists(st.tuples(texts | st.text("k", min_size=100, max_size=200), any_values), max_size=6))
def test_all_types(pairs: list[tuple[str, Any]]) -> None:
    """Every value reads back, the last of equal names wins, and empty values are left out of those to count."""
    read = _read(_raw(pairs))
    sent = dict(pairs)
    assert repr(attributes_from_text(read.texts.items(), read.types)) == repr(sent)
    assert repr(read.values) == repr({name: value for name, value in sent.items() if value is not None})


@settings(deadline=None)
@example(field(1, b"k") + field(2, b"\x18\x01") + b"\x18\x05")  # another field after the value
@example(field(1, b"k") + field(2, field(1, b"a") + b"\x10\x01"))  # two values, of which the last counts
@example(field(1, b"k" * 129 + b"\x12") + field(2, field(1, b"v" * 15)))  # what looks like a tag inside a long key
@given(st.lists(st.sampled_from([0x0A, 0x12, 0, 1, 2, 3, 4, 0x61, 0x80]), max_size=12).map(bytes))
def test_short_cut(raw: bytes) -> None:
    """Taking short attributes apart by hand gives what parsing them as messages gives."""
    try:
        name, inner = split(raw)
        value = decode(inner, RecordBudget())
    except MalformedError:
        with pytest.raises(MalformedError):
            _read([raw])
    else:
        read = _read([raw])
        assert repr(attributes_from_text(read.texts.items(), read.types)) == repr({name: value})


@pytest.mark.parametrize("length", [0, 1, 120, 121, 122, 123, 124, 125, 126, 127, 128, 129, 130, 16_383, 16_384])
def test_lengths(length: int) -> None:
    """Keys and values around the lengths where a length takes one more byte are read whole."""
    pairs = [("k", "v" * length), ("k" * (length + 2), "v")]
    assert _read(_raw(pairs)).texts == dict(pairs)


def test_duplicates_of_other_types() -> None:
    """The type of a name that comes twice is that of the last, whatever came before."""
    read = _read(_raw([("a", 1), ("b", None), ("a", "text"), ("b", 2.5), ("c", 1), ("c", None)]))
    assert read == ({"a": "text", "b": "2.5", "c": ""}, {"b": "d", "c": "n"}, {"a": "text", "b": 2.5})


def test_invalid_utf8() -> None:
    """Keys and values that are not UTF-8 are kept, with U+FFFD."""
    assert _read([b"\x0a\x02k\xff\x12\x04\x0a\x02v\xff"]).texts == {"k\ufffd": "v\ufffd"}


def test_more_than_is_remembered() -> None:
    """More names and numbers than are remembered read back all the same."""
    pairs = [(f"name {number}", number) for number in range(REMEMBERED + 10)]
    assert _read(_raw(pairs)).values == dict(pairs)
