"""Spans come back as they were sent."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.server.api.sending import a_span, path_of, send
from tests.server.building import empty
from tests.server.otlp.building import AT, key_values

from otel_sessions.server.api.span_models import Span
from otel_sessions.server.backend import Backend
from otel_sessions.server.clickhouse.columns import COLUMNS, TRACES
from otel_sessions.server.otlp.values import to_json_value


def stored(**columns: Any) -> dict[str, Any]:
    """A row as a Collector writes it: the columns that it does not know are empty."""
    row: dict[str, Any] = {name: empty(kind) for name, kind in COLUMNS[TRACES].items()}
    return {**row, "Timestamp": AT, "Duration": 5_000_000, **columns}


def the_span(client: TestClient, backend: Backend, **given: Any) -> dict[str, Any]:
    """A span that was sent to the server, as the API shows it."""
    send(backend, a_span(session="s", **given))
    found: dict[str, Any]
    (found,) = client.get(path_of("s", "spans")).json()["data"]
    client.delete(path_of("s"))
    return found


def test_all_of_a_span(client: TestClient, backend: Backend) -> None:
    """A span has its ids, times, status, typed attributes, events, links, flags and dropped counts."""
    attributes = {
        "text": "1",
        "int": 2**63 - 1,
        "double": 1.0,
        "bool": True,
        "list": ["a", "b"],
        "map": {"n": 1, "x": [1.5, None]},
        "bytes": b"\xff\0",
        "nan": float("nan"),
        "less": [float("-inf"), float("inf")],
        "empty": None,
        "wrapper": {"bytesValue": "no"},
    }
    span = the_span(
        client,
        backend,
        parent_span_id=b"parentid",
        trace_state="a=b",
        flags=257,
        kind=3,
        status={"code": 2, "message": "it broke"},
        end_time_unix_nano=AT + 1_500_000,
        dropped_attributes_count=1,
        dropped_events_count=2,
        dropped_links_count=3,
        attributes=attributes,
        events=[
            {"name": "one", "time_unix_nano": AT + 1, "attributes": key_values({"n": 1})},
            {"name": "two", "time_unix_nano": 2**64 - 1, "dropped_attributes_count": 4},
        ],
        links=[
            {
                "trace_id": bytes(range(16)),
                "span_id": bytes(range(8)),
                "trace_state": "c=d",
                "flags": 1,
                "dropped_attributes_count": 5,
                "attributes": key_values({"b": False}),
            },
            {"trace_id": bytes(range(1, 17)), "span_id": bytes(range(1, 9))},
        ],
    )
    assert span.pop("attributes") == {
        "session.id": "s",
        **attributes,
        "bytes": {"bytesValue": "/wA="},
        "nan": {"doubleValue": "NaN"},
        "less": [{"doubleValue": "-Infinity"}, {"doubleValue": "Infinity"}],
        "wrapper": {"kvlistValue": {"bytesValue": "no"}},
    }
    assert span == {
        "trace_id": f"{1:032x}",
        "span_id": f"{1:016x}",
        "parent_span_id": b"parentid".hex(),
        "trace_state": "a=b",
        "flags": 257,
        "name": "span 0",
        "kind": "client",
        "start": "2026-11-18T11:06:40.000Z",
        "end": "2026-11-18T11:06:40.0015Z",
        "duration_ms": 1.5,
        "status": {"code": "error", "message": "it broke"},
        "dropped_attributes_count": 1,
        "events": [
            {
                "name": "one",
                "time": "2026-11-18T11:06:40.000000001Z",
                "attributes": {"n": 1},
                "dropped_attributes_count": 0,
            },
            {"name": "two", "time": "2554-07-21T23:34:33.709551615Z", "attributes": {}, "dropped_attributes_count": 4},
        ],
        "dropped_events_count": 2,
        "links": [
            {
                "trace_id": bytes(range(16)).hex(),
                "span_id": bytes(range(8)).hex(),
                "trace_state": "c=d",
                "attributes": {"b": False},
                "flags": 1,
                "dropped_attributes_count": 5,
            },
            {
                "trace_id": bytes(range(1, 17)).hex(),
                "span_id": bytes(range(1, 9)).hex(),
                "trace_state": "",
                "attributes": {},
                "flags": 0,
                "dropped_attributes_count": 0,
            },
        ],
        "dropped_links_count": 3,
        "resource": {
            "service_name": "shop",
            "attributes": {"service.name": "shop"},
            "schema_url": "",
            "dropped_attributes_count": 0,
        },
        "scope": {"name": "app", "version": "", "attributes": {}, "schema_url": "", "dropped_attributes_count": 0},
    }


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ((AT, AT - 10**9), ("2026-11-18T11:06:40.000Z", "2026-11-18T11:06:39.000Z", 0)),
        ((0, AT), ("2026-11-18T11:06:40.000Z", "2026-11-18T11:06:40.000Z", 0)),
        ((AT, 0), ("2026-11-18T11:06:40.000Z", "2026-11-18T11:06:40.000Z", 0)),
        ((0, 0), ("1970-01-01T00:00:00.000Z", "1970-01-01T00:00:00.000Z", 0)),
        ((1, 2), ("1970-01-01T00:00:00.000000001Z", "1970-01-01T00:00:00.000000002Z", 1e-6)),
        (
            (2**63 - 1, 2**64 - 1),
            ("2262-04-11T23:47:16.854775807Z", "2554-07-21T23:34:33.709551615Z", 2**63 / 1e6),
        ),
    ],
)
def test_unusual_times(
    client: TestClient, backend: Backend, sent: tuple[int, int], expected: tuple[str, str, float]
) -> None:
    """Times are shown as they were sent; a missing one is the other one; a duration is never below 0."""
    span = the_span(client, backend, start_time_unix_nano=sent[0], end_time_unix_nano=sent[1])
    assert (span["start"], span["end"], span["duration_ms"]) == expected


def test_deep_values(client: TestClient, backend: Backend) -> None:
    """A value comes back as deep as it is accepted."""
    value: Any = "leaf"
    for _ in range(15):
        value = [{"bytesValue": value}]
    assert the_span(client, backend, attributes={"deep": value})["attributes"]["deep"] == to_json_value(value)


def test_a_row_of_a_collector() -> None:
    """The row of a Collector has its times from the Collector's columns, and all attributes as text."""
    span = Span.of(
        stored(
            SpanAttributes={"n": "1"},
            StatusCode="STATUS_CODE_ERROR",
            SpanKind="SPAN_KIND_SERVER",
            **{
                "Events.Timestamp": [AT],
                "Events.Name": ["e"],
                "Events.Attributes": [{"n": "1"}],
                "Links.TraceId": ["t"],
                "Links.SpanId": ["s"],
                "Links.TraceState": [""],
                "Links.Attributes": [{}],
            },
        )
    )
    assert (span.start, span.end) == ("2026-11-18T11:06:40.000Z", "2026-11-18T11:06:40.005Z")
    assert (span.kind, span.status.code, span.parent_span_id) == ("server", "error", None)
    assert span.attributes == {"n": "1"}
    assert span.events[0].attributes == {"n": "1"}
    assert span.links[0].trace_id == "t"
    assert span.resource.service_name is None
