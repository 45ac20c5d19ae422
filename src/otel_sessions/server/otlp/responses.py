"""The bodies of OTLP responses, in the format of the request."""

from __future__ import annotations

import math
from typing import Any

from google.protobuf import json_format  # type: ignore[import-untyped]
from google.rpc import error_details_pb2, status_pb2  # type: ignore[import-untyped]
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from otel_sessions.server.otlp.encodings import Format
from otel_sessions.server.otlp.errors import RequestError
from otel_sessions.server.otlp.partial_success import Rejected


def traces_response(rejected: Rejected, format_: Format = Format.PROTOBUF) -> bytes:
    """The body of an `ExportTraceServiceResponse`; with a partial success only if something was left out."""
    response = ExportTraceServiceResponse()
    if rejected.message:
        response.partial_success.rejected_spans = rejected.total
        response.partial_success.error_message = rejected.message
    return _body(response, format_)


def logs_response(rejected: Rejected, format_: Format = Format.PROTOBUF) -> bytes:
    """The body of an `ExportLogsServiceResponse`; with a partial success only if something was left out."""
    response = ExportLogsServiceResponse()
    if rejected.message:
        response.partial_success.rejected_log_records = rejected.total
        response.partial_success.error_message = rejected.message
    return _body(response, format_)


def error_response(error: RequestError, format_: Format = Format.PROTOBUF) -> bytes:
    """The body of a `google.rpc.Status`; over gRPC the value of `grpc-status-details-bin`.

    If the request may be sent again, it holds the delay after which.
    """
    status = status_pb2.Status(code=error.grpc_status, message=str(error))
    if error.retry_after is not None:
        retry = error_details_pb2.RetryInfo()
        retry.retry_delay.FromMilliseconds(math.ceil(error.retry_after * 1000))
        status.details.add().Pack(retry)
    return _body(status, format_)


def _body(message: Any, format_: Format) -> bytes:
    if format_ is Format.JSON:
        written: str = json_format.MessageToJson(message, indent=None)
        return written.encode()
    serialized: bytes = message.SerializeToString()
    return serialized
