"""The records in a message, whatever it is."""

from __future__ import annotations

import json
from typing import Any

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from tests.server.otlp.building import AT, any_value, as_json, field, row, traces

from otel_sessions.cli.files.messages import Message
from otel_sessions.cli.files.records import Contents, NotOtlpError, contents_in, records_of
from otel_sessions.server.otlp.decode import read_request
from otel_sessions.server.otlp.encodings import Format
from otel_sessions.server.signals import LOGS, TRACES

SPANS = traces({"name": "one"}, {"name": "two"})


def logs(**fields: Any) -> ExportLogsServiceRequest:
    """A request with one log record."""
    request = ExportLogsServiceRequest()
    request.resource_logs.add().scope_logs.add().log_records.add(**fields)
    return request


def metrics() -> ExportMetricsServiceRequest:
    """A request with a metric whose name is as long as a trace id."""
    request = ExportMetricsServiceRequest()
    metric = request.resource_metrics.add().scope_metrics.add().metrics.add(name="http.server.time", unit="s")
    metric.sum.data_points.add(as_int=1)
    return request


def contents(raw: bytes, *, is_json: bool = False) -> Contents:
    """What a message holds."""
    return records_of(Message(raw, is_json=is_json, place="here"))


def signals(found: Contents) -> list[str]:
    """The signals of the records."""
    return [record.signal for record in found.records]


@pytest.mark.parametrize(
    "record",
    [{"time_unix_nano": AT}, {"observed_time_unix_nano": AT}, {"body": any_value("x")}, {"severity_number": 9}, {}],
    ids=["time", "observed", "body", "severity", "nothing"],
)
def test_log_records_are_told_from_spans(record: dict[str, Any]) -> None:
    """Requests of spans, log records and metrics have the same first fields; what is in them tells."""
    assert signals(contents(logs(**record).SerializeToString())) == [LOGS]


def test_spans_and_metrics() -> None:
    """Spans are read with their resource and scope, metrics are told."""
    found = contents(SPANS.SerializeToString())
    assert signals(found) == [TRACES, TRACES]
    assert [record.raw for record in found.records] == [
        span.SerializeToString() for span in SPANS.resource_spans[0].scope_spans[0].spans
    ]
    assert contents(metrics().SerializeToString()) == Contents([], metrics=True)
    assert contents(b"") == Contents([])


def test_json_of_each_signal() -> None:
    """A document may hold both signals, a list of requests, metrics, or nothing."""
    spans, records = json.loads(as_json(SPANS)), json.loads(as_json(logs(body=any_value("x"))))
    for said, expected in (
        (spans, [TRACES, TRACES]),
        (records, [LOGS]),
        ({**spans, **records}, [TRACES, TRACES, LOGS]),
        ([spans, records, {}], [TRACES, TRACES, LOGS]),
        ({}, []),
    ):
        assert signals(contents(json.dumps(said).encode(), is_json=True)) == expected
    assert contents(b'{"resourceMetrics": []}', is_json=True).metrics
    assert contents(b'[{"resourceMetrics": []}]', is_json=True).metrics


def test_a_wrong_span_costs_itself_alone() -> None:
    """The others are there, and what is wrong is told."""
    said = json.loads(as_json(SPANS))
    said["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["kind"] = []
    found = contents(json.dumps(said).encode(), is_json=True)
    assert signals(found) == [TRACES]
    assert "kind" in found.left_out


@pytest.mark.parametrize(
    ("raw", "is_json", "why"),
    [
        (b'{"id": "one", "key": "id"}', True, "neither resourceSpans nor resourceLogs"),
        (b"7", True, "no object"),
        (b"{", True, "not valid JSON"),
        (b'{"resourceSpans": 7}', True, "an array expected"),
        (b'{"Record": "span"}', True, "a row that misses something"),
        (b'{"Record": "log", "TraceId": 7}', True, "a row that misses something"),
        (b"\x0f", False, "not a valid protobuf message"),
        (field(1, field(2, field(2, b"\x0f"))), False, "not a message of OTLP"),
        (field(1, field(2, field(2, b"\x0a"))), False, "not a message of OTLP"),
    ],
)
def test_what_is_no_otlp(raw: bytes, is_json: bool, why: str) -> None:
    """The message says what is wrong."""
    with pytest.raises(NotOtlpError, match=why):
        contents(raw, is_json=is_json)


def test_a_wrong_row_among_others_is_told_of_its_own_line() -> None:
    """Rows that stand together are read together; if one is wrong, each is read alone."""
    lines = [b'{"Record":"span","TraceId":7}', b'{"Record":"log","TraceId":7}', b'{"Record":"log"}', b"{}"]
    found = list(contents_in(Message(line, is_json=True, place=str(place)) for place, line in enumerate(lines)))
    assert [message.place for message, _ in found] == ["0", "1", "2", "3"]
    assert [isinstance(what, NotOtlpError) for _, what in found] == [True, True, True, False]


def a_row(**values: Any) -> bytes:
    """A line of `export --format jsonl`, with these values instead of its own."""
    _, batch, _ = read_request(TRACES, traces({"name": "one"}).SerializeToString(), Format.PROTOBUF)
    return json.dumps({"Record": "span", **row(batch, 0), **values}, default=str, separators=(",", ":")).encode()


def test_a_row_that_stands_alone() -> None:
    """A row is the span that was exported, also where it is not read together with others."""
    found = contents(a_row(), is_json=True)
    assert signals(found) == [TRACES]
    assert b"one" in found.records[0].raw


def test_a_value_that_does_not_fit() -> None:
    """A number that OTLP has no room for is told of its row."""
    with pytest.raises(NotOtlpError, match="a row with a value that does not fit"):
        contents(a_row(StartTimeUnixNano=-1), is_json=True)


def test_rows_before_something_else() -> None:
    """Rows are given out before the message behind them."""
    messages = [Message(line, is_json=True, place=str(place)) for place, line in enumerate([a_row(), as_json(SPANS)])]
    found = [(message.place, what) for message, what in contents_in(messages)]
    assert [(place, len(what.records)) for place, what in found if isinstance(what, Contents)] == [("0", 1), ("1", 2)]
    assert [message.place for message, _ in contents_in(messages[:1])] == ["0"]


@pytest.mark.parametrize("raw", [field(1, b""), field(1, field(2, b"")), field(1, field(1, b""))])
def test_a_request_without_records(raw: bytes) -> None:
    """A request of resources and scopes alone has nothing to import, and nothing is wrong with it."""
    assert contents(raw) == Contents([])
