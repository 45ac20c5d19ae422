"""A command ends with a status and at most one line, whatever happens, and never with a traceback."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from tests import processes
from tests.cli.answering import Answering, page
from tests.cli.sending import a_session

from otel_sessions.cli.errors import INTERRUPTED, CommandError, ending


@pytest.fixture(scope="module")
def many() -> Iterator[Answering]:
    """A server with more sessions than a pipe holds."""
    with Answering(
        lambda _: page([a_session(f"ticket-{number}", name="x" * 500) for number in range(1_000)])
    ) as server:
        yield server


def ended(error: BaseException, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """The status of a command that raises this, and what it says."""
    with pytest.raises(typer.Exit) as raised, ending():
        raise error
    return raised.value.exit_code, capsys.readouterr().err


def test_errors(capsys: pytest.CaptureFixture[str]) -> None:
    """Each kind of error has its status, and one line."""
    assert ended(CommandError("a\nb \x1b", status=3), capsys) == (3, "otel-sessions: a b \\x1b\n")
    assert ended(KeyboardInterrupt(), capsys) == (INTERRUPTED, "")
    status, said = ended(KeyError("end"), capsys)
    assert (status, said.count("\n")) == (1, 1)
    assert "KeyError: 'end'" in said


@pytest.mark.parametrize(
    ("error", "status", "lines"), [(BrokenPipeError(), 0, 0), (OSError(28, "No space left"), 1, 1)]
)
def test_a_stdout_that_cannot_be_written(
    error: OSError, status: int, lines: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is left in the buffer is written nowhere, so that the end of the process does not fail."""
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as stdout, monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", stdout)
        stdout.write("what is left")
        with pytest.raises(typer.Exit) as raised, ending():
            raise error
    assert raised.value.exit_code == status
    assert capsys.readouterr().err.count("\n") == lines


@pytest.mark.parametrize("layout", [(), ("--jsonl",), ("--json",)])
def test_a_reader_that_goes(many: Answering, layout: tuple[str, ...]) -> None:
    """A reader that closes the pipe ends the command silently."""
    command = [
        sys.executable,
        "-W",
        "error",
        "-m",
        "otel_sessions",
        "list",
        "--limit",
        "1000",
        "--url",
        many.url,
        *layout,
    ]
    with processes.started(*command) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait(timeout=60) == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs the device of Linux that is always full")
def test_a_disk_that_is_full(many: Answering) -> None:
    """What cannot be written is a failure."""
    command = [sys.executable, "-m", "otel_sessions", "list", "--url", many.url]
    with Path("/dev/full").open("wb") as full:
        ran = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    assert ran.returncode == 1
    assert ran.stderr == "otel-sessions: the output cannot be written: No space left on device\n"


def test_an_interrupted_command() -> None:
    """Ctrl-C ends a command that waits, without a word."""
    asked, end = threading.Event(), threading.Event()

    def answer(_: object) -> tuple[int, object]:
        asked.set()
        end.wait(60)
        return page([])

    with Answering(answer) as slow:
        command = [sys.executable, "-m", "otel_sessions", "list", "--url", slow.url]
        with processes.started(*command) as process:
            assert asked.wait(60)
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=60)
            end.set()
        assert (process.returncode, out, err) == (INTERRUPTED, "", "")
