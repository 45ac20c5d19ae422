"""Values with very many members, or with large ones deep inside: what they cost stays bounded."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.server.otlp.building import SPAN_ID, TRACE_ID, any_value, field, nested, traces
from tests.server.otlp.decoding import decode_logs, decode_spans

from otel_sessions.server.otlp.encodings import Format
from otel_sessions.server.otlp.errors import NestedTooDeepError, TooLargeError
from otel_sessions.server.otlp.json import MOST_OBJECTS, traces_from_json
from otel_sessions.server.otlp.limits import ATTRIBUTES_A_RECORD
from otel_sessions.server.otlp.messages import messages
from otel_sessions.server.otlp.values import MAX_NESTED_BYTES, decode, split

MOST = 1000 * ATTRIBUTES_A_RECORD
EMPTY = b"\x0a\x00"
"""A member of an array or a map that says nothing."""


@pytest.fixture(autouse=True)
def fewer(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lower limit, to be quick."""
    monkeypatch.setattr("otel_sessions.server.otlp.limits.MOST_RECORDS", MOST // ATTRIBUTES_A_RECORD)


def span_with(*values: bytes) -> bytes:
    """A request of one span with these serialized values as attributes."""
    attributes = (field(9, field(1, b"k%d" % place) + field(2, value)) for place, value in enumerate(values))
    return field(1, field(2, field(2, field(1, TRACE_ID) + field(2, SPAN_ID) + b"".join(attributes))))


@pytest.mark.parametrize("kind", [5, 6])
def test_members_count_like_attributes(kind: int) -> None:
    """An array or a map with more members than a request may have attributes refuses the request."""
    with pytest.raises(TooLargeError, match="members of arrays and maps"):
        decode_spans(span_with(field(kind, EMPTY * MOST)))


def test_members_of_all_values_are_counted_together() -> None:
    """Many values of a few members each are no way around it, nor are members inside of members."""
    within = field(5, field(1, field(5, EMPTY * (MOST // 100))) * 10)
    with pytest.raises(TooLargeError):
        decode_spans(span_with(*[within] * 10))


def test_members_of_log_records_are_counted() -> None:
    """A body is counted like an attribute."""
    body = field(1, field(2, field(2, field(5, field(5, EMPTY * (MOST + 1))))))
    with pytest.raises(TooLargeError):
        decode_logs(body)


def test_each_request_starts_anew() -> None:
    """What one request held is not held against the next one, nor against a value on its own."""
    half = span_with(field(5, EMPTY * (MOST // 2 + 1)))
    for _ in range(2):
        batch, rejected = decode_spans(half)
        assert (len(batch), rejected.total) == (1, 0)
    assert decode(field(5, EMPTY * 3)) == [None] * 3


def test_a_request_counts_the_same_every_time() -> None:
    """Three records and four attributes fill up what the members leave; short values are remembered from request to request: one that was taken once is taken again by a new process."""
    short = [field(5, field(1, field(3, b"")) * 2 + EMPTY) for _ in range(3)]
    body = span_with(field(5, EMPTY * (MOST - 34)), *short)
    for _ in range(2):
        batch, _ = decode_spans(body)
        assert len(batch) == 1


def test_a_value_of_many_members_is_taken() -> None:
    """Half as many numbers in one attribute as a request may have are a lot, and fine."""
    numbers = list(range(MOST // 2))
    batch, _ = decode_spans(span_with(any_value(numbers).SerializeToString()))
    assert len(batch) == 1


@pytest.mark.parametrize("maps", [False, True])
def test_large_values_deep_inside_are_refused(maps: bool) -> None:
    """Every level holds a copy of what is below it: their sum is bounded, so that 60 MB do not become 8 GB."""
    leaf = nested(1) + field(15, bytes(MAX_NESTED_BYTES // 20))
    raw = leaf
    for _ in range(10):
        raw = field(6, field(1, field(2, raw))) if maps else field(5, field(1, raw))
    assert decode(raw)
    for _ in range(12):
        raw = field(6, field(1, field(2, raw))) if maps else field(5, field(1, raw))
    with pytest.raises(NestedTooDeepError, match="bytes"):
        decode(raw)


def test_only_the_span_with_such_a_value_is_left_out() -> None:
    """The others of its request are taken, and the client is told why."""
    request = traces({}, {})
    deep = b"x" * (MAX_NESTED_BYTES // 8)
    raw = field(1, deep)
    for _ in range(8):
        raw = field(5, field(1, raw))
    body = request.SerializeToString() + span_with(raw)
    batch, rejected = decode_spans(body)
    assert (len(batch), dict(rejected.counts)) == (2, {"too_deep": 1})


def test_json_of_too_many_objects() -> None:
    """Objects are counted before they are read; as many as real attributes need are fine."""

    def said(count: int) -> bytes:
        value = {"arrayValue": {"values": [dict[str, object]()] * count}}
        span = {"traceId": "0a" * 16, "spanId": "0a" * 8, "attributes": [{"key": "k", "value": value}]}
        return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}).encode()

    with pytest.raises(TooLargeError, match="braces"):
        decode_spans(said(MOST_OBJECTS), Format.JSON)
    batch, _ = decode_spans(said(1000), Format.JSON)
    assert len(batch) == 1


def test_a_negative_zero() -> None:
    """The Collector writes it as `-0`, which JSON has no other reading for than a whole number."""
    for kind, expected in (("doubleValue", "-0.0"), ("intValue", "0")):
        attribute = {"key": "k", "value": {kind: 0}}
        body = json.dumps({"resourceSpans": [{"resource": {"attributes": [attribute]}}]}).replace("0", "-0")
        assert repr(_first_value(body)) == expected


@pytest.mark.parametrize("written", ["1e20", "9223372036854775808", "-1.7976931348623157e308", "100000000000000000000"])
def test_whole_numbers_that_are_no_64_bit_integers(written: str) -> None:
    """JavaScript's JSON exporter calls every whole number an integer: one too large for that is a double."""
    said = json.dumps({"resourceSpans": [{"resource": {"attributes": [{"key": "k", "value": {"intValue": 0}}]}}]})
    body = said.replace("0", written)
    assert _first_value(body) == float(written)


def _first_value(body: str) -> Any:
    """The value of the first attribute of the first resource."""
    value = traces_from_json(body.encode()).resource_spans[0]
    resource = messages().resource_spans.FromString(value).resource
    return decode(split(resource.attributes[0])[1])
