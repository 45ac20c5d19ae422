"""The responses to clients, as the official classes read them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from google.rpc.error_details_pb2 import RetryInfo  # type: ignore[import-untyped]
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from otel_sessions.server.otlp.encodings import Format
from otel_sessions.server.otlp.errors import (
    BusyError,
    MalformedError,
    NestedTooDeepError,
    RequestError,
    TooLargeError,
    UnsupportedContentTypeError,
    UnsupportedEncodingError,
)
from otel_sessions.server.otlp.partial_success import Rejected
from otel_sessions.server.otlp.responses import error_response, logs_response, traces_response


@pytest.fixture
def rejected() -> Rejected:
    """Three records that were left out."""
    rejected = Rejected()
    rejected.counts.update(["malformed", "invalid_span_id", "malformed"])
    return rejected


def test_full_success() -> None:
    """A response is empty if all records were taken."""
    for response in (traces_response, logs_response):
        assert response(Rejected()) == b""
        assert json.loads(response(Rejected(), Format.JSON)) == {}


def test_partial_success_of_traces(rejected: Rejected) -> None:
    """The response tells the number of spans that were left out, and why."""
    partial = ExportTraceServiceResponse.FromString(traces_response(rejected)).partial_success
    assert partial.rejected_spans == 3
    assert partial.error_message.startswith("1 rejected: the span id")
    assert partial.error_message.endswith("; 2 rejected: not a valid protobuf message")
    assert json.loads(traces_response(rejected, Format.JSON)) == {
        "partialSuccess": {"rejectedSpans": "3", "errorMessage": rejected.message}
    }


def test_partial_success_of_logs(rejected: Rejected) -> None:
    """The response tells the number of log records that were left out, and why."""
    partial = ExportLogsServiceResponse.FromString(logs_response(rejected)).partial_success
    assert (partial.rejected_log_records, partial.error_message) == (3, rejected.message)
    assert json.loads(logs_response(rejected, Format.JSON)) == {
        "partialSuccess": {"rejectedLogRecords": "3", "errorMessage": rejected.message}
    }


@pytest.mark.parametrize(
    ("error", "http_status", "grpc_status"),
    [
        (MalformedError("m"), 400, 3),
        (NestedTooDeepError("m"), 400, 3),
        (TooLargeError("m"), 413, 8),
        (UnsupportedEncodingError("m"), 415, 12),
        (UnsupportedContentTypeError("m"), 415, 3),
    ],
)
def test_errors(error: RequestError, http_status: int, grpc_status: int) -> None:
    """A refused request has a status over both protocols, with the message and without a delay."""
    assert (error.http_status, error.grpc_status) == (http_status, grpc_status)
    status: Any = Status.FromString(error_response(error))
    assert (status.code, status.message, len(status.details)) == (grpc_status, "m", 0)
    assert json.loads(error_response(error, Format.JSON)) == {"code": grpc_status, "message": "m"}


def test_busy() -> None:
    """The response to a request that may be sent again holds the delay."""
    error = BusyError("later", retry_after=1.5)
    assert (error.http_status, error.grpc_status, error.retry_after) == (429, 8, 1.5)
    status: Any = Status.FromString(error_response(error))
    retry: Any = RetryInfo()
    assert status.details[0].Unpack(retry)
    assert retry.retry_delay.ToMilliseconds() == 1500
    assert json.loads(error_response(error, Format.JSON))["details"][0]["retryDelay"] == "1.500s"
