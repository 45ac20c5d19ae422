"""Processes that tests start end with the test, and with the test run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO

import pytest
from tests import processes

WAIT = """
import signal, subprocess, sys
fifo, *children = sys.argv[1:]
if children:
    subprocess.Popen([sys.executable, "-c", children[0], fifo], start_new_session=True)
with open(fifo, "w") as pipe:
    print("running", file=pipe, flush=True)
    signal.pause()
"""
"""Says in a named pipe that it runs, and waits; with the text of a program it first starts that in another session."""

START_AND_DIE = """
import os, signal, sys
from tests import processes
processes.start(sys.executable, "-c", *sys.argv[1:])
signal.pause()
"""
"""A test run that starts a program."""


@pytest.fixture
def fifo(tmp_path: Path) -> Path:
    """A named pipe: a reader of it reaches the end when no process has it open for writing any more."""
    path = tmp_path / "fifo"
    os.mkfifo(path)
    return path


def test_a_process_ends_with_the_block_and_so_do_its_descendants(fifo: Path) -> None:
    """An error in a `with` block kills the process, and the child that it started in another session."""
    opened: list[IO[str]] = []

    def fail() -> None:
        with processes.started(sys.executable, "-c", WAIT, fifo, WAIT):
            opened.append(fifo.open())
            assert [opened[0].readline(), opened[0].readline()] == ["running\n"] * 2
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    with opened[0] as pipe:
        assert pipe.read() == ""


def test_processes_end_with_the_test_run(fifo: Path) -> None:
    """A test run that is killed cannot end its processes; its guard does."""
    with processes.started(sys.executable, "-c", START_AND_DIE, WAIT, fifo, WAIT) as run, fifo.open() as pipe:
        assert [pipe.readline(), pipe.readline()] == ["running\n"] * 2
        os.kill(run.pid, signal.SIGKILL)
        assert pipe.read() == ""


def test_a_command_that_takes_too_long_is_killed() -> None:
    """The time limit ends the command and raises an error."""
    with pytest.raises(subprocess.TimeoutExpired):
        processes.run(sys.executable, "-c", "import signal; signal.pause()", timeout=0.5)


def test_a_command_returns_its_status_and_output() -> None:
    """The result has what the command wrote to either stream, and its status."""
    program = "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"
    result = processes.run(sys.executable, "-c", program)
    assert (result.returncode, result.stdout, result.stderr) == (3, "out\n", "err\n")


def test_sigint_has_its_default_effect_in_a_process() -> None:
    """A test run in the background ignores SIGINT; what it starts does not."""
    program = "import signal; print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)"
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        assert processes.run(sys.executable, "-c", program).stdout == "True\n"
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_the_environment_has_no_opentelemetry_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Variables for OpenTelemetry in the shell of the test run change no test."""
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "console")
    assert "OTEL_TRACES_EXPORTER" not in processes.environment()
    assert processes.environment(OTEL_TRACES_EXPORTER="none")["OTEL_TRACES_EXPORTER"] == "none"


@pytest.mark.parametrize(("result", "status"), [(True, 0), (False, 1)])
def test_a_forked_child_reports_what_its_work_returns(result: bool, status: int) -> None:
    """The status tells whether the work returned something true."""
    assert processes.forked(lambda: result) == status
