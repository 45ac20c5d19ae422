"""One attribute value: to its text and type letter, and back."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from tests.server.otlp.building import any_value, any_values, nested

from otel_sessions.server.otlp.errors import MalformedError, NestedTooDeepError
from otel_sessions.server.otlp.values import MAX_NESTING, decode, restore, restore_all, store


@settings(deadline=None)
@given(any_values)
def test_reads_back(value: Any) -> None:
    """Every value that OTLP has is, after storing and restoring, the same in value, type and sign."""
    arrived = decode(any_value(value).SerializeToString())
    assert repr(arrived) == repr(value)
    assert repr(restore(*store(arrived))) == repr(value)


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
    assert store(value) == (text, letter)
    assert repr(restore(text, letter)) == repr(value)


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
    """A text that its type letter does not fit is given back as it is."""
    assert restore(text, letter) == text


def test_lookalikes() -> None:
    """A map of one entry that only resembles a wrapper is a map."""
    assert restore('{"doubleValue":"x"}', "m") == {"doubleValue": "x"}
    assert restore('{"kvlistValue":[]}', "m") == {"kvlistValue": []}


def test_row() -> None:
    """A row's attributes are restored by the type map; a row that has none is all strings."""
    assert restore_all([("a", "1"), ("b", "x")], {"a": "i"}) == {"a": 1, "b": "x"}
    assert restore_all([("a", "1")], {}) == {"a": "1"}


@pytest.mark.parametrize("maps", [False, True])
def test_nesting(maps: bool) -> None:
    """Values are read to 64 levels; one more is refused, for arrays and maps alike."""
    assert decode(nested(MAX_NESTING, maps=maps))
    with pytest.raises(NestedTooDeepError, match="64 levels"):
        decode(nested(MAX_NESTING + 1, maps=maps))


def test_no_value() -> None:
    """Bytes that are no value are refused, and an index into a table that traces do not have is empty."""
    with pytest.raises(MalformedError, match="AnyValue"):
        decode(b"\x0a\x05ab")
    assert decode(b"\x40\x01") is None


def test_invalid_utf8() -> None:
    """What is no UTF-8 is replaced, in values and in the keys of maps."""
    assert decode(b"\x0a\x02a\xff") == "a\ufffd"
    assert decode(b"\x32\x0a\x0a\x08\x0a\x01\xfe\x12\x03\x0a\x01b") == {"\ufffd": "b"}
