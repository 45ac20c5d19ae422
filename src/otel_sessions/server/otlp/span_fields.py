"""The fields of a serialized `Span`.

All encoders write fields in the order of their numbers. The fields that a span begins with (ids, name, kind, times and
attributes) are read directly from the bytes. Those after the attributes, mostly the same few bytes, are parsed once and
remembered. A span in any other order, or with an unexpected field, is parsed as a message; both ways give the same,
with one exception: a field that comes a second time, out of order and empty, which no encoder writes, keeps its value.
"""

from __future__ import annotations

from collections.abc import Sequence
from struct import Struct
from typing import Any, Final, NamedTuple

from otel_sessions.server.otlp.memo import Memo
from otel_sessions.server.otlp.messages import messages, parse

_TIMES: Final = Struct("<QxQ")

_TRACE_ID, _SPAN_ID, _TRACE_STATE, _PARENT, _NAME, _KIND, _START, _END, _ATTRIBUTE = (
    *(0x0A, 0x12, 0x1A, 0x22, 0x2A),
    *(0x30, 0x39, 0x41, 0x4A),
)
"""The bytes that fields 1 to 9 begin with: the number of the field, and the form of its value."""

_LONG: Final = 0x80
"""A length of more than one byte."""

_MOST_SHIFT: Final = 28
"""A length of more bytes is left to protobuf: millions of them would add up to one huge integer."""

_LONGEST_TAIL: Final = 64
"""Bytes. Longer ones hold events, links or a status message, which hardly repeat."""


class SpanRest(NamedTuple):
    """The fields after the attributes: counts, flags, code and message of the status, serialized events and links."""

    dropped_attributes: int
    dropped_events: int
    dropped_links: int
    flags: int
    code: int
    message: bytes
    events: Sequence[bytes]
    links: Sequence[bytes]


SpanFields = tuple[bytes, bytes, bytes, bytes, bytes, int, int, int, Sequence[bytes], SpanRest]
"""Trace id, span id, trace state, parent span id, name, kind, start, end, attributes, and the rest."""


def read_span_fields(raw: bytes) -> SpanFields:
    """The fields of a serialized `Span`.

    Raises:
        MalformedError: these bytes are not a valid `Span`.
    """
    try:
        fields = _along(raw)
    except IndexError:
        fields = None
    return parse_span_fields(raw) if fields is None else fields


def parse_span_fields(raw: bytes) -> SpanFields:
    """The same for a span in any order, from a message.

    Raises:
        MalformedError: these bytes are not a valid `Span`.
    """
    span = parse(messages().traces.record, raw)
    return (
        span.trace_id,
        span.span_id,
        span.trace_state,
        span.parent_span_id,
        span.name,
        span.kind,
        span.start_time_unix_nano,
        span.end_time_unix_nano,
        tuple(span.attributes),
        _rest_of(span),
    )


def _along(raw: bytes) -> SpanFields | None:
    """The fields of a span in the usual order; `None`, or an `IndexError`, for any other."""
    if raw[0] != _TRACE_ID or raw[1] != 16 or raw[18] != _SPAN_ID or raw[19] != 8:
        return None
    at = 28
    trace_state = parent_id = name = b""
    kind = 0
    if raw[at] == _TRACE_STATE:
        end = at + 2 + raw[at + 1]
        if raw[at + 1] >= _LONG:
            return None
        trace_state = raw[at + 2 : end]
        at = end
    if raw[at] == _PARENT:
        if raw[at + 1] != 8:
            return None
        parent_id = raw[at + 2 : at + 10]
        at += 10
    if raw[at] == _NAME:
        end = at + 2 + raw[at + 1]
        if raw[at + 1] >= _LONG:
            return None
        name = raw[at + 2 : end]
        at = end
    if raw[at] == _KIND:
        kind = raw[at + 1]
        if kind >= _LONG:
            return None
        at += 2
    if raw[at] != _START or raw[at + 9] != _END:
        return None
    size = len(raw)
    if at + 18 > size:
        return None
    start, finish = _TIMES.unpack_from(raw, at + 1)
    at += 18
    attributes: list[bytes] = []
    while at < size and raw[at] == _ATTRIBUTE:
        length = raw[at + 1]
        at += 2
        if length >= _LONG:
            shift = 7
            length &= 127
            while raw[at] >= _LONG:
                if shift == _MOST_SHIFT:
                    return None
                length |= (raw[at] & 127) << shift
                shift += 7
                at += 1
            length |= raw[at] << shift
            at += 1
        end = at + length
        attributes.append(raw[at:end])
        at = end
    if at > size:
        return None
    rest = _RESTS[raw[at:]]
    if rest is None:
        return None
    return raw[2:18], raw[20:28], trace_state, parent_id, name, kind, start, finish, attributes, rest


def _rest(tail: bytes) -> SpanRest | None:
    """The fields of a span after its attributes; `None` if there are others among them."""
    span = parse(messages().traces.record, tail)
    if span.trace_id or span.span_id or span.trace_state or span.parent_span_id or span.name or span.attributes:
        return None
    if span.kind or span.start_time_unix_nano or span.end_time_unix_nano:
        return None
    return _rest_of(span)


def _rest_of(span: Any) -> SpanRest:
    status = span.status
    return SpanRest(
        span.dropped_attributes_count,
        span.dropped_events_count,
        span.dropped_links_count,
        span.flags,
        status.code,
        status.message,
        tuple(span.events),
        tuple(span.links),
    )


_RESTS: Final = Memo(_rest, longest=_LONGEST_TAIL)
