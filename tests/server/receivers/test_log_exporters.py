"""Records of the official Python log exporters read back from the store as they were sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import grpc  # type: ignore[import-untyped]
import pytest
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter as HttpExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context
from tests.server.receivers.python_spans import EVERY_TYPE
from tests.server.receivers.reading import restored
from tests.server.receivers.serving import Server

from otel_sessions.server.otlp.values import from_text

EXPORTERS: dict[str, Callable[[Server], Any]] = {
    "grpc": lambda server: GrpcExporter(endpoint=server.target, insecure=True),
    "grpc-gzip": lambda server: GrpcExporter(endpoint=server.target, insecure=True, compression=grpc.Compression.Gzip),
    "http": lambda server: HttpExporter(endpoint=f"{server.url}/v1/logs"),
    "http-gzip": lambda server: HttpExporter(endpoint=f"{server.url}/v1/logs", compression=Compression.Gzip),
}

BODIES: list[Any] = ["said", 7, 0.5, True, b"\x00\xff", ["a", 1, None], {"a": {"b": [1.0, b"x"]}}, None]
ATTRIBUTES: dict[str, Any] = {
    **{name: list(value) if isinstance(value, tuple) else value for name, value in EVERY_TYPE.items()},
    "bytes": b"\x00\xff",
    "map": {"a": 1, "b": {"c": [True, 2.0, b"x", None]}},
}
"""Log records take more types than spans."""


@pytest.mark.parametrize("name", list(EXPORTERS))
def test_records_read_back_as_sent(shared: Server, name: str) -> None:
    """Body and attributes of every type, times, severity, event name, trace context, resource and scope are stored."""
    trace_id = 0xABC00 + list(EXPORTERS).index(name)
    context = set_span_in_context(NonRecordingSpan(SpanContext(trace_id, 0x7, False, TraceFlags(1))))
    provider = LoggerProvider(Resource({"service.name": "shop", "texts": ("a", "b")}), shutdown_on_exit=False)
    provider.add_log_record_processor(SimpleLogRecordProcessor(EXPORTERS[name](shared)))
    logger = provider.get_logger("scope", "1.2", "https://example.com/scope", {"on": "scope", "number": 7})
    for number, body in enumerate(BODIES):
        logger.emit(
            LogRecord(
                timestamp=10**18 + number,
                observed_timestamp=10**18 + 100,
                context=context,
                severity_text="WARN",
                severity_number=SeverityNumber.WARN,
                body=body,
                attributes=ATTRIBUTES,
                event_name="gen_ai.evaluation.result",
            )
        )
    provider.shutdown()
    rows = shared.rows("otel_logs", f"TraceId = '{trace_id:032x}'")
    rows.sort(key=lambda row: row["Timestamp"])
    assert repr([from_text(row["Body"], row["BodyType"]) for row in rows]) == repr(BODIES)
    for number, row in enumerate(rows):
        assert repr(restored(row, "LogAttributes", "LogAttributeTypes")) == repr(ATTRIBUTES)
        assert restored(row, "ResourceAttributes", "ResourceAttributeTypes") == {
            "service.name": "shop",
            "texts": ["a", "b"],
        }
        assert restored(row, "ScopeAttributes", "ScopeAttributeTypes") == {"on": "scope", "number": 7}
        assert (row["Timestamp"], row["ObservedTimestamp"]) == (10**18 + number, 10**18 + 100)
        assert (row["SeverityText"], row["SeverityNumber"]) == ("WARN", 13)
        assert (row["EventName"], row["SpanId"], row["TraceFlags"]) == (
            "gen_ai.evaluation.result",
            "0000000000000007",
            1,
        )
        assert (row["ScopeName"], row["ScopeVersion"], row["ScopeSchemaUrl"]) == (
            "scope",
            "1.2",
            "https://example.com/scope",
        )
