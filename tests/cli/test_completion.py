"""Shells complete commands, options and the ids of sessions."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest
from tests import processes
from tests.cli.answering import Answering, error, page

from otel_sessions.cli.completion import completed_ids
from otel_sessions.environment_variables import URL

IDS = ("ticket-1", "Ticket-2", "ticket-\x1b[31m3", "my ticket", "ticket-4")


def test_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ids of the server that begin with what is written are offered, but none that would act on the terminal."""
    with Answering(lambda _: page([{"id": one} for one in IDS])) as server:
        monkeypatch.setenv(URL, server.url)
        assert completed_ids(None, "ticket") == ["ticket-1", "ticket-4"]
        given = SimpleNamespace(params={"url": server.url, "key": "import"})
        assert completed_ids(given, "Ti") == ["Ticket-2"]
    assert [asked.parameters["key"] for asked in server.asked] == ["id", "import"]
    assert server.asked[0].parameters["q"] == "ticket"


def test_no_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that cannot be asked offers nothing, without a word."""
    monkeypatch.setenv(URL, "http://127.0.0.1:1")
    assert completed_ids(None, "") == []
    monkeypatch.setenv(URL, "nowhere")
    assert completed_ids(None, "") == []
    with Answering(lambda _: error(503, "away")) as server:
        monkeypatch.setenv(URL, server.url)
        assert completed_ids(None, "") == []
    with Answering(lambda _: page([{}])) as server:
        monkeypatch.setenv(URL, server.url)
        assert completed_ids(None, "") == []


def completed(line: str, server: Answering) -> list[str]:
    """What bash is offered for a line."""
    environment = processes.environment(
        _OTEL_SESSIONS_COMPLETE="complete_bash",
        COMP_WORDS=line,
        COMP_CWORD=str(len(line.split(" ")) - 1),
        OTEL_SESSIONS_URL=server.url,
    )
    program = "from otel_sessions.cli.main import run; run()"
    return processes.run(sys.executable, "-c", program, env=environment).stdout.split()


def test_in_a_shell() -> None:
    """The shell asks the command itself."""
    with Answering(lambda _: page([{"id": one} for one in IDS])) as server:
        assert completed("otel-sessions mes", server) == ["messages"]
        assert completed("otel-sessions get ticket-", server) == ["ticket-1", "ticket-4"]
        assert completed("otel-sessions get --jso", server) == ["--json", "--jsonl"]
