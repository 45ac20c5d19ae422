"""The short cut to the key and the value of a short attribute."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.server.otlp.building import any_value, any_values, field, texts

from otel_sessions.server.otlp.errors import MalformedError
from otel_sessions.server.otlp.key_values import SHORT, end_of_key
from otel_sessions.server.otlp.limits import RecordBudget
from otel_sessions.server.otlp.values import decode, split


@settings(deadline=None)
@given(st.text("k", max_size=70), st.text(max_size=70) | texts)
def test_short_ascii_strings(key: str, value: str) -> None:
    """The short cut is taken for every short ASCII string, and for nothing else, and finds its key and its value."""
    raw = field(1, key.encode()) + field(2, field(1, value.encode()))
    end = end_of_key(raw)
    if len(raw) > SHORT or not value.isascii():
        assert end is None
    else:
        assert end is not None
        assert (raw[2:end].decode(), raw[end + 4 :].decode()) == (key, value)


@settings(deadline=None)
@given(st.text("k", max_size=5), any_values.filter(lambda value: not isinstance(value, str)))
def test_other_types(key: str, value: object) -> None:
    """The short cut is not taken for values of other types."""
    assert end_of_key(field(1, key.encode()) + field(2, any_value(value).SerializeToString())) is None


@settings(deadline=None)
@example(field(1, b"k") + field(2, b"\x18\x01") + b"\x18\x05")  # another field after the value
@example(field(1, b"k") + field(2, field(1, b"a") + b"\x10\x01"))  # two values, of which the last counts
@example(field(1, b"k" * 129 + b"\x12") + field(2, field(1, b"v" * 15)))  # what looks like a tag inside a long key
@given(st.lists(st.sampled_from([0x0A, 0x12, 0, 1, 2, 3, 4, 0x61, 0x80]), max_size=12).map(bytes))
def test_any_bytes(raw: bytes) -> None:
    """The short cut, where it is taken, gives the key and the value that parsing gives."""
    end = end_of_key(raw)
    if end is not None:
        name, inner = split(raw)
        assert (raw[2:end].decode(), raw[end + 4 :].decode()) == (name, decode(inner, RecordBudget()))


@pytest.mark.parametrize("raw", [b"", b"\x0a", b"\x07", field(1, b"k"), field(1, b"k") + b"\x12\x05\x0a"])
def test_broken_attributes(raw: bytes) -> None:
    """An attribute that is cut off or broken is left to the parser."""
    assert end_of_key(raw) is None


def test_a_broken_attribute_is_refused_by_the_parser() -> None:
    """Bytes that are not a valid `KeyValue` raise an error that names the message."""
    with pytest.raises(MalformedError, match="KeyValue"):
        split(b"\x07")
