"""Log records as they really come, to a real server: odd times, types, names and ids, late ones, and many of one prompt."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests import processes
from tests.exporting import finished
from tests.server.running import Server
from tests.server.telling import assert_consistent, delete, every, path_of, send_logs, status_of

from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.clickhouse.store_settings import StoreSettings

AT = 1_795_000_000_000_000_000
TIME = "2026-11-18T11:06:40.000Z"
SECOND = 10**9
TRACE = "0af7651916cd43dd8448eb211c80319c"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server for sessions of different names."""
    with Server(tmp_path_factory.mktemp("bad-records")) as server:
        yield server


TICKET_1: dict[str, Any] = {"session.key.ticket": "t-1"}


def said(session: str | None, number: int = 0, /, **more: Any) -> dict[str, Any]:
    """What Claude Code says of a call; `None` leaves an attribute out."""
    attributes = {
        "session.id": session,
        "event.name": "api_request",
        "prompt.id": "p",
        "model": "claude-opus-4-8",
        "request_id": f"req_{session}_{number}",
        "input_tokens": 100 + number,
        "output_tokens": 10,
        "cost_usd": 0.25,
        **more,
    }
    return {name: value for name, value in attributes.items() if value is not None}


def at(time: int, attributes: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A record of this time."""
    return {"timeUnixNano": str(time), "attributes": attributes, **more}


def shown(server: Server, session: str, *names: str) -> list[Any]:
    """These fields of a session."""
    found = assert_consistent(server, session)
    return [found[name] for name in names]


@pytest.mark.parametrize(
    ("name", "record", "start"),
    [
        ("observed", {"timeUnixNano": "0", "observedTimeUnixNano": str(AT)}, TIME),
        ("no time", {}, "1970-01-01T00:00:00.000Z"),
        ("an attribute", {"timeUnixNano": "0", "attributes": {"event.timestamp": "2026-11-18T11:06:40.000Z"}}, TIME),
        ("too late", {"timeUnixNano": str(2**64 - 1)}, "2106-02-07T06:28:15.999999999Z"),
        ("eight bytes", {"timeUnixNano": str(AT), "traceId": "0102030405060708", "spanId": "0102030405060708"}, TIME),
        ("zeros", {"timeUnixNano": str(AT), "traceId": "0" * 32, "spanId": "0" * 16}, TIME),
        ("texts", {"timeUnixNano": str(AT), "attributes": {"input_tokens": "100", "cost_usd": "0.25"}}, TIME),
        ("a prefix", {"timeUnixNano": str(AT), "attributes": {"event.name": "claude_code.api_request"}}, TIME),
        ("a field", {"timeUnixNano": str(AT), "eventName": "api_request", "attributes": {"event.name": None}}, TIME),
        (
            "a body",
            {
                "timeUnixNano": str(AT),
                "body": {"stringValue": "claude_code.api_request"},
                "attributes": {"event.name": None},
            },
            TIME,
        ),
    ],
)
def test_one_call(server: Server, name: str, record: dict[str, Any], start: str) -> None:
    """A call is counted in no trace of its own, whatever is odd about its record, and also when it comes twice."""
    whole = {**record, "attributes": said(name, **record.get("attributes", {}))}
    send_logs(server, whole)
    send_logs(server, whole, whole)
    fields = ("start", "call_count", "input_tokens", "total_cost", "trace_count", "span_count", "failed_trace_count")
    assert shown(server, name, *fields) == [start, 1, 100, "0.25", 1, 0, 0]
    assert [one["trace_id"] for one in every(server, f"{path_of(name)}/traces")] == [None]
    assert server.get(f"{path_of(name)}/spans")["pagination"]["total"] == 0


def test_without_a_session_or_trace(server: Server) -> None:
    """A record that names neither is stored, not counted, and shown as unassigned."""
    before = {one["service"]: one["log_record_count"] for one in server.get("/v1/unassigned")["data"]}
    sessions = server.get("/v1/sessions")["pagination"]["total"]
    send_logs(server, at(AT, said(None)))
    after = {one["service"]: one["log_record_count"] for one in server.get("/v1/unassigned")["data"]}
    assert after["claude-code"] == before.get("claude-code", 0) + 1
    assert server.get("/v1/sessions")["pagination"]["total"] == sessions


def test_a_session_of_another_key(server: Server) -> None:
    """A record that only names a session of another key is counted there, and in no trace."""
    send_logs(server, *(at(AT + number * SECOND, said(None, number, **TICKET_1)) for number in (0, 400)))
    found = server.get(f"{path_of('t-1')}?key=ticket")["data"]
    assert (found["call_count"], found["span_count"]) == (2, 0)
    assert [one["trace_id"] for one in found["traces"]["data"]] == [None, None]
    calls = server.get(f"{path_of('t-1')}/calls?key=ticket")["data"]
    assert [(one["trace_id"], one["counted"]) for one in calls] == [(None, True)] * 2
    assert status_of(server, path_of("t-1")) == 404
    assert delete(server, "t-1", key="ticket")["log_record_count"] == 2
    assert status_of(server, f"{path_of('t-1')}?key=ticket") == 404


def test_an_event_of_the_next_version(server: Server) -> None:
    """An unknown event of a known program is a part of its session, and no call."""
    send_logs(server, at(AT, said("next", **{"event.name": "brand_new"})))
    assert shown(server, "next", "call_count", "input_tokens", "trace_count") == [0, None, 1]


def test_two_machines_and_a_day_late(server: Server) -> None:
    """The same session of two machines is one; what comes a day late is where it belongs."""
    send_logs(server, at(AT + 86_400 * SECOND, said("two", 1)), **{"host.name": "a"})
    assert shown(server, "two", "call_count", "start") == [1, "2026-11-19T11:06:40.000Z"]
    send_logs(server, at(AT, said("two", 2)), **{"host.name": "b"})
    assert shown(server, "two", "call_count", "start", "input_tokens") == [2, TIME, 203]


def test_a_session_that_switches_programs(server: Server) -> None:
    """A session has the calls of both programs."""
    codex = {
        "conversation.id": "switches",
        "event.name": "codex.sse_event",
        "event.kind": "response.completed",
        "input_token_count": "50",
        "output_token_count": "5",
        "model": "gpt-5.2-codex",
    }
    send_logs(server, at(AT, said("switches")))
    send_logs(server, at(AT + SECOND, codex), scope="codex_otel.log_only", **{"service.name": "codex_cli_rs"})
    fields = ("call_count", "input_tokens", "services", "trace_count")
    assert shown(server, "switches", *fields) == [2, 150, ["claude-code", "codex_cli_rs"], 2]


def test_a_tool_that_failed(server: Server) -> None:
    """A tool's failure fails neither its trace nor its session; a turn whose last call failed does."""
    tool = {"event.name": "tool_result", "success": "false", "tool_name": "Bash", "error": "exit 1", "prompt.id": "p"}
    send_logs(server, at(AT, said("tool")), at(AT + 5, {"session.id": "tool", **tool}))
    assert shown(server, "tool", "failed_trace_count", "status") == [0, "ok"]
    server.send([finished(1, session="tool in a trace", trace=int(TRACE, 16))])
    send_logs(server, at(AT + 5, {"session.id": "tool in a trace", **tool}, traceId=TRACE, spanId=f"{1:016x}"))
    assert shown(server, "tool in a trace", "failed_trace_count", "span_count", "call_count") == [0, 1, 0]
    send_logs(server, at(AT, said("fails")))
    assert shown(server, "fails", "failed_trace_count") == [0]
    send_logs(
        server, at(AT + SECOND, said("fails", **{"event.name": "api_error", "request_id": "r", "cost_usd": None}))
    )
    assert shown(server, "fails", "failed_trace_count", "trace_count", "call_count") == [1, 1, 2]
    assert "fails" in {one["id"] for one in server.get("/v1/sessions?failed=true")["data"]}


def test_a_trace_of_records_only(server: Server) -> None:
    """A trace that only log records tell of is found by its id, without spans."""
    trace = "1" * 32
    send_logs(server, at(AT, said("in a trace"), traceId=trace, spanId="2" * 16))
    assert [one["trace_id"] for one in every(server, f"{path_of('in a trace')}/traces")] == [trace]
    found = server.get(f"/v1/traces/{trace}")["data"]
    assert (found["start"], found["span_count"], found["services"]) == (TIME, 0, ["claude-code"])
    assert found["sessions"] == [{"key": "id", "id": "in a trace"}]
    assert found["spans"]["data"] == []


def test_many_of_one_prompt(server: Server) -> None:
    """Thousands of calls of one prompt within a second are all counted, and paged to the last."""
    many = 20_000
    for first in range(0, many, 2_000):
        records = [at(AT + number * 1_000, said("many", number)) for number in range(first, first + 2_000)]
        send_logs(server, *records, *records[:10])
    found = server.get(path_of("many"))["data"]
    assert (found["call_count"], found["total_cost"], found["trace_count"]) == (many, "5000", 1)
    page = server.get(f"{path_of('many')}/calls?limit=5&offset={many - 2}")
    assert [one["input_tokens"] for one in page["data"]] == [100 + many - 2, 100 + many - 1]
    assert page["pagination"] == {"total": many, "limit": 5, "offset": many - 2, "next": None}


def test_the_commands(server: Server) -> None:
    """`list` and `calls` show what the API says; a session that does not exist has exit status 3."""

    def run(*arguments: str) -> Any:
        return processes.run(sys.executable, "-m", "otel_sessions", *arguments, "--url", server.url)

    send_logs(server, at(AT, said("shown")), at(AT + SECOND, said("shown", 1)))
    listed, calls, missing = run("list", "--limit", "100"), run("calls", "shown"), run("calls", "nobody")
    assert "shown" in [line.split("\t")[0] for line in listed.stdout.splitlines()]
    assert len(calls.stdout.splitlines()) == 2
    assert "total: 2 calls, 201 input tokens, 20 output tokens, $0.5" in calls.stderr
    assert (listed.returncode, calls.returncode, missing.returncode) == (0, 0, 3)
    assert "there is no session with id = 'nobody'" in missing.stderr


def test_a_deletion_takes_what_only_names_the_session(tmp_path: Path) -> None:
    """Log records of an application, in no trace and of no call, go with the session that they name."""
    app: dict[str, Any] = {"service.name": "shop"}
    with Server(tmp_path) as server:
        for named in (
            {"session.id": "gone"},
            {"session.id": "stays"},
            {"session.key.ticket": "gone"},
            {"note": "gone"},
        ):
            send_logs(server, at(AT, named, body={"stringValue": "hello"}), scope="app", **app)
        send_logs(server, at(AT, said("gone")))
        assert delete(server, "gone")["log_record_count"] == 1
        assert delete(server, "gone", key="ticket")["log_record_count"] == 0
        assert server.stop()[0] == 0
    store = Store(StoreSettings(f"chdb://{tmp_path}", readers=1))
    with store.reading() as client:
        left = client.query("SELECT mapValues(LogAttributes) FROM otel_logs ORDER BY ALL").result_rows
    store.close()
    assert left == [(["gone"],), (["stays"],)]


def test_what_the_server_says_of_itself(server: Server) -> None:
    """Log records are counted as such: none of them is a span that came twice, or a problem."""
    health = server.get("/healthz")
    assert (health["status"], health["problems"], health["duplicate_spans"]) == ("ok", [], 0)
    assert health["stored"]["logs"] == health["received"]["logs"]


def test_rebuilt(tmp_path: Path) -> None:
    """`rebuild` gives the same answers, also for odd times and for sessions of another key."""
    records: list[dict[str, Any]] = [
        {"attributes": said("none")},
        {"observedTimeUnixNano": str(AT), "attributes": said("observed")},
        {"attributes": said("attribute", **{"event.timestamp": "2026-11-18T11:06:40.123Z"})},
        at(2**64 - 1, said("late", **{"event.timestamp": "2026-11-18T11:06:40.123Z"})),
        at(AT, said(None, **{"session.key.ticket": "t"})),
        at(AT, said("trace"), traceId=TRACE, spanId="2" * 16),
    ]

    def answers(server: Server) -> list[Any]:
        return [
            [
                (one, server.get(f"{path_of(one['id'])}/calls?key={key}"))
                for one in every(server, f"/v1/sessions?key={key}")
            ]
            for key in ("id", "ticket")
        ]

    with Server(tmp_path) as server:
        send_logs(server, *records)
        before = answers(server)
        assert server.stop()[0] == 0
    ran = processes.run(sys.executable, "-m", "otel_sessions", "rebuild", "--store", f"chdb://{tmp_path}")
    assert (ran.returncode, ran.stdout) == (0, "counted 1 traces again\n")
    with Server(tmp_path) as server:
        assert answers(server) == before
        assert sum(map(len, before)) == len(records)
