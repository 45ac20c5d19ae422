"""The budget of a request: what is counted, that it depends on the request alone, and where reading stops."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from tests.server.otlp.building import (
    BROKEN,
    SPAN_ID,
    TRACE_ID,
    any_value,
    as_json,
    decoded,
    field,
    key_values,
    log_requests,
    span_requests,
    traces,
)
from tests.server.otlp.decoding import decode_logs, decode_spans

from otel_sessions.server.otlp.decode import read_payload, read_request
from otel_sessions.server.otlp.encodings import Format
from otel_sessions.server.otlp.errors import TooLargeError
from otel_sessions.server.otlp.limits import ATTRIBUTES_A_RECORD, MOST_RECORDS, RecordBudget
from otel_sessions.server.signals import LOGS, TRACES

RECORDS = 1000
MOST = RECORDS * ATTRIBUTES_A_RECORD
EMPTY = b"\x0a\x00"
"""A member of an array or a map that says nothing."""


def span_with(*values: bytes) -> bytes:
    """A request of one span with these serialized values as attributes."""
    attributes = (field(9, field(1, b"k%d" % place) + field(2, value)) for place, value in enumerate(values))
    return field(1, field(2, field(2, field(1, TRACE_ID) + field(2, SPAN_ID) + b"".join(attributes))))


def of_value(value: Any) -> int:
    """The members of an official `AnyValue`, and the members of these."""
    if value.WhichOneof("value") == "array_value":
        members = list(value.array_value.values)
    elif value.WhichOneof("value") == "kvlist_value":
        members = [member.value for member in value.kvlist_value.values]
    else:
        return 0
    return len(members) + sum(map(of_value, members))


def of_attributes(attributes: Any) -> int:
    """What attributes count."""
    return len(attributes) + sum(of_value(attribute.value) for attribute in attributes)


def of_groups(groups: Any, scope_groups: str, records: str, of_record: Any) -> int:
    """What a request counts, by resource, by scope and by record."""
    total = ATTRIBUTES_A_RECORD * len(groups)
    for group in groups:
        scopes = getattr(group, scope_groups)
        total += of_attributes(group.resource.attributes) + ATTRIBUTES_A_RECORD * len(scopes)
        for scope in scopes:
            found = getattr(scope, records)
            total += of_attributes(scope.scope.attributes) + ATTRIBUTES_A_RECORD * len(found)
            total += sum(map(of_record, found))
    return total


def of_span(span: Any) -> int:
    """What a span counts beyond being a record; one without valid ids is not read any further."""
    if not (len(span.trace_id) == 16 and any(span.trace_id) and len(span.span_id) == 8 and any(span.span_id)):
        return 0
    attached = [*span.events, *span.links]
    return of_attributes(span.attributes) + sum(ATTRIBUTES_A_RECORD + of_attributes(one.attributes) for one in attached)


def of_log_record(record: Any) -> int:
    """What a log record counts beyond being a record."""
    return of_value(record.body) + of_attributes(record.attributes)


def spent(signal: str, body: bytes, format_: Format = Format.PROTOBUF) -> int:
    """What reading a request counts."""
    budget = RecordBudget()
    read_request(signal, body, format_, budget=budget)
    return budget.spent


@settings(deadline=None)
@given(span_requests(), span_requests())
def test_spans_count_the_same_every_time(request: Any, other: Any) -> None:
    """A request counts what is in it: the first time, again, after others, and in JSON."""
    expected = of_groups(request.resource_spans, "scope_spans", "spans", of_span)
    for _ in range(2):
        assert spent(TRACES, request.SerializeToString()) == expected
        spent(TRACES, other.SerializeToString())
    assert spent(TRACES, as_json(request), Format.JSON) == expected


@settings(deadline=None)
@given(log_requests(), log_requests())
def test_log_records_count_the_same_every_time(request: Any, other: Any) -> None:
    """A request of log records counts what is in it: the first time, again, and after others."""
    expected = of_groups(request.resource_logs, "scope_logs", "log_records", of_log_record)
    for _ in range(2):
        assert spent(LOGS, request.SerializeToString()) == expected
        spent(LOGS, other.SerializeToString())


@pytest.mark.parametrize("size", [50, 100])
def test_remembered_attributes_count_all_their_members(size: int) -> None:
    """Short attributes, which are remembered, and long ones cost the same whenever a request is read."""
    arrays = {f"array {size} {number}": [None] * size for number in range(1000)}
    body = traces({"attributes": arrays}, attributes={}).SerializeToString()
    records = (3 * ATTRIBUTES_A_RECORD + 1000 * (1 + size)) // ATTRIBUTES_A_RECORD
    for _ in range(2):
        with pytest.raises(TooLargeError):
            decode_spans(body, budget=RecordBudget(records - 1))
        batch, _ = decode_spans(body, budget=RecordBudget(records))
        assert len(batch) == 1


def test_repeated_names_count_once_each() -> None:
    """Attributes that are read twice because their names repeat are counted as they came."""
    request = traces({"attributes": {"a": [1, 2, 3], "b": "x"}}, attributes={})
    request.resource_spans[0].scope_spans[0].spans[0].attributes.extend(key_values({"a": [4], "c": ["x" * 200]}))
    expected = of_groups(request.resource_spans, "scope_spans", "spans", of_span)
    assert [spent(TRACES, request.SerializeToString()) for _ in range(2)] == [expected] * 2


@pytest.mark.parametrize("kind", [5, 6])
def test_members_count_like_attributes(kind: int) -> None:
    """An array or a map with more members than a request may have attributes refuses the request."""
    with pytest.raises(TooLargeError, match="members of arrays and maps"):
        decode_spans(span_with(field(kind, EMPTY * MOST)), budget=RecordBudget(RECORDS))


def test_members_of_all_values_are_counted_together() -> None:
    """Many values of a few members each add up, and so do members inside of members."""
    within = field(5, field(1, field(5, EMPTY * (MOST // 100))) * 10)
    with pytest.raises(TooLargeError):
        decode_spans(span_with(*[within] * 10), budget=RecordBudget(RECORDS))


def test_reading_stops_within_an_attribute() -> None:
    """A value is not read any further once the budget is spent."""
    half = field(1, field(5, EMPTY * (MOST // 2)))
    with pytest.raises(TooLargeError):
        decode_spans(span_with(field(5, half * 3 + field(1, BROKEN))), budget=RecordBudget(RECORDS))


def test_members_of_log_records_are_counted() -> None:
    """A body is counted like an attribute."""
    body = field(1, field(2, field(2, field(5, field(5, EMPTY * (MOST + 1))))))
    with pytest.raises(TooLargeError):
        decode_logs(body, budget=RecordBudget(RECORDS))


def test_each_request_has_its_own_budget() -> None:
    """The members of one request are not counted in the next one."""
    half = span_with(field(5, EMPTY * (MOST // 2 + 1)))
    for _ in range(2):
        batch, rejected = decode_spans(half, budget=RecordBudget(RECORDS))
        assert (len(batch), rejected.total) == (1, 0)


def test_a_value_of_many_members_is_taken() -> None:
    """An attribute may have half as many numbers as a request may have attributes."""
    numbers = list(range(MOST // 2))
    batch, _ = decode_spans(span_with(any_value(numbers).SerializeToString()), budget=RecordBudget(RECORDS))
    assert len(batch) == 1


def test_too_many_spans() -> None:
    """A request of 100,000 spans is read; one of more than `MOST_RECORDS` is refused before its spans are read."""
    span = field(2, Span(trace_id=TRACE_ID, span_id=SPAN_ID).SerializeToString())
    batch, _ = decode_spans(field(1, field(2, span * 100_000)))
    assert len(batch) == 100_000
    with pytest.raises(TooLargeError, match="more than 250000 records"):
        decode_spans(field(1, field(2, span * MOST_RECORDS)))


@pytest.mark.parametrize("part", [field(9, b""), field(11, b""), field(13, b""), field(11, field(3, b"") * 40)])
def test_too_many_parts_of_a_span(part: bytes) -> None:
    """Attributes, events and links count as well, so that a small request cannot become a large batch."""
    span = Span(trace_id=TRACE_ID, span_id=SPAN_ID).SerializeToString()
    decode_spans(field(1, field(2, field(2, span))), budget=RecordBudget(5))
    with pytest.raises(TooLargeError, match="more than 5 records"):
        decode_spans(field(1, field(2, field(2, span + part * 30))), budget=RecordBudget(5))


@pytest.mark.parametrize("number", [1, 2])
def test_too_many_shared_attributes(number: int) -> None:
    """The attributes of a resource and of a scope count too."""
    attributes = field(1, b"") if number == 1 else field(3, b"")
    shared = field(1, attributes * 31)
    resource_spans = shared if number == 1 else field(2, shared)
    with pytest.raises(TooLargeError, match="more than 5 records"):
        decode_spans(field(1, resource_spans + field(2, b"")), budget=RecordBudget(5))


def test_a_request_that_fills_its_budget_is_read_at_replay() -> None:
    """A request that was acknowledged at the bound is read again, and equally when the bound is lower by then."""
    payload = span_with(field(5, EMPTY * (MOST - 31)))
    acknowledged, batch, _ = read_request(TRACES, payload, Format.PROTOBUF, budget=RecordBudget(RECORDS))
    assert read_payload(TRACES, acknowledged).rows == batch.rows
    with pytest.raises(TooLargeError):
        read_request(TRACES, payload, Format.PROTOBUF, budget=RecordBudget(RECORDS - 1))


def test_a_replay_is_not_limited() -> None:
    """A payload is read whatever it counts."""
    valid = field(2, Span(trace_id=TRACE_ID, span_id=SPAN_ID).SerializeToString())
    payload = field(1, field(2, field(2, b"") * MOST_RECORDS + valid))
    with pytest.raises(TooLargeError):
        read_request(TRACES, payload, Format.PROTOBUF)
    assert len(read_payload(TRACES, payload)) == 1


def test_a_decoded_batch_is_the_same_without_a_bound() -> None:
    """A budget only counts; it does not change what is read."""
    request = traces({"attributes": {"a": [1, [2.5, None]], "b": {"c": b"x"}}})
    limited = decoded(request)
    unlimited = read_payload(TRACES, request.SerializeToString())
    assert (unlimited.rows, unlimited.facts) == (limited.rows, limited.facts)
