"""Files that the real Collector wrote come in as what was sent to it."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from urllib.request import urlopen

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from tests.cli.terminal import in_pipe
from tests.collector.running import Collector
from tests.server.otlp.building import AT, any_value, key_values, traces
from tests.server.running import Server, post

CONFIG = Path(__file__).with_name("to_files.yaml")
SUFFIXES = ("", ".proto", ".zst", ".proto.zst")


def spans() -> bytes:
    """A request with values of every type, an event and a link."""
    values = {
        "session.id": "one",
        "text": "é",
        "big": 2**63 - 1,
        "nan": float("nan"),
        "raw": b"\0",
        "map": {"a": [1, True]},
    }
    span = {
        "attributes": values,
        "kind": 3,
        "flags": 257,
        "trace_state": "a=b",
        "parent_span_id": b"p" * 8,
        "events": [{"name": "event", "time_unix_nano": AT, "attributes": key_values(values)}],
        "links": [{"trace_id": b"t" * 16, "span_id": b"s" * 8, "attributes": key_values(values)}],
        "status": {"code": 2, "message": "bad"},
        "dropped_attributes_count": 7,
    }
    return bytes(traces(span).SerializeToString())


def logs() -> bytes:
    """A request with two records that say the same, and one of another kind."""
    request = ExportLogsServiceRequest()
    records = request.resource_logs.add().scope_logs.add().log_records
    for body in ("same", "same", {"a": [1, b"x"]}):
        records.add(
            time_unix_nano=AT,
            observed_time_unix_nano=AT + 1,
            body=any_value(body),
            severity_number=9,
            attributes=key_values({"session.id": "one"}),
        )
    return bytes(request.SerializeToString())


def metrics() -> bytes:
    """A request with a metric."""
    request = ExportMetricsServiceRequest()
    metric = request.resource_metrics.add().scope_metrics.add().metrics.add(name="count", unit="1")
    metric.sum.data_points.add(as_int=1, time_unix_nano=AT)
    return bytes(request.SerializeToString())


def exported(server: Server) -> bytes:
    """All that a server stores."""
    with urlopen(f"{server.url}/v1/export?format=otlp", timeout=60) as answer:
        return bytes(answer.read())


def test_every_form_of_the_file_exporter_comes_in(collector_binary: Path, tmp_path: Path) -> None:
    """As JSON and as protobuf, compressed or not: a server has the same as if it had been sent to it, and metrics are told."""
    with Collector(collector_binary, CONFIG, tmp_path) as collector:
        collector_url = collector.http_endpoint.removesuffix("/v1/traces")
        for path, body in (("traces", spans()), ("logs", logs()), ("metrics", metrics())):
            assert post(f"{collector_url}/v1/{path}", body) == 200
    with ExitStack() as stack:
        source = stack.enter_context(Server(tmp_path / "source"))
        for path, body in (("traces", spans()), ("logs", logs())):
            assert post(f"{source.url}/v1/{path}", body) == 200
        expected = exported(source)
        target = stack.enter_context(Server(tmp_path / "target"))
        for suffix in SUFFIXES:
            ran = in_pipe("import", "--url", target.url, f"{collector.output}{suffix}")
            assert (ran.status, ran.error) == (0, "imported 1 span and 3 log records; metrics are not kept")
            assert exported(target) == expected
