"""Spans and logs that pass through a real Collector with our agent.yaml read back as they were sent."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import grpc  # type: ignore[import-untyped]
import pytest
import yaml  # type: ignore[import-untyped]
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from tests.collector.conftest import collector_binary  # noqa: F401 - a fixture
from tests.collector.running import AGENT_CONFIG, Collector, free_ports, poll
from tests.server.otlp.building import AT, any_value, key_values, traces
from tests.server.receivers.reading import restored, sent_spans, stored_span
from tests.server.receivers.serving import DEADLINE, LOGS_EXPORT, TRACE_EXPORT, Server

from otel_sessions.server.backend import Backend
from otel_sessions.server.otlp.values import from_text

VALUES: dict[str, Any] = {
    "session.id": "through the agent",
    "text": "plain",
    "unicode": "Grüße 😀 '; DROP TABLE otel_traces; --<script>alert(1)</script>",
    "no text": "",
    "true": True,
    "false": False,
    "largest": 2**63 - 1,
    "smallest": -(2**63),
    "double": 0.1,
    "whole double": 2.0,
    "negative zero": -0.0,
    "not a number": float("nan"),
    "infinite": float("-inf"),
    "bytes": b"\x00\xff",
    "array": ["a", 1, 2.0, True, b"x", None, ["nested"]],
    "map": {"a": 1, "b": {"c": [1.0, {}]}},
    "nothing": None,
}


def agent_config(folder: Path, protocol: str) -> Path:
    """agent.yaml, or the same with OTLP over HTTP in this encoding instead of gRPC."""
    if protocol == "grpc":
        return AGENT_CONFIG
    config = yaml.safe_load(AGENT_CONFIG.read_text())
    settings = config["exporters"].pop("otlp_grpc")
    del settings["tls"]
    config["exporters"]["otlp_http"] = {**settings, "encoding": protocol}
    for pipeline in config["service"]["pipelines"].values():
        pipeline["exporters"] = ["otlp_http"]
    path = folder / "agent-http.yaml"
    path.write_text(yaml.safe_dump(config))
    return path


def requests(session: str) -> tuple[Any, Any]:
    """Spans and log records with everything that OTLP can hold."""
    attributes = {**VALUES, "session.id": session}
    given = key_values(VALUES)
    event = {"time_unix_nano": AT, "name": "event", "attributes": given, "dropped_attributes_count": 1}
    link = {"trace_id": b"t" * 16, "span_id": b"s" * 8, "trace_state": "a=b", "attributes": given, "flags": 0x101}
    whole = {
        "trace_id": session.encode().ljust(16, b"."),
        "parent_span_id": b"p" * 8,
        "trace_state": "vendor=state",
        "kind": 4,
        "attributes": attributes,
        "status": {"code": 2, "message": "went wrong"},
        "events": [event, {"time_unix_nano": AT + 1, "name": ""}],
        "links": [link, {"trace_id": b"t" * 16, "span_id": b"s" * 8}],
        "flags": 0x301,
        "dropped_attributes_count": 1,
        "dropped_events_count": 2,
        "dropped_links_count": 3,
    }
    spans = traces(whole, {"trace_id": whole["trace_id"], "attributes": {"session.id": session}}, attributes=VALUES)
    scope = spans.resource_spans[0].scope_spans[0]
    scope.scope.version = "1.2"
    scope.scope.attributes.extend(given)
    scope.schema_url = spans.resource_spans[0].schema_url = "https://example.com/schema"
    logs = ExportLogsServiceRequest()
    records = logs.resource_logs.add().scope_logs.add().log_records
    for number, body in enumerate(VALUES.values()):
        record = records.add(trace_id=whole["trace_id"], span_id=bytes([number + 1] * 8), time_unix_nano=AT)
        record.body.CopyFrom(any_value(body))
        record.attributes.extend(key_values(attributes))
    return spans, logs


@pytest.mark.parametrize("protocol", ["grpc", "proto", "json"])
def test_what_the_agent_delivers_reads_back_as_sent(
    collector_binary: Path,  # noqa: F811 - the fixture
    backend: Backend,
    tmp_path: Path,
    protocol: str,
) -> None:
    """Spans and logs that the agent took while the server was away are delivered as they were sent, over each protocol."""
    ports = free_ports(2)
    endpoint = f"127.0.0.1:{ports[1]}" if protocol == "grpc" else f"http://127.0.0.1:{ports[0]}"
    spans, logs = requests(protocol)
    trace_id = protocol.encode().ljust(16, b".")
    with Collector(collector_binary, agent_config(tmp_path, protocol), tmp_path, endpoint=endpoint) as agent:
        with closing(grpc.insecure_channel(f"127.0.0.1:{agent.grpc_port}")) as channel:
            for method, request in ((TRACE_EXPORT, spans), (LOGS_EXPORT, logs)):
                channel.unary_unary(method)(request.SerializeToString(), timeout=DEADLINE)
        poll(lambda: "Exporting failed. Will retry" in agent.log() or None, "try that failed")
        with Server(backend, ports=(ports[0], ports[1])) as server:
            stored = poll(lambda: server.spans(trace_id) or None, "spans")
            records = poll(lambda: server.rows("otel_logs", f"TraceId = '{trace_id.hex()}'") or None, "log records")
    assert repr([stored_span(row) for row in stored]) == repr(sent_spans(spans))
    assert repr([from_text(row["Body"], row["BodyType"]) for row in records]) == repr(list(VALUES.values()))
    for row in records:
        attributes = restored(row, "LogAttributes", "LogAttributeTypes")
        assert repr(attributes) == repr({**VALUES, "session.id": protocol})
