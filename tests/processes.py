"""Processes that tests start: as a user starts them, and killed with their descendants when the test is done.

A test that fails or times out leaves its `with` blocks, which kill what it started. When the test run itself is killed
it cannot do that: a second process, this file run as a script, waits for the end of the run and kills what is left.
"""

from __future__ import annotations

import atexit
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

ROOT = Path(__file__).parents[1]
SECONDS = 120.0
"""The time limit of a command whose caller sets none."""


def environment(**more: str) -> dict[str, str]:
    """The environment of this process without variables that begin with `OTEL_`, plus the given ones."""
    return {**{name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}, **more}


def run(
    *command: str | Path, env: Mapping[str, str] | None = None, cwd: Path = ROOT, timeout: float = SECONDS
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; the result has its status, whatever that is, and its output.

    Args:
        command: the program and its arguments.
        env: its environment, by default `environment()`.
        cwd: the folder it runs in.
        timeout: seconds.

    Raises:
        subprocess.TimeoutExpired: after the timeout, when the command is killed.
    """
    with started(*command, env=env, cwd=cwd, stdin=subprocess.DEVNULL) as process:
        out, err = process.communicate(timeout=timeout)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


@contextmanager
def started(
    *command: str | Path,
    env: Mapping[str, str] | None = None,
    cwd: Path = ROOT,
    stdin: int | None = None,
) -> Iterator[subprocess.Popen[str]]:
    """A process that is started, and killed at the end of the `with` block if it still runs."""
    process = start(*command, env=env, cwd=cwd, stdin=stdin)
    try:
        yield process
    finally:
        end(process)


def start(
    *command: str | Path,
    env: Mapping[str, str] | None = None,
    cwd: Path = ROOT,
    stdin: int | None = None,
    output: IO[bytes] | int = subprocess.PIPE,
) -> subprocess.Popen[str]:
    """Start a process; the caller has to `end` it.

    It leads a session of its own, so Ctrl-C in the terminal of the test run does not reach it. SIGINT has its default
    effect in it, also if the test run ignores that signal.

    Args:
        command: the program and its arguments.
        env: its environment, by default `environment()`.
        cwd: the folder it runs in.
        stdin: as for `subprocess.Popen`.
        output: where stdout and stderr go; by default to a pipe each, as text.
    """
    with _default_sigint():
        process = subprocess.Popen(
            command,
            env=environment() if env is None else env,
            cwd=cwd,
            stdin=stdin,
            stdout=output,
            stderr=output,
            text=True,
            start_new_session=True,
        )
    _guard.started(process.pid)
    return process


def end(process: subprocess.Popen[str]) -> None:
    """Kill a process and its descendants, unless it has ended, and close its pipes."""
    kill_tree(process.pid, is_running=process.poll() is None)
    process.communicate(timeout=SECONDS)
    _guard.ended(process.pid)


def forked(work: Callable[[], object], *, seconds: int = 30) -> int:
    """The exit status of a forked child that calls `work`: 0 if that returns true, else 1; negative after the time limit."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            # pytest-timeout has a handler for this signal, which would go on with the tests in the child.
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(seconds)
            status = 0 if work() else 1
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def kill_tree(pid: int, *, is_running: bool = True) -> None:
    """Kill the group that a process leads and, if it still runs, its descendants in other groups."""
    doomed = [pid] if is_running else []
    if is_running:
        parents = _parents()
        for parent in doomed:
            doomed.extend(child for child, its_parent in parents.items() if its_parent == parent)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
    for one in doomed:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(one, signal.SIGKILL)


def _parents() -> dict[int, int]:
    """The parents of all processes by process id; empty on a system without `ps`."""
    try:
        listing = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return {}
    return {int(pid): int(parent) for pid, parent in map(str.split, listing.splitlines())}


@contextmanager
def _default_sigint() -> Iterator[None]:
    """Let processes that are started in this block handle SIGINT by default.

    A shell makes what it runs in the background ignore SIGINT, as `nohup make test &` does. Children inherit an ignored
    signal; a signal with a handler is reset to its default in them.
    """
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        yield
        return
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)


class _Guard:
    """The process that outlives the test run, started when it is first needed."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def started(self, pid: int) -> None:
        """Have a process killed if the test run ends before it."""
        self._tell(f"+{pid}\n")

    def ended(self, pid: int) -> None:
        """Leave a process alone from now on."""
        self._tell(f"-{pid}\n")

    def close(self) -> None:
        """Have what still runs killed, and wait until that is done."""
        if self._process is not None:
            self._process.communicate(timeout=SECONDS)

    def _tell(self, line: str) -> None:
        if self._process is None:
            command = [sys.executable, "-I", "-S", __file__]
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, start_new_session=True
            )
            atexit.register(self.close)
        assert self._process.stdin is not None
        self._process.stdin.write(line)
        self._process.stdin.flush()


def guard(lines: Iterable[str]) -> None:
    """Read `+pid` for each process that is started and `-pid` for each that ended; at the end kill the others."""
    running: set[int] = set()
    for line in lines:
        pid = int(line[1:])
        if line.startswith("+"):
            running.add(pid)
        else:
            running.discard(pid)
    for pid in running:
        kill_tree(pid)


_guard = _Guard()

if __name__ == "__main__":
    guard(sys.stdin)
