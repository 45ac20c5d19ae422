"""The service that a request with metrics comes from, from its first bytes."""

from __future__ import annotations

import gzip
import json

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from otel_sessions.server.otlp.encodings import beginning
from otel_sessions.server.otlp.metrics_services import service_of_metrics


def in_protobuf(service: str) -> bytes:
    """A request with metrics of a service."""
    request = ExportMetricsServiceRequest()
    group = request.resource_metrics.add()
    for key, value in (("host.name", "here"), ("service.name", service)):
        group.resource.attributes.append(KeyValue(key=key, value=AnyValue(string_value=value)))
    group.scope_metrics.add().metrics.add(name="tokens")
    return bytes(request.SerializeToString())


def in_json(service: str) -> bytes:
    """The same in JSON."""
    attribute = {"key": "service.name", "value": {"stringValue": service}}
    return json.dumps({"resourceMetrics": [{"resource": {"attributes": [attribute]}}]}).encode()


@pytest.mark.parametrize("service", ["claude-code", "käse", 'a"b\\c', "x" * 100])
@pytest.mark.parametrize("written", [in_protobuf, in_json])
def test_the_service_is_read(written: object, service: str) -> None:
    """In protobuf as in JSON."""
    assert service_of_metrics(written(service)) == service  # type: ignore[operator]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x07",
        b"[]",
        in_protobuf("x" * 1_000),
        in_protobuf("shop")[:40],
        b'{"key":"service.name","value":{"stringValue":"\\x"}}',
    ],
)
def test_what_names_no_service(body: bytes) -> None:
    """A request that is cut, or is none, is of a service without a name."""
    assert service_of_metrics(body) == ""


def test_the_beginning_of_a_compressed_body() -> None:
    """It is read without the rest, and what cannot be decompressed is empty."""
    whole = in_protobuf("shop") + b"\0" * 100_000
    packed = gzip.compress(whole)
    assert beginning(packed[:-20], "gzip", 100) == whole[:100]
    assert beginning(whole, "identity", 100) == whole[:100]
    assert beginning(b"no gzip", "gzip", 100) == b""
    assert beginning(b"", "gzip", 100) == b""
