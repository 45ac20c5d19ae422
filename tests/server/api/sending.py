"""Spans for tests of the API, sent as OTLP, and requests for what was made of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from starlette.testclient import TestClient
from tests.server import building
from tests.server.otlp.building import AT, any_value, key_values, traces

from otel_sessions.server.backend import Backend
from otel_sessions.server.signals import LOGS, TRACES

SECOND = 10**9
START = "2026-11-18T11:06:40.000Z"
"""`AT` in answers of the API."""

HOSTILE = (
    *building.HOSTILE,
    "a/traces",
    "traces",
    " spaces at the ends ",
    "a//b/",
    "..",
    "+&=;:@,~",
)
"""Ids that any sender may choose."""

CALL = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.response.model": "gpt-4o",
    "gen_ai.usage.input_tokens": 100,
    "gen_ai.usage.output_tokens": 7,
}


def send(backend: Backend, *spans: Mapping[str, Any], resource: Mapping[str, Any] | None = None) -> None:
    """Send a backend a request with these spans."""
    rejected = backend.receive(TRACES, traces(*spans, attributes=resource).SerializeToString())
    assert not rejected.counts


def a_span(trace_id: int = 1, span_id: int = 1, session: str | None = None, **more: Any) -> dict[str, Any]:
    """A span of a session; `attributes` are added to the session's."""
    attributes = {} if session is None else {"session.id": session}
    return {
        "trace_id": trace_id.to_bytes(16),
        "span_id": span_id.to_bytes(8),
        **more,
        "attributes": {**attributes, **more.get("attributes", {})},
    }


def path_of(session_id: str, subresource: str = "") -> str:
    """The path of a session, or of one of its sub-resources."""
    return f"/v1/sessions/{quote(session_id, safe='')}{subresource and f'/{subresource}'}"


def ids(client: TestClient, **parameters: Any) -> list[str]:
    """The ids of a list of sessions."""
    answer = client.get("/v1/sessions", params=parameters)
    assert answer.status_code == 200, answer.text
    return [one["id"] for one in answer.json()["data"]]


def message(client: TestClient, path: str, status: int = 400, /, **parameters: Any) -> str:
    """The message of an error."""
    answer = client.get(path, params=parameters)
    assert answer.status_code == status, answer.text
    said: str = answer.json()["error"]["message"]
    return said


def send_logs(backend: Backend, *records: Mapping[str, Any], resource: Mapping[str, Any] | None = None) -> None:
    """Send a backend a request with these log records, each with the fields of OTLP; `body` and `attributes` are Python values."""
    request = ExportLogsServiceRequest()
    group = request.resource_logs.add()
    group.resource.attributes.extend(key_values({"service.name": "shop"} if resource is None else resource))
    scope = group.scope_logs.add()
    for record in records:
        given = {"time_unix_nano": AT, **record}
        given["body"] = any_value(record.get("body", "said"))
        given["attributes"] = key_values(record.get("attributes", {}))
        scope.log_records.add(**given)
    assert not backend.receive(LOGS, request.SerializeToString()).counts
