"""What no program should send, sent to a real server and read with the commands."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from rich.cells import cell_len
from tests import processes
from tests.cli.terminal import acts_on_a_terminal, in_pipe, in_terminal
from tests.server.conversing import AT, CALL, SECOND, call, key_values, record, said, span
from tests.server.running import Server, post

HOSTILE = "red \x1b[31m\x1b]0;title\x07 \x9b2J \u202etxt\r\n\ttab \x00\x7f end"
WIDTH = 100
SIZE = 5_000_000
MANY = 5_000
LONE_RESULT = {"role": "tool", "parts": [{"type": "tool_call_response", "id": "nowhere", "response": "42"}]}
NO_MESSAGES = ("not JSON", "[", "{}", "[]", "7", '"text"', '[["a"]]', '{"a": {"b": [1, null]}}', "[{'role': ")


def spans() -> Iterator[list[Any]]:
    """Requests: what is no message, roles and results that fit nothing, a huge message, many traces, and texts for terminals."""
    for number, text in enumerate(NO_MESSAGES, 1):
        yield [span(number, 1, {**CALL, "session.id": "none", "gen_ai.input.messages": text}, at=AT + number * SECOND)]
    given = [said("martian", "take me to"), {"role": "?", "content": "your leader"}, LONE_RESULT]
    yield [span(50, 1, call(given, [said("assistant", "ok")], session_id="odd"))]
    yield [span(51, 1, call([said("user", "x" * SIZE + " end")], [said("assistant", "long")], session_id="large"))]
    yield [
        span(
            100 + number,
            1,
            call([said("user", f"Question {number}")], [said("assistant", f"Answer {number}")], session_id="many"),
            at=AT + number * SECOND,
        )
        for number in range(MANY)
    ]
    tool = {
        "role": "assistant",
        "parts": [{"type": "tool_call", "id": "1", "name": HOSTILE, "arguments": {HOSTILE: HOSTILE}}],
    }
    named = dict.fromkeys(("session.name", "user.id", "gen_ai.request.model"), HOSTILE)
    yield [span(52, 1, {**call([said("user", HOSTILE)], [tool]), **named, "session.id": "hostile"}, name=HOSTILE)]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that has all this."""
    with Server(tmp_path_factory.mktemp("bad") / "store") as server:
        resource = {"attributes": key_values({"service.name": "shop"})}
        for sent in spans():
            body = {
                "resourceSpans": [{"resource": resource, "scopeSpans": [{"scope": {"name": "app"}, "spans": sent}]}]
            }
            assert post(f"{server.url}/v1/traces", json.dumps(body).encode(), "application/json") == 200
        scored = {"gen_ai.evaluation.name": "n", "gen_ai.evaluation.score.value": "NaN", "session.id": "odd"}
        records = [
            record(scored, event="gen_ai.evaluation.result"),
            record({"session.id": "hostile"}, event=HOSTILE, body={"stringValue": HOSTILE}, severityText=HOSTILE),
        ]
        body = {
            "resourceLogs": [{"resource": resource, "scopeLogs": [{"scope": {"name": "app"}, "logRecords": records}]}]
        }
        assert post(f"{server.url}/v1/logs", json.dumps(body).encode(), "application/json") == 200
        yield server


def told(server: Server, session: str, *options: str) -> list[Any]:
    """The messages that the command prints."""
    ran = in_pipe("messages", session, "--jsonl", "--url", server.url, *options)
    assert (ran.status, ran.err) == (0, "")
    return [json.loads(line) for line in ran.out.splitlines()]


def test_what_is_no_message(server: Server) -> None:
    """Calls whose input is anything but messages are counted, and the conversation can be read."""
    assert server.get("/v1/sessions/none")["data"]["input_tokens"] == 12 * len(NO_MESSAGES)
    messages = told(server, "none")
    assert {one["turn"] for one in messages} == set(range(len(NO_MESSAGES)))
    assert sum(one["call"] is not None for one in messages) == len(NO_MESSAGES)


def test_roles_and_results_that_fit_nothing(server: Server) -> None:
    """A role that nobody knows is the user's, and a result without a call is shown."""
    assert [(one["role"], one["parts"][0]["content"]) for one in told(server, "odd")] == [
        ("user", "take me to"),
        ("user", "your leader"),
        ("tool", "42"),
        ("assistant", "ok"),
    ]
    assert in_pipe("messages", "odd", "--url", server.url).out.splitlines()[2].endswith("\t← 42")


def test_a_message_of_5_mb(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """The list cuts it and says so; `--full` has all of it, and a search finds its end."""
    first, _ = told(server, "large")
    assert (len(first["parts"][0]["content"]), first["size"], first["truncated"]) == (20_000, SIZE + 4, True)
    whole, _ = told(server, "large", "--full")
    assert whole["parts"][0]["content"] == "x" * SIZE + " end"
    shown = in_terminal(monkeypatch, 80, "messages", "large", "--url", server.url).out
    assert "--full shows" in shown
    assert len(shown) < 10_000
    assert in_pipe("list", "--q", "x end", "--fields", "id", "--url", server.url).out == "large\n"


def test_5_000_traces(server: Server) -> None:
    """All messages are there, in their order; a page has what was asked for."""
    messages = told(server, "many")
    expected = [text for number in range(MANY) for text in (f"Question {number}", f"Answer {number}")]
    assert [one["parts"][0]["content"] for one in messages] == expected
    assert [one["index"] for one in told(server, "many", "--limit", "3")] == [0, 1, 2]
    assert len(in_pipe("calls", "many", "--jsonl", "--url", server.url).out.splitlines()) == MANY


def test_a_reader_that_has_enough(server: Server) -> None:
    """`| head` ends the command silently, with status 0."""
    command = [sys.executable, "-W", "error", "-m", "otel_sessions", "messages", "many", "--url", server.url]
    with processes.started(*command) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        assert running.stdout.readline().startswith("0\t0\t")
        running.stdout.close()
        assert (running.stderr.read(), running.wait(timeout=60)) == ("", 0)


@pytest.mark.parametrize("value", ["nan", "inf", "many", ""])
def test_a_score_that_is_no_number(server: Server, value: str) -> None:
    """It is refused with the next step, and none was stored, of the event either."""
    ran = in_pipe("score", "odd", "n", value, "--url", server.url)
    assert (ran.status, ran.out) == (2, "")
    assert "write it like 0.8" in ran.error
    assert post(f"{server.url}/v1/sessions/odd/scores", b'{"name": "n", "value": NaN}', "application/json") == 400
    assert server.get("/v1/sessions/odd")["data"]["scores"] == {}


COMMANDS = (
    ("list",),
    ("get", "hostile"),
    ("calls", "hostile"),
    ("messages", "hostile"),
    ("messages", "hostile", "--full"),
    ("logs", "hostile"),
    ("query", "SELECT Body, EventName FROM otel_logs"),
)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda one: " ".join(one)[:20])
def test_texts_for_terminals(server: Server, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]) -> None:
    """No text that was sent acts on a terminal or breaks its lines, and JSON has it as it was."""
    shown = in_terminal(monkeypatch, WIDTH, *command, "--url", server.url)
    assert (shown.status, shown.err) == (0, "")
    lines = shown.out.splitlines()
    assert "red" in shown.out
    assert not any(map(acts_on_a_terminal, shown.out.split("\n")))
    assert max(map(cell_len, lines)) <= WIDTH
    piped = in_pipe(*command, "--url", server.url)
    assert not any(map(acts_on_a_terminal, piped.out.replace("\t", "").split("\n")))
    as_json = in_pipe(*command, "--json", "--url", server.url).out
    assert json.dumps(HOSTILE) in json.dumps(json.loads(as_json))
    assert not any(map(acts_on_a_terminal, as_json.split("\n")))
