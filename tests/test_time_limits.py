"""A test run that hangs ends by itself."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tests import processes

STUCK_IN_PYTHON = """
import threading

def test_that_waits():
    threading.Event().wait()

def test_that_passes():
    pass
"""
STUCK_IN_C = """
import itertools

def test_that_holds_the_interpreter_lock():
    sum(itertools.repeat(0))
"""
STUCK_IN_TEARDOWN = """
import threading
import pytest

@pytest.fixture
def thread():
    yield
    threading.Event().wait()

def test_that_fails(thread):
    assert False
"""
STUCK_AT_THE_END = """
import threading

def test_that_leaves_a_thread():
    threading.Thread(target=threading.Event().wait).start()
"""


def run(folder: Path, program: str, **options: str) -> subprocess.CompletedProcess[str]:
    """Run pytest on a program, with the options of this project except those given."""
    path = folder / "test_program.py"
    path.write_text(program)
    command = [sys.executable, "-m", "pytest", "-p", "tests.time_limits", "-p", "no:cacheprovider", "--noconftest"]
    overridden = [f"-o{name}={value}" for name, value in options.items()]
    return processes.run(*command, "-c", processes.ROOT / "pyproject.toml", *overridden, path, timeout=60)


def test_a_test_that_waits_forever_fails_and_the_others_run(tmp_path: Path) -> None:
    """The signal ends a wait, names the line, and the run goes on."""
    result = run(tmp_path, STUCK_IN_PYTHON, timeout="0.5")
    assert result.returncode == 1
    assert "1 failed, 1 passed" in result.stdout
    assert "threading.Event().wait()" in result.stdout


@pytest.mark.parametrize("program", [STUCK_IN_C, STUCK_IN_TEARDOWN, STUCK_AT_THE_END], ids=["c", "teardown", "end"])
def test_a_run_that_no_signal_ends_is_ended(tmp_path: Path, program: str) -> None:
    """The timer of faulthandler ends the whole run and shows where it was stuck."""
    result = run(tmp_path, program, timeout="0.5", faulthandler_timeout="1")
    assert result.returncode == 1
    assert "Timeout (0:00:01)!" in result.stderr
