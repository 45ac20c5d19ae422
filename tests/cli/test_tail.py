"""`otel-sessions tail` follows a running server."""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path

import pytest
from rich.cells import cell_len
from tests import processes
from tests.cli.sending import a_session
from tests.cli.terminal import in_pipe
from tests.exporting import chat, finished
from tests.server.running import Server

from otel_sessions.cli import tail
from otel_sessions.cli.tail import line_of

SESSION = a_session(
    "ticket-1", change="new", title="Order 1042", status="failed", call_count=1, total_tokens=1_200, total_cost="0.5"
)


@pytest.mark.parametrize("width", [20, 40, 60, 200])
def test_a_line_fits_the_terminal(width: int) -> None:
    """A line is no wider than the terminal, and begins with when, what and which."""
    assert cell_len(line_of(SESSION, width=width)) <= width


def test_a_line() -> None:
    """A line has what is known of a session."""
    assert line_of(SESSION, width=200)[8:] == " new     ticket-1 · $0.50 · 1 call · 1,200 tokens · failed · Order 1042"
    assert line_of({"id": "a", "change": "deleted"}, width=200) == f"{'':8} deleted a"
    assert line_of({**SESSION, "change": None, "call_count": 2}, width=200)[8:30] == "         ticket-1 · $0"


def test_no_server() -> None:
    """A server that does not run is not waited for."""
    ran = in_pipe("tail", "--url", "http://127.0.0.1:1")
    assert (ran.status, ran.out) == (4, "")


def test_a_number_of_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is shown at the start does not count."""
    found = [{**SESSION, "id": str(number), "change": None if number < 2 else "new"} for number in range(9)]
    monkeypatch.setattr(tail, "_followed", lambda *_: iter(found))
    lines = in_pipe("tail", "--limit", "2").out.splitlines()
    assert [line.split("\t")[1:3] for line in lines] == [["", "0"], ["", "1"], ["new", "2"], ["new", "3"]]


def test_an_interrupt(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C is how a person ends it, so it is no failure."""

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(tail, "_followed", interrupted)
    ran = in_pipe("tail")
    assert (ran.status, ran.out, ran.err) == (0, "", "")


def test_a_server_that_is_restarted(tmp_path: Path) -> None:
    """New and changed sessions are told as they come, across the death of the server, and Ctrl-C ends with status 0."""
    with Server(tmp_path / "store") as server:
        server.send([finished(1, session="ticket-1", trace=1)])
        command = [
            sys.executable,
            "-m",
            "otel_sessions",
            "tail",
            "--jsonl",
            "--url",
            server.url,
            "--fields",
            "change,id,call_count",
        ]
        with processes.started(*command) as running:
            assert running.stdout is not None
            assert running.stderr is not None

            def told() -> list[object]:
                return list(json.loads(running.stdout.readline()).values())  # type: ignore[union-attr]

            assert told() == [None, "ticket-1", 0]
            server.send([finished(2, session="ticket-2", trace=2)])
            assert told() == ["new", "ticket-2", 0]
            server.send([finished(3, session="ticket-1", trace=3), chat(4, 3, trace=3)])
            assert told() == ["changed", "ticket-1", 1]
            server.kill()
            assert "trying again until it answers" in running.stderr.readline()
            with Server(tmp_path / "store", port=server.port) as again:
                again.send([finished(5, session="ticket-3", trace=5)])
                assert told() == ["new", "ticket-3", 0]
                assert "connected again" in running.stderr.readline()
                running.send_signal(signal.SIGINT)
                out, err = running.communicate(timeout=60)
                assert (running.returncode, out, err) == (0, "", "")


def test_once(tmp_path: Path) -> None:
    """With --once the command ends after the first change; without --jsonl a pipe gets lines with tabs."""
    with Server(tmp_path / "store") as server:
        command = [sys.executable, "-m", "otel_sessions", "tail", "--once", "--url", server.url]
        server.send([finished(1, session="ticket-1", trace=1)])
        with processes.started(*command) as running:
            assert running.stdout is not None
            assert running.stdout.readline().split("\t")[1:4] == ["", "ticket-1", "ok"]
            server.send([finished(2, session="ticket-2", trace=2, failed=True)])
            out, err = running.communicate(timeout=60)
    assert out.split("\t")[1:4] == ["new", "ticket-2", "error"]
    assert (running.returncode, err) == (0, "")
