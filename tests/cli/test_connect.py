"""`otel-sessions connect` prints what to set, and waits for the first record."""

from __future__ import annotations

import json
import os
import re
import sys
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from opentelemetry.sdk.resources import Resource
from tests import processes
from tests.cli.answering import Answering
from tests.cli.sending import a_session, send_log
from tests.cli.terminal import in_pipe
from tests.cli.test_first_record import Store, records
from tests.exporting import chat, finished
from tests.server.running import Server

from otel_sessions.cli.connect_targets import TARGETS


@pytest.mark.parametrize("target", TARGETS)
def test_settings(target: str) -> None:
    """Stdout has nothing but what is pasted; stderr says what to do next."""
    ran = in_pipe("connect", target)
    assert ran.status == 0
    assert (
        ran.out
        == "\n\n".join(block.text("http://127.0.0.1:4318", with_key=False) for block in TARGETS[target].blocks) + "\n"
    )
    assert ran.error.endswith(f": otel-sessions connect {target} --check")


def test_the_address() -> None:
    """The address comes from the option, else from the environment; a key is named and not shown."""
    ran = in_pipe("connect", "codex", OTEL_SESSIONS_URL="http://one:1/")
    assert tomllib.loads(ran.out)["otel"]["exporter"]["otlp-http"]["endpoint"] == "http://one:1/v1/logs"
    ran = in_pipe(
        *("connect", "claude-code", "--url", "http://two:2"),
        OTEL_SESSIONS_URL="http://one:1",
        OTEL_SESSIONS_API_KEY="hush",
    )
    assert "OTEL_EXPORTER_OTLP_ENDPOINT=http://two:2\n" in ran.out
    assert '\nexport OTEL_EXPORTER_OTLP_HEADERS="authorization=$OTEL_SESSIONS_API_KEY"\n' in ran.out
    assert "hush" not in ran.out + ran.err
    assert "connect claude-code --url http://two:2 --check" in ran.error


def test_settings_as_json() -> None:
    """JSON has each text with its language and its place."""
    answer = json.loads(in_pipe("connect", "copilot", "--json").out)
    assert (answer["target"], answer["url"]) == ("copilot", "http://127.0.0.1:4318")
    assert answer["services"] == ["copilot-chat", "github-copilot", "vscode-agent-host"]
    assert [block["language"] for block in answer["blocks"]] == ["jsonc", "sh"]
    assert all(block["text"] and block["place"] for block in answer["blocks"])


def test_an_unknown_target() -> None:
    """What cannot be connected is wrong usage, and the message lists what can."""
    ran = in_pipe("connect", "emacs")
    assert (ran.status, ran.out) == (2, "")
    assert "choose from claude-code, codex" in ran.error


def test_no_record_comes() -> None:
    """After the timeout the command fails with the next step."""
    with Answering(Store().answer) as server:
        ran = in_pipe("connect", "claude-code", "--check", "--timeout", "0", "--url", server.url)
    assert (ran.status, ran.out) == (1, "")
    waiting, failed = ran.err.splitlines()
    assert waiting.startswith("otel-sessions: waiting up to 0 s for records of Claude Code at http://127.0.0.1:")
    assert f"otel-sessions connect claude-code --url {server.url}, then start claude" in failed


def test_no_server_to_check() -> None:
    """A server that cannot be reached ends the command with status 4."""
    ran = in_pipe("connect", "codex", "--check", "--url", "http://127.0.0.1:9")
    assert (ran.status, ran.out) == (4, "")
    assert "otel-sessions serve" in ran.error


def test_a_service_of_ones_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """With --service, only records of this service are waited for; a session of another key is shown with its key."""
    store = Store({"import": []})

    def pause(_: float) -> None:
        store.unassigned = [records("web", 1)]
        store.sessions["import"] = [a_session("i1", services=["shop"])]

    monkeypatch.setattr(time, "sleep", pause)
    with Answering(store.answer) as server:
        ran = in_pipe("connect", "node", "--check", "--service", "shop", "--url", server.url)
    assert ran.status == 0
    assert ran.out.splitlines() == [
        "Node.js is connected",
        "service      shop",
        "session      i1",
        "session key  import",
        "signals      traces",
        "spans        1",
        "calls        0",
    ]


def test_what_came_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    """JSON says what came; for records without a session it has the hint that people get on stderr."""
    store = Store()

    def pause(_: float) -> None:
        store.unassigned = [records("qwen-code", logs=2)]

    monkeypatch.setattr(time, "sleep", pause)
    with Answering(store.answer) as server:
        ran = in_pipe("connect", "qwen", "--check", "--json", "--url", server.url)
    assert ran.status == 0
    found = json.loads(ran.out)
    assert (found["service"], found["session_id"], found["signals"]) == ("qwen-code", None, ["logs"])
    assert (found["span_count"], found["log_record_count"], found["call_count"]) == (0, 2, None)
    assert found["hint"] == "set session.id"
    assert ran.err.splitlines()[1] == "otel-sessions: these records are in no session: set session.id"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A real server with a session of Codex and records of other services."""
    with Server(tmp_path_factory.mktemp("server") / "store") as server:
        codex = Resource({"service.name": "codex_exec"})
        assert server.send([finished(1, session="before", resource=codex), finished(2, trace=2)]) == 200
        yield server


def test_a_span_of_an_agent(server: Server) -> None:
    """A real command that waits at a real server ends with what came after its start."""
    command = ("connect", "codex", "--check", "--json", "--url", server.url)
    codex = Resource({"service.name": "codex_exec"})
    with processes.started(sys.executable, "-m", "otel_sessions", *command) as process:
        assert process.stderr is not None
        assert "waiting up to 120 s for records of Codex" in process.stderr.readline()
        spans = [finished(3, session="after", resource=codex, trace=3), chat(4, 3, resource=codex, trace=3)]
        assert server.send([*spans, finished(5, session="other", trace=4)]) == 200
        out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    assert json.loads(out) == {
        "target": "codex",
        "url": server.url,
        "service": "codex_exec",
        "key": "id",
        "session_id": "after",
        "signals": ["traces"],
        "span_count": 2,
        "log_record_count": None,
        "call_count": 1,
        "hint": None,
    }


def test_a_log_record_without_a_session(server: Server) -> None:
    """A record that is in no session has come too, and stderr says what would give it one."""
    command = ("connect", "collector", "--check", "--service", "some-agent", "--url", server.url)
    with processes.started(sys.executable, "-m", "otel_sessions", *command) as process:
        assert process.stderr is not None
        process.stderr.readline()
        send_log(server, "some-agent")
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert out.splitlines()[:4] == [
        "OpenTelemetry Collector is connected",
        "service      some-agent",
        "session      —",
        "signals      logs",
    ]
    assert "these records are in no session: " in err


def test_the_lines_of_python_work(server: Server) -> None:
    """The program that is printed for Python runs as it is, and its session is on the server."""
    program = in_pipe("connect", "python", "--url", server.url).out
    ran = processes.run(sys.executable, "-W", "error", "-c", program)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert server.get("/v1/sessions/ticket-2611")["data"]["operations"] == ["answer"]


def test_the_header_with_the_key_is_accepted(tmp_path: Path) -> None:
    """A server with an API key accepts the header that the variables set, in which the key stands alone."""
    with Server(tmp_path / "store", "--api-key", "hush") as server:
        printed = in_pipe("connect", "claude-code", "--url", server.url, OTEL_SESSIONS_API_KEY="hush").out
        program = in_pipe("connect", "python", "--url", server.url).out
        (export,) = re.findall(r"^export (OTEL_EXPORTER_OTLP_HEADERS=.*)$", printed, re.MULTILINE)
        command = f'{export} exec "$0" -W error -c "$1"'
        environment = processes.environment(OTEL_SESSIONS_API_KEY="hush")
        ran = processes.run("sh", "-euc", command, sys.executable, program, env=environment)
        assert (ran.returncode, ran.stderr) == (0, "")
        listed = in_pipe("list", "--fields", "id", "--url", server.url, OTEL_SESSIONS_API_KEY="hush")
        assert listed.out == "ticket-2611\n"


def test_a_server_starts_with_the_address_of_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable of the commands is no setting of the server, and does not keep it from starting."""
    monkeypatch.setattr(
        processes, "environment", lambda **more: {**os.environ, "OTEL_SESSIONS_URL": "http://h:1", **more}
    )
    with Server(tmp_path / "store") as server:
        assert server.stop()[0] == 0
