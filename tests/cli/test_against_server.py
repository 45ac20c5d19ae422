"""Every command on a real server that was sent a conversation with tools, log records and scores, and on its folder."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from tests import processes
from tests.cli.terminal import in_pipe, in_terminal
from tests.server.conversing import AT, SECOND, call, key_values, record, said, span
from tests.server.running import Server, post

from otel_sessions.cli import calls, list_sessions, logs, messages
from otel_sessions.cli.output import value_text
from otel_sessions.cli.transcript import words
from otel_sessions.server.process.log_lines import escaped

SESSION = "order/1042 #2"
PATH = f"/v1/sessions/{quote(SESSION, safe='')}"
TOOL_CALL = {
    "role": "assistant",
    "parts": [{"type": "tool_call", "id": "c1", "name": "lookup", "arguments": {"n": 1042}}],
}
TOOL_ANSWER = {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "response": "it left\non Monday"}]}
ASKED = [said("system", "Be brief."), said("user", "Where is my order?")]
ANSWERED = "It left on Monday."
ANSWER = said("assistant", ANSWERED)
QUERY = "SELECT TraceId, count() AS spans FROM otel_traces GROUP BY TraceId ORDER BY TraceId"


def spans() -> list[Any]:
    """A session of two turns, the first with a tool, the second failed; and a small session of one call."""
    first = {"session.id": SESSION, "session.name": "Order 1042", "user.id": "ann"}
    again = [*ASKED, TOOL_CALL, TOOL_ANSWER]
    tool = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "lookup", "gen_ai.tool.call.id": "c1"}
    at = AT + 60 * SECOND
    return [
        span(1, 1, first, endTimeUnixNano=str(AT + 9 * SECOND)),
        span(1, 2, call(ASKED, [TOOL_CALL], session_id=SESSION), parentSpanId=f"{1:016x}", at=AT + SECOND),
        span(1, 3, {**tool, "session.id": SESSION}, parentSpanId=f"{1:016x}", at=AT + 2 * SECOND),
        span(1, 4, call(again, [ANSWER], session_id=SESSION), parentSpanId=f"{1:016x}", at=AT + 3 * SECOND),
        span(2, 5, call([*again, ANSWER, said("user", "Why?")], [], session_id=SESSION), at=at, status={"code": 2}),
        span(3, 6, call([said("user", "Hello")], [said("assistant", "Hi!")], session_id="small"), at=at + SECOND),
    ]


def log_records() -> list[Any]:
    """Two log records of the session, one by its trace and one by its id, and an evaluation of it."""
    in_trace = {"traceId": f"{1:032x}", "spanId": f"{3:016x}"}
    scored = {"gen_ai.evaluation.name": "helpful", "gen_ai.evaluation.score.value": 4, "session.id": SESSION}
    return [
        record(
            {}, at=AT + 2 * SECOND, body={"stringValue": "looked up"}, severityNumber=9, severityText="INFO", **in_trace
        ),
        record(
            {"session.id": SESSION},
            event="app.retry",
            at=at_end(),
            body={"stringValue": "no\nanswer"},
            severityNumber=17,
        ),
        record(scored, event="gen_ai.evaluation.result", at=at_end() + SECOND),
    ]


def at_end() -> int:
    """When the second turn has ended."""
    return AT + 61 * SECOND


def send(server: Server) -> None:
    """Send all that as an exporter does."""
    resource = {"attributes": key_values({"service.name": "shop"})}
    scope = {"name": "app"}
    for signal, body in (
        ("traces", {"resourceSpans": [{"resource": resource, "scopeSpans": [{"scope": scope, "spans": spans()}]}]}),
        (
            "logs",
            {"resourceLogs": [{"resource": resource, "scopeLogs": [{"scope": scope, "logRecords": log_records()}]}]},
        ),
    ):
        assert post(f"{server.url}/v1/{signal}", json.dumps(body).encode(), "application/json") == 200


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that has the sessions."""
    with Server(tmp_path_factory.mktemp("against") / "store") as server:
        send(server)
        yield server


LISTS = [
    (["list", "--sort", "cost"], "/v1/sessions?sort=cost", list_sessions.FIELDS),
    (
        ["list", "--q", "monday", "--user", "ann", "--min-score", "helpful=4"],
        "/v1/sessions?q=monday",
        list_sessions.FIELDS,
    ),
    (["calls", SESSION], f"{PATH}/calls", calls.FIELDS),
    (["messages", SESSION], f"{PATH}/messages", messages.FIELDS),
    (["logs", SESSION], f"{PATH}/logs", logs.FIELDS),
    (["logs", SESSION, "--severity", "error"], f"{PATH}/logs?severity=error", logs.FIELDS),
]
"""Commands that list something, where REST has the same, and the fields of their lines."""

NAMES = ["list", "search", "calls", "messages", "logs", "errors"]


@pytest.mark.parametrize(("command", "path", "fields"), LISTS, ids=NAMES)
def test_lists(server: Server, command: list[str], path: str, fields: tuple[str, ...]) -> None:
    """JSON, JSON lines and lines with tabs have what REST has, in its order."""
    answered = server.get(path)["data"]
    assert answered
    as_json = in_pipe(*command, "--json", "--url", server.url)
    assert (as_json.status, as_json.err, json.loads(as_json.out)) == (0, "", answered)
    as_lines = in_pipe(*command, "--jsonl", "--url", server.url).out.splitlines()
    assert [json.loads(line) for line in as_lines] == answered
    plain = [line.split("\t") for line in in_pipe(*command, "--url", server.url).out.splitlines()]
    assert [dict(zip(fields, line, strict=True)) for line in plain] == [
        {name: escaped(words(one)) if name == "text" else value_text(one[name]) for name in fields} for one in answered
    ]


def test_one_session(server: Server) -> None:
    """`get` has what REST has, by the whole id, by its beginning, and of the session that was last active."""
    answered = server.get(PATH)["data"]
    for given in (SESSION, "order/"):
        assert json.loads(in_pipe("get", given, "--json", "--url", server.url).out) == answered
    assert json.loads(in_pipe("get", SESSION, "--jsonl", "--url", server.url).out) == answered
    plain = in_pipe("get", SESSION, "--url", server.url).out.splitlines()
    assert plain == [f"{name}\t{value_text(value)}" for name, value in answered.items()]
    assert in_pipe("get", "last", "--fields", "id", "--url", server.url).out == "small\n"
    assert in_pipe("get", "none", "--url", server.url).status == 3


def test_rows(server: Server) -> None:
    """`query` gives the rows of SQL in every layout, and refuses to write."""
    rows = [{"TraceId": f"{number:032x}", "spans": count} for number, count in ((1, 4), (2, 1), (3, 1))]
    assert json.loads(in_pipe("query", QUERY, "--json", "--url", server.url).out) == rows
    assert [
        json.loads(line) for line in in_pipe("query", QUERY, "--jsonl", "--url", server.url).out.splitlines()
    ] == rows
    lines = [f"{row['TraceId']}\t{row['spans']}" for row in rows]
    assert in_pipe("query", QUERY, "--url", server.url).out.splitlines() == lines
    as_csv = in_pipe("query", QUERY, "--csv", "--url", server.url).out.splitlines()
    assert as_csv == ["TraceId,spans", *(line.replace("\t", ",") for line in lines)]
    refused = in_pipe("query", "DROP TABLE otel_traces", "--url", server.url)
    assert (refused.status, refused.out) == (2, "")
    assert json.loads(in_pipe("query", QUERY, "--json", "--url", server.url).out) == rows


def test_on_a_terminal(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A person reads the title in the list, the totals below the calls, and the conversation as a transcript."""

    def shown(*command: str) -> str:
        ran = in_terminal(monkeypatch, 120, *command, "--url", server.url)
        assert (ran.status, ran.err) == (0, "")
        return ran.out

    session = server.get(PATH)["data"]
    head, *rows = shown("list").splitlines()
    assert head.split()[:2] == ["ID", "TITLE"]
    (row,) = [row for row in rows if row.startswith(SESSION)]
    assert "Order 1042" in row
    assert "failed" in row
    assert [row for row in rows if row.startswith("small") and "Hello" in row]
    facts = shown("get", SESSION)
    for fact in ("Order 1042", "Where is my order?", "ann", "helpful 4 (1)", "36 tokens"):
        assert fact in facts
    total = shown("calls", SESSION).splitlines()[-1]
    cost = server.get(PATH)["data"]["total_cost"]
    assert (
        total
        == f"total: 3 calls, {session['input_tokens']} input tokens, {session['output_tokens']} output tokens, ${cost}"
    )
    spoken = shown("messages", SESSION)
    parts = [
        "turn 0",
        "Be brief.",
        "Where is my order?",
        '→ lookup {"n": 1042}',
        "← lookup: it left",
        "on Monday",
        ANSWERED,
    ]
    assert [part for part in [*parts, "turn 1", "Why?", "failed"] if part not in spoken] == []
    assert "looked up" in shown("logs", SESSION)
    assert "TraceId" in shown("query", QUERY)


def test_following(server: Server) -> None:
    """`tail` shows the sessions that there are, and then the one that changes."""
    command = [sys.executable, "-m", "otel_sessions", "tail", "--once", "--jsonl", "--fields", "change,id,title"]
    with processes.started(*command, "--url", server.url) as running:
        assert running.stdout is not None
        at_start = [json.loads(running.stdout.readline()) for _ in range(2)]
        assert at_start == [
            {"change": None, "id": SESSION, "title": "Order 1042"},
            {"change": None, "id": "small", "title": "Hello"},
        ]
        assert in_pipe("rename", "small", "A greeting", "--url", server.url).status == 0
        out, err = running.communicate(timeout=60)
    assert (running.returncode, err) == (0, "")
    assert json.loads(out) == {"change": "changed", "id": "small", "title": "A greeting"}


def test_changes(tmp_path: Path) -> None:
    """Scores, notes, names and deletions are in REST's answers, made over the address or in the folder."""
    folder = tmp_path / "store"
    with Server(folder) as server:
        send(server)
        before = server.get(PATH)["data"]
        changed(
            ["--url", server.url],
            ["score", SESSION, "tone", "--label", "kind"],
            ["score", SESSION, "correct", "0.5", "--trace", f"{1:032x}", "--comment", "half"],
            ["annotate", SESSION, "look at this"],
            ["rename", SESSION, "Mine"],
        )
        after = server.get(PATH)["data"]
        assert after["scores"]["tone"]["session"]["labels"] == {"kind": 1}
        assert (after["scores"]["correct"]["traces"]["mean"], after["annotation_count"], after["name"]) == (
            0.5,
            1,
            "Mine",
        )
        assert [one["text"] for one in server.get(f"{PATH}/annotations")["data"]] == ["look at this"]
        assert (after["total_cost"], after["span_count"]) == (before["total_cost"], before["span_count"])
        made = {part: server.get(f"{PATH}/{part}")["data"] for part in ("calls", "messages", "logs")}
        assert server.stop()[0] == 0
    where = ["--store", str(folder)]
    assert json.loads(in_pipe("get", SESSION, "--json", *where).out) == after
    assert json.loads(in_pipe("calls", SESSION, "--json", *where).out) == made["calls"]
    assert json.loads(in_pipe("messages", SESSION, "--json", *where).out) == made["messages"]
    assert json.loads(in_pipe("logs", SESSION, "--json", *where).out) == made["logs"]
    changed(where, ["annotate", SESSION, "look again"], ["rename", SESSION, "--clear"])
    emptied = in_pipe("rm", SESSION, "--content-only", "--yes", *where)
    assert (emptied.status, emptied.err) == (0, "")
    found = json.loads(in_pipe("get", SESSION, "--json", *where).out)
    counts = ("total_cost", "input_tokens", "span_count", "call_count", "duration_ms", "trace_count")
    assert {name: found[name] for name in counts} == {name: before[name] for name in counts}
    assert (found["name"], found["annotation_count"], found["first_input"]) == ("Order 1042", 2, None)
    told = json.loads(in_pipe("messages", SESSION, "--json", *where).out)
    assert [one["parts"] for one in told if one["parts"]] == []
    assert in_pipe("list", "--q", "monday", *where).out == ""
    removed = in_pipe("rm", SESSION, "--yes", "--json", *where)
    assert json.loads(removed.out)["span_count"] == 5
    assert in_pipe("get", SESSION, *where).status == 3
    assert in_pipe("list", "--fields", "id", *where).out == "small\n"


def changed(where: list[str], *commands: list[str]) -> None:
    """Run commands that change the session."""
    for command in commands:
        ran = in_pipe(*command, *where)
        assert (ran.status, ran.err) == (0, "")
