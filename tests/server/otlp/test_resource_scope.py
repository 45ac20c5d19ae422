"""Resources and scopes of requests."""

from __future__ import annotations

from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from tests.server.otlp.building import BROKEN, any_value, decoded, field, traces
from tests.server.otlp.decoding import decode_spans
from tests.server.otlp.rows import columns

from otel_sessions.server.otlp.errors import MalformedError
from otel_sessions.server.otlp.limits import RecordBudget
from otel_sessions.server.otlp.messages import messages, parse
from otel_sessions.server.otlp.resource_scope import each_scope


def test_each_scope() -> None:
    """Every scope comes with its resource and its records, in order; a scope without records comes too."""
    request = ExportTraceServiceRequest()
    for resource, scopes in (("a", (2, 0)), ("b", (1,))):
        group = request.resource_spans.add(schema_url=f"schema of {resource}")
        group.resource.attributes.add(key="service.name").value.CopyFrom(any_value(resource))
        for number, spans in enumerate(scopes):
            scope_group = group.scope_spans.add()
            scope_group.scope.name = f"{resource}{number}"
            for _ in range(spans):
                scope_group.spans.add(name="span")
    known = messages().traces
    found = list(each_scope(parse(known.request, request.SerializeToString()), known, RecordBudget()))
    assert [(resource.service, scope.name, len(records)) for resource, scope, records in found] == [
        ("a", "a0", 2),
        ("a", "a1", 0),
        ("b", "b0", 1),
    ]
    assert {resource.schema_url for resource, _, _ in found} == {"schema of a", "schema of b"}


@pytest.mark.parametrize(
    ("attributes", "name", "service", "environment"),
    [
        ({}, "", None, None),
        ({"service.name": "shop", "deployment.environment": "old"}, "shop", "shop", "old"),
        (
            {"service.name": 7, "deployment.environment": "old", "deployment.environment.name": "new"},
            "7",
            None,
            "new",
        ),
        ({"service.name": "shop", "deployment.environment.name": 1}, "shop", "shop", None),
    ],
)
def test_resource(attributes: dict[str, Any], name: str, service: str | None, environment: str | None) -> None:
    """Service and environment come from the resource; the labels have them only if they are strings."""
    batch = decoded(traces({}, attributes=attributes))
    assert columns(batch)["ServiceName"] == [name]
    labels = batch.facts[0].labels
    assert (labels.service, labels.environment) == (service, environment)


def test_broken_resource() -> None:
    """A request with a resource that cannot be read is refused: its spans would have no resource."""
    with pytest.raises(MalformedError, match="KeyValue"):
        decode_spans(field(1, field(1, field(1, BROKEN))))
