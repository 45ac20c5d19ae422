"""Attributes of a span, as they are in a row and as they are counted."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from tests.server.otlp.building import any_value, attributes, field, key_values

from otel_sessions.dialects.read import is_read
from otel_sessions.server.clickhouse.row_binary import mapping
from otel_sessions.server.otlp import key_values as memo
from otel_sessions.server.otlp import span_attributes
from otel_sessions.server.otlp.attributes import read_attributes
from otel_sessions.server.otlp.span_attributes import read_span_attributes


@settings(deadline=None)
@given(attributes)
def test_like_other_attributes(sent: dict[str, Any]) -> None:
    """The same texts and types as the attributes of a resource have; of the values those that counting reads."""
    raws = [member.SerializeToString() for member in key_values(sent)]
    expected = read_attributes(raws)
    found = read_span_attributes(raws)
    assert found.texts == mapping(expected.texts)
    assert found.types == mapping(expected.types)
    assert repr(found.values) == repr({name: value for name, value in expected.values.items() if is_read(name)})


def test_the_last_of_equal_names() -> None:
    """It wins, with its type, wherever it stands."""
    raws = [field(1, b"session.id") + field(2, any_value(value).SerializeToString()) for value in (7, "a", 8, "b")]
    found = read_span_attributes(raws)
    assert found.texts == mapping({"session.id": "b"})
    assert found.types == mapping({})
    assert found.values == {"session.id": "b"}


def test_invalid_utf8() -> None:
    """Names and values get U+FFFD, two names that become one are one."""
    raws = [field(1, b"k" + bad) + field(2, field(1, b"v" + bad)) for bad in (b"\xff", b"\xfe")]
    assert read_span_attributes(raws).texts == mapping({"k\ufffd": "v\ufffd"})


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """By number and by length."""
    monkeypatch.setattr(memo, "REMEMBERED", 3)
    span_attributes._MEMBERS.clear()
    for number in range(10):
        read_span_attributes([field(1, b"k") + field(2, field(1, b"v" * number))])
        assert len(span_attributes._MEMBERS) <= 3
    read_span_attributes([field(1, b"k") + field(2, field(1, b"v" * 500))])
    assert all(len(raw) < 200 for raw in span_attributes._MEMBERS)
