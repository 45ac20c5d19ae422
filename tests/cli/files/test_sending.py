"""How records go to a server: in requests of a bounded size, again when it is busy, and with what came before."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from tests.server.otlp.building import any_value, key_values

from otel_sessions.cli.client import RefusedError
from otel_sessions.cli.errors import CommandError
from otel_sessions.cli.files import batches, sending
from otel_sessions.cli.files.records import GIVEN, Record
from otel_sessions.cli.files.sending import Sender
from otel_sessions.server.signals import LOGS, TRACES

NOTHING = (b"", b"")


class Double:
    """A server that answers as it is told, and remembers what came."""

    url = "http://double"

    def __init__(self, *answers: bytes | Exception) -> None:
        self.answers: Iterator[bytes | Exception] = iter(answers)
        self.came: list[tuple[bytes, dict[str, str]]] = []

    def send(self, path: str, body: bytes, *, headers: dict[str, str], **_: Any) -> bytes:
        """Take a request."""
        self.came.append((body, headers))
        answer = next(self.answers, b"")
        if isinstance(answer, Exception):
            raise answer
        return answer


def refused(code: int, after: float | None = None) -> RefusedError:
    """An answer with an error."""
    return RefusedError("no", status=1, code=code, retry_after=after)


def sent(double: Double, *records: Record) -> tuple[dict[str, int], list[str], list[float]]:
    """What the server took, what was left out, and how long was waited."""
    left_out: list[str] = []
    waited: list[float] = []
    client: Any = double
    sender = Sender(client, lambda place, why: left_out.append(f"{place}: {why}"), sleep=waited.append)
    try:
        for number, record in enumerate(records):
            sender.add(record, f"line {number}")
        sender.finish()
    finally:
        sender.close()
    return sender.sent, left_out, waited


def log(text: str) -> Record:
    """A serialized log record."""
    request = ExportLogsServiceRequest()
    record = request.resource_logs.add().scope_logs.add().log_records.add(body=any_value(text))
    return Record(LOGS, NOTHING, NOTHING, record.SerializeToString())


def span(number: int = 1) -> Record:
    """A serialized span of a resource."""
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add(schema_url="url")
    group.resource.attributes.extend(key_values({"service.name": "web"}))
    made = group.scope_spans.add().spans.add(span_id=number.to_bytes(8))
    return Record(TRACES, (group.resource.SerializeToString(), b"url"), NOTHING, made.SerializeToString())


def test_a_busy_server_is_waited_for() -> None:
    """For as long as it says, else a little longer each time."""
    double = Double(refused(429, 7), refused(503), refused(503))
    assert sent(double, span()) == ({TRACES: 1}, [], [7, 0.5 * 2, 0.5 * 4])
    assert len({body for body, _ in double.came}) == 1


def test_patience_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that is busy for too long ends the import."""
    monkeypatch.setattr(sending, "PATIENCE_SECONDS", -1.0)
    with pytest.raises(RefusedError):
        sent(Double(refused(429)), span())


def test_what_a_server_refuses_is_left_out() -> None:
    """A request that is no good costs its records, a span that is not taken costs itself; another error ends the import."""
    partial = ExportTraceServiceResponse()
    partial.partial_success.rejected_spans = 1
    partial.partial_success.error_message = "one is bad"
    assert sent(Double(refused(400)), span()) == ({}, ["line 0: 1 records are refused: no"], [])
    double = Double(partial.SerializeToString())
    assert sent(double, span(1), span(2)) == ({TRACES: 1}, ["line 1: one is bad"], [])
    with pytest.raises(CommandError, match="no server of OTLP"):
        sent(Double(b"<html>"), span())
    with pytest.raises(RefusedError):
        sent(Double(refused(401)), *(span(number) for number in range(5)))


def test_requests_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """By records and by bytes; together they hold every record once, with its resource."""
    monkeypatch.setattr(batches, "RECORDS", 3)
    double = Double()
    assert sent(double, *(span(number) for number in range(1, 8)))[0] == {TRACES: 7}
    requests = [ExportTraceServiceRequest.FromString(body) for body, _ in double.came]
    assert [len(one.resource_spans[0].scope_spans[0].spans) for one in requests] == [3, 3, 1]
    assert {one.resource_spans[0].schema_url for one in requests} == {"url"}
    monkeypatch.setattr(batches, "BYTES", 20)
    double = Double()
    sent(double, *(span(number) for number in range(1, 4)))
    assert len(double.came) == 3


def test_what_came_before_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the first place of each record in a request; if that is too much for a header, the request is halved."""
    monkeypatch.setattr(batches, "RECORDS", 4)
    double = Double()
    texts = ["a", "b", "b", "c", "b", "d", "b", "a"]
    sent(double, *map(log, texts))
    assert [headers["otel-sessions-copies"] for _, headers in double.came] == ["", "0=2,3=1"]
    monkeypatch.setattr(sending, "_LONGEST_HEADER", 5)
    double = Double()
    assert sent(double, *map(log, texts))[0] == {LOGS: 8}
    assert [headers["otel-sessions-copies"] for _, headers in double.came] == ["", "0=2", "0=3", "0=1"]


def test_given_records_are_refused_for_another_reason() -> None:
    """A refusal that is not of what is in the request ends the import, and no record is searched for."""
    double = Double(refused(401))
    with pytest.raises(RefusedError, match="no"):
        sent(double, Record(GIVEN, NOTHING, NOTHING, b"{}"), Record(GIVEN, NOTHING, NOTHING, b"{}"))
    assert len(double.came) == 1
