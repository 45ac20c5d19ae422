"""Requests read as a server reads them, without the bytes that it keeps."""

from __future__ import annotations

from otel_sessions.server.otlp.batch import LogBatch, SpanBatch
from otel_sessions.server.otlp.decode import read_request
from otel_sessions.server.otlp.encodings import Format
from otel_sessions.server.otlp.limits import RecordBudget
from otel_sessions.server.otlp.partial_success import Rejected
from otel_sessions.server.signals import LOGS, TRACES


def decode_spans(
    body: bytes, format_: Format = Format.PROTOBUF, *, budget: RecordBudget | None = None
) -> tuple[SpanBatch, Rejected]:
    """The spans of a request that are taken, and how many are not."""
    _, batch, rejected = read_request(TRACES, body, format_, budget=budget)
    return batch, rejected


def decode_logs(
    body: bytes, format_: Format = Format.PROTOBUF, *, budget: RecordBudget | None = None
) -> tuple[LogBatch, Rejected]:
    """The log records of a request that are taken, and how many are not."""
    _, batch, rejected = read_request(LOGS, body, format_, budget=budget)
    return batch, rejected
