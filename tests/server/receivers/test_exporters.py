"""Spans of the official Python exporters read back from the store as they were sent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import grpc  # type: ignore[import-untyped]
import pytest
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpExporter
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from tests.server.receivers.python_spans import EVERY_TYPE, everything
from tests.server.receivers.reading import sent_spans, stored_span
from tests.server.receivers.serving import Server

from otel_sessions.server.queries.spans import session_spans

# The SDK logs that it drops attributes, as it should here.
pytestmark = pytest.mark.allow_opentelemetry_logs

Make = Callable[[Server], Any]

EXPORTERS: dict[str, Make] = {
    "grpc": lambda server: GrpcExporter(endpoint=server.target, insecure=True),
    "grpc-gzip": lambda server: GrpcExporter(endpoint=server.target, insecure=True, compression=grpc.Compression.Gzip),
    "http": lambda server: HttpExporter(endpoint=f"{server.url}/v1/traces"),
    "http-gzip": lambda server: HttpExporter(endpoint=f"{server.url}/v1/traces", compression=Compression.Gzip),
    "http-deflate": lambda server: HttpExporter(endpoint=f"{server.url}/v1/traces", compression=Compression.Deflate),
}


def export(server: Server, make: Make, spans: Sequence[ReadableSpan]) -> None:
    """Deliver spans with an exporter."""
    exporter = make(server)
    assert exporter.export(spans) is SpanExportResult.SUCCESS
    exporter.shutdown()


@pytest.mark.parametrize("name", list(EXPORTERS))
def test_spans_read_back_as_sent(shared: Server, name: str) -> None:
    """Every attribute type, events, links, flags, dropped counts, resource and scope are stored, over each protocol."""
    spans = everything(name)
    export(shared, EXPORTERS[name], spans)
    shared.backend.settle()
    page = session_spans(shared.backend.store, name)
    stored = sorted(map(stored_span, page.spans), key=lambda span: (span["trace_id"], span["span_id"]))
    sent = sent_spans(encode_spans(spans))
    assert repr(stored) == repr(sent)
    (whole,) = [span for span in stored if span["name"] == "everything"]
    assert set(EVERY_TYPE) < set(whole["attributes"])
    assert all(whole["dropped"])
    assert whole["events"][0][3] == 1
    assert {span["flags"] for span in stored} == {0x300, 0x100}


def test_sending_twice_changes_nothing(shared: Server) -> None:
    """A retry of a request that had arrived adds no spans."""
    spans = everything("twice")
    for name in ("grpc", "http"):
        export(shared, EXPORTERS[name], spans)
    assert len(shared.rows(where="SpanAttributes['session.id'] = 'twice'")) == len(spans)


def test_the_key_in_the_exporters_headers(shared: Server) -> None:
    """An exporter with the key in its headers, as `OTEL_EXPORTER_OTLP_HEADERS` sets them, is let in."""
    spans = everything("keyed")
    with Server(shared.backend, api_key="secret") as keyed:
        exporter = GrpcExporter(endpoint=keyed.target, insecure=True, headers={"authorization": "Bearer secret"})
        assert exporter.export(spans) is SpanExportResult.SUCCESS
        exporter.shutdown()
    assert len(shared.rows(where="SpanAttributes['session.id'] = 'keyed'")) == len(spans)
