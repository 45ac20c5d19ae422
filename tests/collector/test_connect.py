"""The real Collector sends to a server with what `otel-sessions connect collector` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml  # type: ignore[import-untyped]
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace.export import SpanExportResult
from tests.collector.running import TO_FILE_CONFIG, Collector, poll
from tests.exporting import finished
from tests.server.running import Server

from otel_sessions.cli.client import Client, NotFoundError
from otel_sessions.cli.connect_targets import TARGETS

if TYPE_CHECKING:
    from pathlib import Path


def merged(first: Any, second: Any) -> Any:
    """Two configurations as one; where both have a value, the second counts."""
    if not isinstance(first, dict) or not isinstance(second, dict):
        return second
    return {**first, **second, **{name: merged(first[name], second[name]) for name in first.keys() & second.keys()}}


def test_the_printed_configuration(collector_binary: Path, tmp_path: Path) -> None:
    """Spans that the Collector gets are on the server, with the API key from the Collector's environment."""
    (block,) = TARGETS["collector"].blocks
    with Server(tmp_path / "store", "--api-key", "hush") as server:
        base = yaml.safe_load(TO_FILE_CONFIG.read_text())
        base["service"]["pipelines"] = {}
        config = tmp_path / "config.yaml"
        config.write_text(yaml.safe_dump(merged(base, yaml.safe_load(block.text(server.url, with_key=True)))))
        collector = Collector(collector_binary, config, tmp_path)
        collector.environment["OTEL_SESSIONS_API_KEY"] = "hush"
        client = Client(server.url, api_key="hush")

        def found() -> Any:
            try:
                return client.get("/v1/sessions/ticket-1")
            except NotFoundError:
                return None

        with collector:
            exporter = OTLPSpanExporter(endpoint=collector.http_endpoint)
            assert exporter.export([finished(1, session="ticket-1")]) is SpanExportResult.SUCCESS
            exporter.shutdown()  # type: ignore[no-untyped-call]
            assert poll(found, "session")["data"]["span_count"] == 1
