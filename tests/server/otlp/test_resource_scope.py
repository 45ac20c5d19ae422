"""Resources and scopes of requests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from tests.server.otlp.building import BROKEN, any_value, decoded, field, nested, traces
from tests.server.otlp.decoding import decode_logs, decode_spans
from tests.server.otlp.rows import columns

from otel_sessions.server.otlp.limits import RecordBudget
from otel_sessions.server.otlp.messages import messages, parse
from otel_sessions.server.otlp.partial_success import Rejected
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
    found = list(each_scope(parse(known.request, request.SerializeToString()), known, RecordBudget(), Rejected()))
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


GOOD = traces({}, attributes={"service.name": "shop"}).SerializeToString()


@pytest.mark.parametrize(
    ("wrong", "spans", "warning"),
    [
        (field(1, field(1, BROKEN)), 1, "an attribute of a resource: not a valid protobuf message"),
        (
            field(1, field(1, field(1, b"k") + field(2, nested(65)))),
            1,
            "an attribute of a resource: a value nests deeper",
        ),
        (field(1, BROKEN), 1, "not a valid protobuf message: opentelemetry.proto.resource.v1.Resource; it is left out"),
        (field(2, field(1, field(3, BROKEN))), 1, "an attribute of a scope: not a valid protobuf message"),
        (field(2, field(1, BROKEN)), 1, "not a valid protobuf message: opentelemetry.proto.common.v1.Instrumentation"),
        (field(2, BROKEN), 1, "not a valid protobuf message: opentelemetry.proto.trace.v1.ScopeSpans; it is left out"),
        (BROKEN, 0, "not a valid protobuf message: opentelemetry.proto.trace.v1.ResourceSpans; it is left out"),
    ],
)
def test_a_broken_part_is_left_out_alone(wrong: bytes, spans: int, warning: str) -> None:
    """A broken attribute, resource, scope or group costs no spans of its neighbours, and a broken resource none at all."""
    own = field(2, field(2, field(1, b"t" * 16) + field(2, b"s" * 8)))
    batch, rejected = decode_spans(GOOD + field(1, wrong + own) + GOOD)
    assert (len(batch), rejected.total) == (2 + spans, 0)
    assert warning in rejected.message


def test_what_is_left_of_a_resource() -> None:
    """The attributes of a resource that can be read are kept."""
    group = field(1, field(1, BROKEN) + field(1, field(1, b"service.name") + field(2, field(1, b"shop"))))
    batch, _ = decode_spans(field(1, group + field(2, field(2, field(1, b"t" * 16) + field(2, b"s" * 8)))))
    assert columns(batch)["ServiceName"] == ["shop"]


@pytest.mark.parametrize("decode", [decode_spans, decode_logs])
def test_groups_by_instrumentation_library(decode: Callable[[bytes], Any]) -> None:
    """OTLP 0.15 to 0.19 had groups by instrumentation library under the number 1000, beside those by scope."""
    record = (
        field(2, field(1, b"t" * 16) + field(2, b"s" * 8)) if decode is decode_spans else field(2, field(9, b"t" * 16))
    )
    groups = [field(number, field(1, field(1, name)) + record) for number, name in ((2, b"new"), (1000, b"old"))]
    batch, rejected = decode(field(1, b"".join(groups)))
    found = columns(batch) if decode is decode_spans else batch.columns
    assert found["ScopeName"] == ["new", "old"]
    assert rejected.message == ""


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            field(7, b"x"),
            "none of its 1 fields is one of opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest",
        ),
        (field(1, field(7, b"x")), "none of its 1 fields is one of opentelemetry.proto.trace.v1.ResourceSpans"),
        (field(1, field(2, field(7, b"x"))), "none of its 1 fields is one of opentelemetry.proto.trace.v1.ScopeSpans"),
        (b"", ""),
        (field(1, b""), ""),
    ],
)
def test_a_body_of_which_nothing_is_understood(body: bytes, message: str) -> None:
    """An empty request is fine; one with nothing but unknown fields is answered with a warning."""
    batch, rejected = decode_spans(body)
    assert (len(batch), rejected.total) == (0, 0)
    assert rejected.message == (f"nothing is read of a message: {message}" if message else "")
