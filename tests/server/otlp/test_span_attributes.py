"""Attributes of a span, as they are in a row and as they are counted."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from tests.server.otlp.building import any_value, attributes, field, key_values

from otel_sessions.dialects.read import is_read
from otel_sessions.server.clickhouse.row_binary import mapping
from otel_sessions.server.otlp.attributes import read_attributes
from otel_sessions.server.otlp.key_values import REMEMBERED
from otel_sessions.server.otlp.limits import RecordBudget
from otel_sessions.server.otlp.span_attributes import SpanAttributes, read_span_attributes


def _read(raws: list[bytes]) -> SpanAttributes:
    return read_span_attributes(raws, RecordBudget())


@settings(deadline=None)
@given(attributes)
def test_like_other_attributes(sent: dict[str, Any]) -> None:
    """A span has the same texts and types as the attributes of a resource, and the values that counting reads."""
    raws = [member.SerializeToString() for member in key_values(sent)]
    expected = read_attributes(raws, RecordBudget())
    found = _read(raws)
    assert found.texts == mapping(expected.texts)
    assert found.types == mapping(expected.types)
    assert repr(found.values) == repr({name: value for name, value in expected.values.items() if is_read(name)})


def test_the_last_of_equal_names() -> None:
    """The last of equal names wins, with its type, wherever it stands."""
    raws = [field(1, b"session.id") + field(2, any_value(value).SerializeToString()) for value in (7, "a", 8, "b")]
    found = _read(raws)
    assert found.texts == mapping({"session.id": "b"})
    assert found.types == mapping({})
    assert found.values == {"session.id": "b"}


def test_invalid_utf8() -> None:
    """Names and values that are not UTF-8 get U+FFFD; two names that become the same are one."""
    raws = [field(1, b"k" + bad) + field(2, field(1, b"v" + bad)) for bad in (b"\xff", b"\xfe")]
    assert _read(raws).texts == mapping({"k\ufffd": "v\ufffd"})


def test_more_than_is_remembered() -> None:
    """More attributes than are remembered are read all the same."""
    sent = {f"name {number}": number for number in range(REMEMBERED + 10)}
    found = _read([member.SerializeToString() for member in key_values(sent)])
    assert found.texts == mapping({name: str(number) for name, number in sent.items()})
