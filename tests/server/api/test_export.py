"""The export of a server: what is in the file, and which requests are refused."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from starlette.testclient import TestClient
from tests.server.api.sending import CALL, a_span, message, send
from tests.server.otlp.building import AT, any_value, key_values

from otel_sessions.server.api.app import create_app
from otel_sessions.server.api.export import EXPORTS, READ_BYTES, _joined
from otel_sessions.server.backend import Backend
from otel_sessions.server.exporting.records import write_parquet
from otel_sessions.server.signals import LOGS

EXPORT = "/v1/export"


@pytest.fixture(scope="module", autouse=True)
def stored(backend: Backend) -> None:
    """Two sessions, a trace in none, a log record in a trace, one that names a session, and one in none."""
    send(
        backend,
        a_span(1, 1, "one", name="=1+1", attributes={**CALL, "list": [1, None, b"x"]}),
        a_span(1, 2, name="below"),
    )
    send(backend, a_span(2, 3, "two", attributes=CALL), a_span(3, 4, name="of no session"))
    request = ExportLogsServiceRequest()
    records = request.resource_logs.add().scope_logs.add().log_records
    records.add(time_unix_nano=AT, body=any_value("in a trace"), trace_id=(1).to_bytes(16))
    records.add(time_unix_nano=AT, body=any_value("names one"), attributes=key_values({"session.id": "one"}))
    records.add(time_unix_nano=AT, body=any_value("@in none"))
    backend.receive(LOGS, request.SerializeToString())


def lines(client: TestClient, **parameters: Any) -> list[dict[str, Any]]:
    """The lines of an export of JSON."""
    answer = client.get(EXPORT, params=parameters)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/x-ndjson"
    return [json.loads(line) for line in answer.text.splitlines()]


def said(client: TestClient, **parameters: Any) -> tuple[list[str], list[str]]:
    """The names of the spans and the bodies of the log records of an export, sorted."""
    rows = lines(client, **parameters)
    spans = sorted(row["SpanName"] for row in rows if row["Record"] == "span")
    return spans, sorted(row["Body"] for row in rows if row["Record"] == "log")


def test_everything_is_exported_without_conditions(client: TestClient) -> None:
    """All spans and log records are there, in a session or not."""
    assert said(client) == (["=1+1", "below", "of no session", "span 0"], ["@in none", "in a trace", "names one"])
    assert [len(said(client, what="spans")[0]), len(said(client, what="logs")[1])] == [4, 3]


def test_chosen_sessions_bring_their_traces_and_records(client: TestClient) -> None:
    """A session comes with the whole traces that it has spans in, and with the log records in these and those that name it."""
    expected = (["=1+1", "below"], ["in a trace", "names one"])
    assert said(client, ids='["one"]') == expected
    assert said(client, ids='["two","one"]') == (["=1+1", "below", "span 0"], expected[1])
    assert said(client, q="on") == expected
    assert said(client, model="gpt-4o")[0] == ["=1+1", "below", "span 0"]
    assert said(client, model="none") == ([], [])


def test_otlp_is_what_was_sent(client: TestClient) -> None:
    """Both encodings hold the values with their types; messages stand behind their lengths."""
    spans, logs = lines(client, format="otlp")
    (first, *_) = spans["resourceSpans"][0]["scopeSpans"][0]["spans"]
    values = {one["key"]: one["value"] for one in first["attributes"]}
    assert values["gen_ai.usage.input_tokens"] == {"intValue": "100"}
    assert values["list"] == {"arrayValue": {"values": [{"intValue": "1"}, {}, {"bytesValue": "eA=="}]}}
    assert len(logs["resourceLogs"][0]["scopeLogs"][0]["logRecords"]) == 3
    raw = client.get(EXPORT, params={"format": "otlp_proto"}).content
    size = int.from_bytes(raw[:4])
    assert len(ExportTraceServiceRequest.FromString(raw[4 : 4 + size]).resource_spans) == 1
    rest = raw[4 + size :]
    assert int.from_bytes(rest[:4]) == len(rest) - 4
    assert len(ExportLogsServiceRequest.FromString(rest[4:]).resource_logs) == 1


def test_tables_agree_with_the_rest_of_the_api(client: TestClient) -> None:
    """Sessions, traces and calls are those that the other endpoints show."""
    sessions = client.get("/v1/sessions", params={"sort": "created", "order": "asc"}).json()["data"]
    assert lines(client, what="sessions") == sessions
    assert [one["id"] for one in lines(client, what="sessions", ids='["two"]')] == ["two"]
    for part in ("traces", "calls"):
        owner = {"session_key": "id", "session_id": "one"}
        expected = [{**owner, **one} for one in client.get(f"/v1/sessions/one/{part}").json()["data"]]
        assert lines(client, what=part, ids='["one"]') == expected
        assert len(lines(client, what=part)) == 2


def test_conversations_are_whole(client: TestClient, backend: Backend) -> None:
    """Messages are those of the API, but none is cut; as Markdown, sessions stand one after the other, unknown ones are refused."""
    long = "x" * 30_000 + " END"
    said = {"gen_ai.input.messages": json.dumps([{"role": "user", "parts": [{"type": "text", "content": long}]}])}
    send(backend, a_span(20, 20, "talk", attributes={**CALL, **said}), a_span(21, 21, "quiet"))
    (first, *rest) = lines(client, what="messages", ids='["talk","quiet"]')
    assert (first["session_id"], first["parts"][0]["content"], first["truncated"]) == ("talk", long, False)
    assert {one["session_id"] for one in rest} <= {"talk"}
    answer = client.get(EXPORT, params={"format": "markdown", "what": "messages", "ids": '["talk","quiet"]'})
    assert answer.headers["content-type"] == "text/markdown; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="messages.md"'
    assert [line for line in answer.text.splitlines() if line.startswith("# ")][1:] == ["# span 1 (quiet)"]
    assert " END" in answer.text
    for session in ("talk", "quiet"):
        backend.delete_session(session)


def test_what_sessions_were_given_goes_with_them(client: TestClient, backend: Backend) -> None:
    """Scores, annotations and names of the chosen sessions, and the scores on their traces, in every lossless form."""
    for session in ("one", "two"):
        trace = f"{1 if session == 'one' else 2:032x}"
        for body in ({"name": "good", "value": 1}, {"name": "good", "label": "yes", "trace_id": trace}):
            assert client.post(f"/v1/sessions/{session}/scores", json=body).status_code == 201
        assert client.post(f"/v1/sessions/{session}/annotations", json={"text": session}).status_code == 201
        assert client.patch(f"/v1/sessions/{session}", json={"name": f"name of {session}"}).status_code == 200
    given = [row for row in lines(client, ids='["one"]') if row["Record"] not in ("span", "log")]
    assert [row["Record"] for row in given] == ["score", "score", "annotation", "name"]
    assert {row["session_id"] for row in given} == {"one"}
    assert len([row for row in lines(client) if row["Record"] == "annotation"]) == 2
    assert given == [
        row for row in lines(client, q="one") if row["session_id" if "session_id" in row else "Record"] == "one"
    ]
    (*_, last) = lines(client, format="otlp", ids='["one"]')
    (scope,) = last["resourceLogs"][0]["scopeLogs"]
    assert scope["scope"]["name"] == "otel_sessions.given"
    assert [json.loads(one["body"]["stringValue"]) for one in scope["logRecords"]] == given
    for _ in range(2):
        answer = client.post("/v1/given", json={"records": given})
        assert (answer.status_code, answer.json()) == (200, {"data": {"records": 4}})
    assert [row for row in lines(client, ids='["one"]') if row["Record"] not in ("span", "log")] == given
    assert client.post("/v1/given", json={"records": []}).status_code == 200
    wrong = client.post("/v1/given", json={"records": [{**given[0], "value": None}]})
    assert wrong.status_code == 400
    assert "give a value or a label" in wrong.json()["error"]["message"]
    for session in ("one", "two"):
        assert client.patch(f"/v1/sessions/{session}", json={"name": None}).status_code == 200


@pytest.mark.parametrize("what", ["spans", "logs", "sessions", "traces", "calls"])
def test_csv_has_a_head_and_no_formulas(client: TestClient, what: str) -> None:
    """Every row has the columns of the head; a text that a program would take for a formula is behind a quotation mark."""
    text = client.get(EXPORT, params={"format": "csv", "what": what}).text
    head, *rows = csv.reader(io.StringIO(text))
    assert rows
    assert {len(row) for row in rows} == {len(head)}
    cells = [cell for row in rows for cell in row]
    assert [cell for cell in cells if cell.startswith(("=", "+", "@"))] == []
    assert ("'=1+1" in cells) == (what in ("spans", "calls", "sessions"))
    assert ("'@in none" in cells) == (what == "logs")


@pytest.mark.parametrize("what", ["spans", "logs", "sessions", "traces", "calls"])
def test_parquet_reads_back(client: TestClient, backend: Backend, tmp_path: Path, what: str) -> None:
    """The engine reads as many rows as the lines have, with the same columns."""
    path = tmp_path / "file.parquet"
    path.write_bytes(client.get(EXPORT, params={"format": "parquet", "what": what}).content)
    with backend.store.reading() as engine:
        found = engine.query("SELECT * FROM file({path:String}, 'Parquet')", parameters={"path": str(path)})
    rows = lines(client, what=what)
    assert found.row_count == len(rows)
    assert list(found.column_names) == [name for name in rows[0] if name != "Record"]


def test_other_keys_have_their_own_sessions(client: TestClient, backend: Backend) -> None:
    """With a session key, its sessions are chosen."""
    send(backend, a_span(9, 9, name="keyed", attributes={"session.key.ticket": "t"}))
    assert said(client, key="ticket") == (["keyed"], [])
    assert said(client, key="ticket", ids='["t"]') == (["keyed"], [])
    assert [one["id"] for one in lines(client, key="ticket", what="sessions")] == ["t"]
    backend.delete_session("t", key="ticket")


@pytest.mark.parametrize(
    ("parameters", "status", "part"),
    [
        ({"format": "csv"}, 400, "csv holds one table"),
        ({"format": "parquet"}, 400, "parquet holds one table"),
        ({"format": "otlp", "what": "sessions"}, 400, "OTLP holds spans and log records"),
        ({"format": "xml"}, 400, "format="),
        ({"format": "markdown"}, 400, "markdown holds conversations"),
        ({"format": "otlp", "what": "messages"}, 400, "OTLP holds spans and log records"),
        ({"ids": "one"}, 400, "a JSON array"),
        ({"ids": "[]"}, 400, "a JSON array"),
        ({"ids": "[1]"}, 400, "a JSON array"),
        ({"ids": "[" * 20_000}, 400, "a JSON array"),
        ({"ids": '["nope"]'}, 404, "'nope'"),
        ({"what": "calls", "ids": '["one","nope"]'}, 404, "'nope'"),
    ],
)
def test_wrong_requests_are_refused(client: TestClient, parameters: Any, status: int, part: str) -> None:
    """The message names the parameter, or the session that is not there."""
    assert part in message(client, EXPORT, status, **parameters)


def test_exports_are_bounded_and_give_back_what_they_hold(backend: Backend) -> None:
    """More exports at once than there are clients for are told to come again; one that fails or ends makes room."""
    app = create_app(backend)
    with TestClient(app) as client:
        for _ in range(EXPORTS + 1):
            assert client.get(EXPORT, params={"ids": '["nope"]'}).status_code == 404
            assert client.get(EXPORT).status_code == 200
        holders = [object() for _ in range(EXPORTS)]
        for holder in holders:
            app.state.exports.acquire_on_behalf_of_nowait(holder)
        answer = client.get(EXPORT)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


def test_what_sessions_were_given_as_protobuf(client: TestClient) -> None:
    """The last message has the scores, behind its length."""
    assert client.post("/v1/sessions/one/scores", json={"name": "good", "value": 1}).status_code == 201
    raw = client.get(EXPORT, params={"format": "otlp_proto", "ids": '["one"]'}).content
    requests = []
    while raw:
        size = int.from_bytes(raw[:4])
        requests.append(raw[4 : 4 + size])
        raw = raw[4 + size :]
    (resource,) = ExportLogsServiceRequest.FromString(requests[-1]).resource_logs
    assert resource.scope_logs[0].scope.name == "otel_sessions.given"


def test_parts_of_an_answer() -> None:
    """Lines are sent in parts that are large enough, and the rest behind them."""
    assert list(_joined([b"x" * READ_BYTES, b"y", b"z"])) == [b"x" * READ_BYTES, b"yz"]


def test_parquet_of_a_server(backend: Backend, tmp_path: Path) -> None:
    """A ClickHouse server writes no files here: its answer is one, as it comes."""
    store = Mock(is_embedded=False, reading=backend.store.reading)
    write_parquet(store, "SELECT number AS n FROM numbers(3)", {}, tmp_path / "n.parquet")
    raw = (tmp_path / "n.parquet").read_bytes()
    assert (raw[:4], raw[-4:]) == (b"PAR1", b"PAR1")
