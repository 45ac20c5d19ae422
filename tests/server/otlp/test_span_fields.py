"""Both ways of reading a span give the same fields, whatever encoder wrote it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from tests.server.otlp.building import SPAN_ID, TRACE_ID, field, key_values, span_requests

from otel_sessions.server.otlp.errors import MalformedError
from otel_sessions.server.otlp.span_fields import parse_span_fields, read_span_fields


@settings(deadline=None)
@given(span_requests())
def test_any_span(request: Any) -> None:
    """A span of any shape, as protobuf writes it, has the same fields in both ways."""
    for resource_spans in request.resource_spans:
        for scope_spans in resource_spans.scope_spans:
            for span in scope_spans.spans:
                raw = span.SerializeToString()
                assert _plain(read_span_fields(raw)) == _plain(parse_span_fields(raw))


def _plain(fields: Any) -> Any:
    return (*fields[:8], list(fields[8]), fields[9])


FIELDS = (
    field(1, TRACE_ID),
    field(2, SPAN_ID),
    field(3, b"state"),
    field(3, b"s" * 200),
    field(4, bytes(range(2, 10))),
    field(4, b"short"),
    field(5, b"name"),
    field(5, b"n" * 200),
    b"\x30\x02",
    b"\x30\x82\x01",
    b"\x39" + bytes(range(8)),
    b"\x41" + bytes(range(8)),
    field(9, field(1, b"k") + field(2, field(1, b"v"))),
    field(9, field(1, b"k") + field(2, field(1, b"v" * 300))),
    field(9, field(1, b"k") + field(2, field(1, b"v" * 20_000))),
    b"\x50\x03",
    field(11, b""),
    field(15, b"\x18\x02"),
    b"\x85\x01\x01\0\0\0",
    b"\x07",
    b"\x4a",
    b"\x4a\xff\xff",
)


@settings(deadline=None)
@given(
    st.lists(st.sampled_from(FIELDS), max_size=12), st.sampled_from([(), (0, 1), (0, 1, 10, 11)]), st.integers(0, 30)
)
@example(parts=[], first=(0, 1, 10, 11), cut=2)
@example(parts=[FIELDS[3]], first=(0, 1), cut=0)
@example(parts=[FIELDS[7]], first=(0, 1), cut=0)
@example(parts=[FIELDS[9]], first=(0, 1), cut=0)
@example(parts=[FIELDS[12]], first=(0, 1, 10, 11), cut=2)
@example(parts=[FIELDS[12], FIELDS[6]], first=(0, 1, 10, 11), cut=0)
@example(parts=[FIELDS[12], FIELDS[8]], first=(0, 1, 10, 11), cut=0)
def test_fields_in_any_order(parts: list[bytes], first: tuple[int, ...], cut: int) -> None:
    """A span with repeated, missing, unordered, broken or cut fields is the same, or malformed, in both ways."""
    raw = b"".join([*(FIELDS[place] for place in first), *parts])
    raw = raw[: len(raw) - cut] if cut else raw
    _same_in_both_ways(raw)


def _same_in_both_ways(raw: bytes) -> None:
    try:
        expected = _plain(parse_span_fields(raw))
    except MalformedError:
        with pytest.raises(MalformedError):
            read_span_fields(raw)
    else:
        assert _plain(read_span_fields(raw)) == expected


def test_more_than_is_remembered() -> None:
    """The fields after the attributes are read also when more of them came than are remembered."""
    for flags in range(5_000):
        raw = Span(
            trace_id=TRACE_ID,
            span_id=SPAN_ID,
            start_time_unix_nano=1,
            end_time_unix_nano=2,
            attributes=key_values({"a": 1}),
            flags=flags,
        ).SerializeToString()
        assert read_span_fields(raw)[9].flags == flags


@pytest.mark.parametrize("length", [b"\x80" * 4 + b"\x01", b"\xff" * 1_000_000, b"\x85" + b"\x80" * 8 + b"\0"])
def test_lengths_of_many_bytes(length: bytes) -> None:
    """The length of an attribute may have more bytes than it needs; one that never ends is refused at once."""
    raw = b"".join([*(FIELDS[place] for place in (0, 1, 10, 11)), b"\x4a", length, b"12345"])
    _same_in_both_ways(raw)
