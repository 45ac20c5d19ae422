"""`otel-sessions doctor` finds what would explain an empty or a wrong list."""

from __future__ import annotations

import json
import re
import shlex
import socket
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from tests.cli.answering import Answer, Answering, Asked, error, page
from tests.cli.sending import a_session
from tests.cli.terminal import Ran, in_pipe, in_terminal
from tests.exporting import finished
from tests.server.running import Server, post

from otel_sessions.cli import examination
from otel_sessions.cli.checks.check import Seen
from otel_sessions.cli.client import Client
from otel_sessions.cli.doctor import _summary
from otel_sessions.cli.examination import CHECKS, _without_words

PAGE = Path(__file__).parents[2] / "docs" / "doctor.md"
SHOWN = re.findall(r"^\$ otel-sessions (.*)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
USAGE = {
    "gen_ai.operation.name": "chat",
    "gen_ai.request.model": "our own",
    "gen_ai.provider.name": "acme",
    "gen_ai.usage.input_tokens": 10,
    "gen_ai.usage.output_tokens": 1,
}
METRICS = (
    b'{"resourceMetrics":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"claude-code"}}]}}]}'
)


@pytest.fixture(autouse=True)
def no_telemetry_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable of the test run is looked at."""
    for name in (
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "OTEL_TRACES_EXPORTER",
        "OTEL_SDK_DISABLED",
        "CLAUDE_CODE_ENABLE_TELEMETRY",
    ):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with a call without a price and words, a span in no session, a refused request and metrics."""
    with Server(tmp_path_factory.mktemp("server") / "store") as server:
        spans = [finished(1, session="ticket-1", attributes=USAGE, trace=1), finished(2, trace=2)]
        assert server.send(spans) == 200
        assert post(f"{server.url}/v1/traces", b"\x07") == 400
        assert post(f"{server.url}/v1/metrics", METRICS, "application/json") == 200
        yield server


def names(ran: Ran) -> list[str]:
    """The checks that found something."""
    return [line.split("\t")[0] for line in ran.out.splitlines()]


def test_a_real_server(server: Server) -> None:
    """Each of its troubles is found, with a fix; the status says that something was."""
    ran = in_pipe("doctor", "--json", "--url", server.url)
    found = {one["check"]: one for one in json.loads(ran.out)}
    assert ran.status == 1
    assert {"refused", "metrics_only", "unassigned", "uncaptured", "unpriced"} <= found.keys()
    assert found["metrics_only"]["fix"] == "otel-sessions connect claude-code"
    assert found["unpriced"]["fix"].startswith("otel-sessions prices set 'our own' --provider acme ")
    assert found["unassigned"]["question"] == "Are spans or log records in no session?"


def test_a_terminal_and_a_pipe(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal gets two lines a finding; a pipe the same between tabs; what was looked at stands on stderr."""
    shown = in_terminal(monkeypatch, 120, "doctor", "--url", server.url)
    assert "unassigned" in shown.out
    assert "fix" in shown.out
    ran = in_pipe("doctor", "--url", server.url)
    assert all(len(line.split("\t")) == 3 for line in ran.out.splitlines())
    assert re.search(rf"^\d+ found; at {re.escape(server.url)}; store: .*B, .*B free, keeps everything$", ran.error)


@pytest.mark.parametrize("line", SHOWN)
def test_the_commands_of_the_page_run(server: Server, line: str) -> None:
    """Each ends with the status for something that was found."""
    assert in_pipe(*shlex.split(line), "--url", server.url).status == 1


def test_variables_of_this_shell(server: Server) -> None:
    """They are compared with the server; one at which nothing listens is found."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    variables = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{port}",
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
    }
    ran = in_pipe("doctor", "--url", server.url, **variables)
    assert {"elsewhere", "closed"} <= set(names(ran))


def test_a_folder(tmp_path: Path) -> None:
    """A folder that no server holds is looked at without its address."""
    store = tmp_path / "store"
    with Server(store) as server:
        assert server.send([finished(1, trace=1)]) == 200
        server.stop()
    ran = in_pipe("doctor", "--store", str(store), OTEL_EXPORTER_OTLP_ENDPOINT="http://a.example:4318")
    assert (ran.status, "elsewhere" in names(ran), "unassigned" in names(ran)) == (1, False, True)
    assert " at " not in ran.error


def test_the_api_key(tmp_path: Path) -> None:
    """A key that is missing or wrong is told; with the right one, the exporter has to send it too."""
    with Server(tmp_path / "store", "--api-key", "hush") as server:
        missing = in_pipe("doctor", "--url", server.url)
        wrong = in_pipe("doctor", "--url", server.url, OTEL_SESSIONS_API_KEY="other")
        exporter = {"OTEL_EXPORTER_OTLP_ENDPOINT": server.url, "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}
        right = in_pipe("doctor", "--url", server.url, OTEL_SESSIONS_API_KEY="hush", **exporter)
    assert (missing.status, wrong.status, right.status) == (4, 4, 1)
    assert missing.out.startswith("server\tOTEL_SESSIONS_API_KEY is not set, and the server wants one\texport ")
    assert wrong.out.startswith("server\tOTEL_SESSIONS_API_KEY is not that of the server\texport ")
    assert names(right) == ["nothing", "keyless"]
    assert "hush" not in missing.out + wrong.out + right.out + right.err


def test_nothing_listens() -> None:
    """The fix starts a server on that port; the variables of the shell are looked at as well."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    ran = in_pipe("doctor", "--url", f"http://127.0.0.1:{port}", OTEL_SDK_DISABLED="true")
    assert ran.status == 4
    assert ran.out.splitlines()[0] == (
        f"server\tnothing listens at http://127.0.0.1:{port}\totel-sessions serve --port {port}"
    )
    assert names(ran) == ["server", "disabled"]


@pytest.mark.parametrize("answer", [(200, b"<html>"), (404, b"no"), (200, {"status": "ok"}), (200, [1]), (500, b"no")])
def test_another_program_has_the_port(answer: Answer) -> None:
    """Whatever it answers, also with a health of its own."""
    with Answering(lambda asked: answer if asked.path == "/healthz" else (404, b"no")) as double:
        ran = in_pipe("doctor", "--url", double.url)
    assert ran.status == 4
    assert "another program" in ran.out
    assert "--port 14318" in ran.out


def test_a_name_that_is_not_allowed() -> None:
    """The server says which hosts it answers, and the fix allows this one."""
    with Answering(lambda _: error(421, "the Host is not allowed")) as double:
        ran = in_pipe("doctor", "--url", double.url)
    assert (ran.status, "--allowed-host 127.0.0.1" in ran.out) == (4, True)


def test_the_port_of_grpc(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """It answers no questions; the fix is the other port."""
    monkeypatch.setattr(examination, "GRPC_PORT", int(server.grpc.rpartition(":")[2]))
    ran = in_pipe("doctor", "--url", f"http://{server.grpc}")
    assert (ran.status, "is the port of gRPC" in ran.out, ":4318" in ran.out) == (4, True, True)


def a_server(**health: Any) -> Answering:
    """A server where all is well, as its answers say."""
    session = a_session("s", end="2026-11-20T12:00:00.000Z", call_count=1, first_input="hello")

    def answer(asked: Asked) -> Answer:
        if asked.path == "/healthz":
            return 200, {"status": "ok", "problems": [], "version": version("otel-sessions"), **health}
        return page({"/v1/keys": [{"key": "id"}], "/v1/sessions": [session]}.get(asked.path, []))

    return Answering(answer)


def test_nothing_is_found() -> None:
    """The status is 0, and stderr says what was looked at."""
    with a_server(store={"bytes": 12_345_678, "free_bytes": None}, retention="30d") as double:
        ran = in_pipe("doctor", "--url", double.url)
    assert (ran.status, ran.out) == (0, "")
    assert ran.error == (
        f"nothing found, {len(examination.CHECKS)} questions asked; at {double.url}; store: 12 MB, keeps 30d"
    )


def test_a_package_that_the_shell_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    """The exporter `sessions` needs the extra `otlp`."""
    monkeypatch.setattr(examination, "_OTLP", {"no_such_package.at.all": "no-such-package"})
    with a_server() as double:
        ran = in_pipe("doctor", "--url", double.url, OTEL_TRACES_EXPORTER="sessions")
    assert (ran.status, names(ran)) == (1, ["installed"])


def test_a_server_that_does_not_tell_its_size() -> None:
    """The summary names no store of which nothing is known."""
    seen = Seen("http://127.0.0.1:4318", 0, "1", health={})
    assert _summary([], seen) == f"nothing found, {len(CHECKS)} questions asked; at http://127.0.0.1:4318"


def test_a_session_without_messages_is_not_examined() -> None:
    """A session of which the server tells no messages says nothing about what is captured."""
    sessions = [{"id": "s", "call_count": 1}]
    with Answering(lambda _: page([])) as double:
        assert list(_without_words(Client(double.url), sessions)) == []
    assert [asked.path for asked in double.asked] == ["/v1/sessions/s/messages"]
