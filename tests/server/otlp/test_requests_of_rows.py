"""Rows become the requests that they came in, as JSON and as protobuf."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from hypothesis import given
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from tests.server.otlp.building import AT, log_requests, row, span_requests, traces

from otel_sessions.server.otlp.decode import read_request
from otel_sessions.server.otlp.encodings import Format
from otel_sessions.server.otlp.requests_of_rows import json_requests, protobuf_requests
from otel_sessions.server.signals import LOGS, TRACES

WRITERS: list[tuple[Format, Callable[..., Iterator[bytes]]]] = [
    (Format.JSON, json_requests),
    (Format.PROTOBUF, protobuf_requests),
]


def rows_of(signal: str, body: bytes, format_: Format = Format.PROTOBUF) -> list[dict[str, Any]]:
    """The rows of a request."""
    _, batch, _ = read_request(signal, body, format_)
    return [row(batch, place) for place in range(len(batch))]


def again(signal: str, requests: Iterable[bytes], format_: Format) -> list[dict[str, Any]]:
    """The rows of several requests, of which none is left out."""
    rows: list[dict[str, Any]] = []
    for body in requests:
        _, batch, rejected = read_request(signal, body, format_)
        assert rejected.message == ""
        rows += [row(batch, place) for place in range(len(batch))]
    return rows


def in_order(rows: list[dict[str, Any]]) -> list[str]:
    """Rows in an order of their own: a request gathers those of one resource and scope."""
    return sorted(map(repr, rows))


@pytest.mark.parametrize(("format_", "write"), WRITERS, ids=["json", "protobuf"])
@given(request=span_requests())
def test_spans_read_back_as_they_were(format_: Format, write: Callable[..., Iterator[bytes]], request: Any) -> None:
    """Every column of every span is the same after its row was written as a request and read again."""
    rows = rows_of(TRACES, request.SerializeToString())
    assert in_order(again(TRACES, write(TRACES, rows), format_)) == in_order(rows)


@pytest.mark.parametrize(("format_", "write"), WRITERS, ids=["json", "protobuf"])
@given(request=log_requests())
def test_log_records_read_back_as_they_were(
    format_: Format, write: Callable[..., Iterator[bytes]], request: Any
) -> None:
    """Every column of every log record is the same after its row was written as a request and read again."""
    rows = rows_of(LOGS, request.SerializeToString())
    assert in_order(again(LOGS, write(LOGS, rows), format_)) == in_order(rows)


def test_a_request_is_what_came() -> None:
    """Protobuf of the rows of a request of the official classes is that request, byte by byte."""
    request = traces({"span_id": b"1" * 8, "kind": 2, "attributes": {"a": [1, None], "b": 1.5}}, {"trace_state": "a=b"})
    rows = rows_of(TRACES, request.SerializeToString())
    (written,) = protobuf_requests(TRACES, rows)
    assert ExportTraceServiceRequest.FromString(written) == request


@pytest.mark.parametrize(("format_", "write"), WRITERS, ids=["json", "protobuf"])
def test_requests_are_bounded(format_: Format, write: Callable[..., Iterator[bytes]]) -> None:
    """A request ends at a number of records or of bytes; every request tells the resource."""
    spans = [{"name": "x" * 100} for _ in range(10)]
    rows = rows_of(TRACES, traces(*spans).SerializeToString())
    assert len(list(write(TRACES, rows, records=3))) == 4
    assert len(list(write(TRACES, rows, size=600))) > 2
    assert again(TRACES, write(TRACES, rows, records=3), format_) == rows


def test_rows_of_a_collector_are_read_by_its_columns() -> None:
    """A row without the columns of ours has the times of the Collector's, all attributes as strings, and no more."""
    (ours,) = rows_of(
        TRACES, traces({"kind": 3, "attributes": {"a": "b"}, "start_time_unix_nano": AT}).SerializeToString()
    )
    theirs = {
        name: value
        for name, value in ours.items()
        if "Unix" not in name
        and "Types" not in name
        and "Dropped" not in name
        and "Schema" not in name
        and name not in ("Flags", "Extras", "ScopeAttributes")
    }
    theirs |= {"StatusCode": "STATUS_CODE_UNSET", "SpanKind": "SPAN_KIND_CLIENT"}
    assert again(TRACES, json_requests(TRACES, [theirs]), Format.JSON) == [ours]
