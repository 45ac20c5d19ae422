"""One attribute value: to its text and type letter, and back."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.server.otlp.building import SPAN_ID, TRACE_ID, any_value, any_values, field, nested, traces
from tests.server.otlp.decoding import decode_spans

from otel_sessions.server.otlp.errors import MalformedError, NestedTooDeepError
from otel_sessions.server.otlp.limits import RecordBudget
from otel_sessions.server.otlp.values import (
    MAX_NESTED_BYTES,
    MAX_NESTING,
    attributes_from_text,
    decode,
    from_text,
    to_json_value,
    to_text,
)


def value_of(raw: bytes) -> Any:
    """The value of a serialized `AnyValue`."""
    return decode(raw, RecordBudget())


@settings(deadline=None)
@given(any_values)
def test_reads_back(value: Any) -> None:
    """Every value of OTLP has the same value, type and sign when it is read from its text."""
    arrived = value_of(any_value(value).SerializeToString())
    assert repr(arrived) == repr(value)
    assert repr(from_text(*to_text(arrived))) == repr(value)


@pytest.mark.parametrize(
    ("value", "text", "letter"),
    [
        ("plain", "plain", ""),
        ("", "", ""),
        (None, "", "n"),
        (True, "true", "b"),
        (False, "false", "b"),
        (-(2**63), "-9223372036854775808", "i"),
        (1.0, "1", "d"),
        (-0.0, "-0", "d"),
        (0.1, "0.1", "d"),
        (1e-6, "0.000001", "d"),
        (1.5e-7, "1.5e-7", "d"),
        (1e20, "100000000000000000000", "d"),
        (1.25e17, "125000000000000000", "d"),
        (1e21, "1e+21", "d"),
        (5e-324, "5e-324", "d"),
        (math.nan, "NaN", "d"),
        (math.inf, "Infinity", "d"),
        (-math.inf, "-Infinity", "d"),
        (b"\x00\xff", "AP8=", "y"),
        ([1, "é<&>", True, None], '[1,"é<&>",true,null]', "a"),
        ({"b": [1.0], "a": {}}, '{"b":[1.0],"a":{}}', "m"),
        ([b"\x00"], '[{"bytesValue":"AA=="}]', "a"),
        ([math.nan], '[{"doubleValue":"NaN"}]', "a"),
        ({"bytesValue": "a", "b": 1}, '{"bytesValue":"a","b":1}', "m"),
        ({"bytesValue": "AA=="}, '{"kvlistValue":{"bytesValue":"AA=="}}', "m"),
    ],
)
def test_text(value: Any, text: str, letter: str) -> None:
    """The text is what the Collector's exporter writes, with JSON that keeps the types of what is inside."""
    assert to_text(value) == (text, letter)
    assert repr(from_text(text, letter)) == repr(value)


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        ("x", "i"),
        ("x", "d"),
        ("x", "b"),
        ("[", "a"),
        ("{}", "a"),
        ("[]", "m"),
        ("[" * 100_000, "a"),
        ('{"bytesValue":1}', "m"),
        ('[{"bytesValue":"?"}]', "a"),
        ("?", "y"),
        ("x", "unknown"),
    ],
)
def test_text_that_does_not_fit(text: str, letter: str) -> None:
    """A text that does not fit its type letter is returned as it is."""
    assert from_text(text, letter) == text


def test_lookalikes() -> None:
    """A map of one entry that only resembles a wrapper is a map."""
    assert from_text('{"doubleValue":"x"}', "m") == {"doubleValue": "x"}
    assert from_text('{"kvlistValue":[]}', "m") == {"kvlistValue": []}


def test_row() -> None:
    """The attributes of a row have the types of its type map; without one they are strings."""
    assert attributes_from_text([("a", "1"), ("b", "x")], {"a": "i"}) == {"a": 1, "b": "x"}
    assert attributes_from_text([("a", "1")], {}) == {"a": "1"}


@pytest.mark.parametrize("maps", [False, True])
def test_nesting(maps: bool) -> None:
    """Values are read to 64 levels; one more is refused, for arrays and maps alike."""
    assert value_of(nested(MAX_NESTING, maps=maps))
    with pytest.raises(NestedTooDeepError, match="64 levels"):
        value_of(nested(MAX_NESTING + 1, maps=maps))


def test_invalid_values() -> None:
    """Bytes that are not a valid value are refused, and an index into a table that traces do not have is empty."""
    with pytest.raises(MalformedError, match="AnyValue"):
        value_of(b"\x0a\x05ab")
    assert value_of(b"\x40\x01") is None


def test_invalid_utf8() -> None:
    """Bytes that are not UTF-8 are replaced, in values and in the keys of maps."""
    assert value_of(b"\x0a\x02a\xff") == "a\ufffd"
    assert value_of(b"\x32\x0a\x0a\x08\x0a\x01\xfe\x12\x03\x0a\x01b") == {"\ufffd": "b"}


@pytest.mark.parametrize("maps", [False, True])
def test_large_values_deep_inside_are_refused(maps: bool) -> None:
    """The bytes of all levels together are bounded, since each is held while those below it are read."""
    leaf = nested(1) + field(15, bytes(MAX_NESTED_BYTES // 20))
    raw = leaf
    for _ in range(10):
        raw = field(6, field(1, field(2, raw))) if maps else field(5, field(1, raw))
    assert value_of(raw)
    for _ in range(12):
        raw = field(6, field(1, field(2, raw))) if maps else field(5, field(1, raw))
    with pytest.raises(NestedTooDeepError, match="bytes"):
        value_of(raw)


def test_only_the_span_with_a_large_nested_value_is_left_out() -> None:
    """A span with too many nested bytes is left out and counted; the others of its request are taken."""
    request = traces({}, {})
    deep = b"x" * (MAX_NESTED_BYTES // 8)
    raw = field(1, deep)
    for _ in range(8):
        raw = field(5, field(1, raw))
    attribute = field(9, field(1, b"k") + field(2, raw))
    span = field(1, TRACE_ID) + field(2, SPAN_ID) + attribute
    body = request.SerializeToString() + field(1, field(2, field(2, span)))
    batch, rejected = decode_spans(body)
    assert (len(batch), dict(rejected.counts)) == (2, {"too_deep": 1})


@pytest.mark.parametrize("value", [math.nan, b"\x00", {"doubleValue": "NaN"}, [{"kvlistValue": {}}], "text", 1, None])
def test_json_values(value: Any) -> None:
    """A value for JSON reads back from the JSON of an array, whatever its type."""
    text = json.dumps([to_json_value(value)], allow_nan=False)
    assert repr(from_text(text, "a")) == repr([value])


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["bytesValue", "doubleValue", "kvlistValue", "a"]), inner, max_size=2)
        ),
    )
)
def test_every_value_is_json(value: Any) -> None:
    """Every value can be written as JSON without words that JSON does not have, such as NaN."""
    json.dumps(to_json_value(value), allow_nan=False)
