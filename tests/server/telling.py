"""What emitters send of model calls, as OTLP requests to a real server."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from tests.counting.emitters import SESSION, Said
from tests.server.otlp.building import as_json, key_values
from tests.server.running import SECONDS, Server, post

SUMS = (
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
    "total_tokens",
    "input_cost",
    "output_cost",
    "total_cost",
)
"""What the counted calls of a session add up to."""

Request = tuple[str, bytes, str]
"""Path, body and content type."""


def renamed(one: Said, session: str) -> Said:
    """The same in another session."""
    attributes = {name: session if value == SESSION else value for name, value in one.attributes.items()}
    return replace(one, attributes=attributes)


def requests_of(said: Iterable[Said], *, in_json: bool = False) -> list[Request]:
    """One request of the spans and one of the records, where there are any."""
    traces, logs = ExportTraceServiceRequest(), ExportLogsServiceRequest()
    for one in said:
        if one.is_span:
            resource = traces.resource_spans.add()
            scope = resource.scope_spans.add()
            scope.spans.add(
                trace_id=one.trace_id.to_bytes(16),
                span_id=one.span_id.to_bytes(8),
                parent_span_id=b"" if one.parent_id is None else one.parent_id.to_bytes(8),
                name=one.name,
                start_time_unix_nano=one.start,
                end_time_unix_nano=one.end,
                attributes=key_values(one.attributes),
            )
        else:
            resource = logs.resource_logs.add()
            scope = resource.scope_logs.add()
            scope.log_records.add(
                trace_id=one.trace_id.to_bytes(16) if one.trace_id else b"",
                span_id=one.span_id.to_bytes(8) if one.span_id else b"",
                event_name=one.event_name or "",
                time_unix_nano=one.end,
                observed_time_unix_nano=one.end,
                attributes=key_values(one.attributes),
            )
        resource.resource.attributes.extend(key_values({"service.name": one.service}))
        scope.scope.name = one.scope
    found: list[Request] = []
    for path, request, filled in (
        ("/v1/traces", traces, traces.resource_spans),
        ("/v1/logs", logs, logs.resource_logs),
    ):
        if filled and in_json:
            found.append((path, as_json(request), "application/json"))
        elif filled:
            found.append((path, request.SerializeToString(), "application/x-protobuf"))
    return found


def send(server: Server, *requests: Request) -> None:
    """Send requests, which have to be taken."""
    for path, body, kind in requests:
        assert post(server.url + path, body, kind) == 200


def send_logs(
    server: Server, *records: Mapping[str, Any], scope: str = "com.anthropic.claude_code.events", **resource: Any
) -> None:
    """Send log records in OTLP/JSON, each as its fields; `attributes` are plain Python values."""
    body = {
        "resourceLogs": [
            {
                "resource": {"attributes": _json_attributes({"service.name": "claude-code", **resource})},
                "scopeLogs": [
                    {
                        "scope": {"name": scope},
                        "logRecords": [
                            {**one, "attributes": _json_attributes(one.get("attributes", {}))} for one in records
                        ],
                    }
                ],
            }
        ]
    }
    send(server, ("/v1/logs", json.dumps(body).encode(), "application/json"))


def _json_attributes(values: Mapping[str, Any]) -> list[Any]:
    kinds = {str: "stringValue", bool: "boolValue", int: "intValue", float: "doubleValue"}
    return [{"key": name, "value": {kinds[type(value)]: value}} for name, value in values.items()]


def path_of(session: str) -> str:
    """Where the API has a session."""
    return f"/v1/sessions/{quote(session, safe='')}"


def every(server: Server, path: str, *, limit: int = 100) -> Iterator[Any]:
    """The items of all pages of a list, by cursor."""
    cursor = ""
    joint = "&" if "?" in path else "?"
    while True:
        page = server.get(f"{path}{joint}limit={limit}{cursor}")
        yield from page["data"]
        if page["pagination"]["next"] is None:
            return
        cursor = f"&cursor={page['pagination']['next']}"


def status_of(server: Server, path: str, method: str = "GET") -> int:
    """The status of an answer of the API."""
    request = urllib.request.Request(server.url + path, method=method)
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as response:
            response.read()
            return int(response.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def delete(server: Server, session: str, key: str = "id") -> Any:
    """Delete a session; what the answer says of it."""
    request = urllib.request.Request(f"{server.url}{path_of(session)}?key={quote(key)}", method="DELETE")
    with urllib.request.urlopen(request, timeout=SECONDS) as response:
        return json.load(response)["data"]


def assert_consistent(server: Server, session: str) -> Any:
    """The session, whose counted calls add up to its totals, and which lists show with the same values."""
    whole = server.get(path_of(session))["data"]
    traces = whole.pop("traces")
    calls = list(every(server, f"{path_of(session)}/calls", limit=3))
    assert calls == server.get(f"{path_of(session)}/calls?limit=1000")["data"]
    counted = [call for call in calls if call["counted"]]
    assert len(counted) == whole["call_count"]
    assert len({(call["trace_id"], call["span_id"]) for call in calls}) == len(calls)
    for name in SUMS:
        assert total(counted, name) == _number(whole[name]), name
    assert [one for one in every(server, "/v1/sessions") if one["id"] == session] == [whole]
    assert list(every(server, f"{path_of(session)}/traces", limit=2))[: len(traces["data"])] == traces["data"]
    return whole


def total(calls: Sequence[Any], name: str) -> Decimal | None:
    """The sum of what is known."""
    known = [number for call in calls if (number := _number(call[name])) is not None]
    return sum(known, Decimal()) if known else None


def _number(value: str | int | None) -> Decimal | None:
    return None if value is None else Decimal(value)
