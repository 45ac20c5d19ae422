"""Texts from outside forge no lines of the log, and drown none."""

from __future__ import annotations

import io
import logging
import re
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.server.running import SECONDS, Server

from otel_sessions.server.process.log_lines import LONGEST_MESSAGE, LogHandler, escaped


class Log:
    """A logger with a handler, on a clock that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0
        self.waiting: list[Callable[[], object]] = []
        self.stream = io.StringIO()
        self.handler = LogHandler(
            self.stream, clock=lambda: self.now, later=lambda seconds, do: self.waiting.append(do)
        )
        self.logger = logging.getLogger(f"{__name__}.{id(self)}")
        self.logger.setLevel(logging.INFO)
        self.logger.propagate = False
        self.logger.handlers[:] = [self.handler]

    def lines(self) -> list[str]:
        """The lines written so far, without their times."""
        return [re.sub(r"^\S+ \S+,\d+ ", "", line) for line in self.stream.getvalue().splitlines()]

    def pass_time(self, seconds: float = 1.0) -> None:
        """Move the clock, and call what waits for it."""
        self.now += seconds
        waiting, self.waiting = self.waiting, []
        for do in waiting:
            do()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\nb\r\n", r"a\nb\r\n"),
        ("\x1b[31mred\x07\x9b", r"\x1b[31mred\x07\x9b"),
        ("\u2028line\u202eredro\u2066\u200f", r"\u2028line\u202eredro\u2066\u200f"),
        ("\ud800\t\x00\x7f", r"\ud800\t\x00\x7f"),
        ("Größe 漢字 \\n 😀", "Größe 漢字 \\n 😀"),
    ],
)
def test_controls_are_shown(text: str, shown: str) -> None:
    """A character that would end the line, act on a terminal or change the order of reading is written as its escape."""
    assert escaped(text) == shown
    log = Log()
    log.logger.error("path %s", text)
    assert log.lines() == [f"ERROR path {shown}"]


def test_tracebacks_are_indented() -> None:
    """A traceback keeps its lines, and none of them looks like a record, whatever the text of the error."""
    log = Log()
    error = ValueError("bad\n2026-11-28 10:00:00,000 INFO forged\x1b[2J")
    log.logger.error("failed", exc_info=error, stack_info=True)
    first, *rest = log.lines()
    assert first == "ERROR failed"
    assert all(line.startswith("    ") for line in rest)
    assert r"    2026-11-28 10:00:00,000 INFO forged\x1b[2J" in rest


def test_long_messages_are_cut() -> None:
    """A message is bounded, and says how long it was."""
    log = Log()
    log.logger.error("x" * 1_000_000)
    (line,) = log.lines()
    assert len(line) == LONGEST_MESSAGE + len("ERROR ")
    assert line.endswith("… (1000000 characters)")


def test_repeated_lines_are_counted() -> None:
    """The same line is written once a second, then with how often it came meanwhile; other lines are written at once."""
    log = Log()
    for _ in range(413):
        log.logger.warning("bad request %d", 1)
    log.logger.warning("bad request 2")
    log.logger.error("bad request 1")
    assert log.lines() == ["WARNING bad request 1", "WARNING bad request 2", "ERROR bad request 1"]
    assert len(log.waiting) == 1
    log.pass_time()
    assert log.lines()[3:] == ["WARNING bad request 1 (repeated 412 times)"]
    log.logger.warning("bad request %s", 1)
    log.pass_time()
    assert log.lines()[4:] == ["WARNING bad request 1 (repeated 1 time)"]
    log.pass_time()
    log.logger.warning("bad request 1")
    assert log.lines()[5:] == ["WARNING bad request 1"]
    assert log.waiting == []


def test_the_count_comes_by_itself() -> None:
    """Without further lines, what was left out is written a moment later."""
    is_written = threading.Event()

    class Stream(io.StringIO):
        def write(self, text: str) -> int:
            if "(repeated 2 times)" in text:
                is_written.set()
            return super().write(text)

    handler = LogHandler(Stream())
    record = logging.LogRecord("tests", logging.INFO, "", 0, "again", None, None)
    for _ in range(3):
        handler.handle(record)
    assert is_written.wait(SECONDS)


def test_errors_are_the_same_if_their_tracebacks_are() -> None:
    """Errors of one place and text are repeats, which are written without the traceback; others are not."""
    log = Log()
    for text in ("one", "one", "two"):
        log.logger.error("failed", exc_info=ValueError(text))
    assert [line for line in log.lines() if "failed" in line or "ValueError:" in line] == [
        *("ERROR failed", "    ValueError: one", "ERROR failed", "    ValueError: two")
    ]
    log.pass_time()
    assert log.lines()[-1] == "ERROR failed (repeated 1 time)"


def test_what_is_left_is_written_at_the_end() -> None:
    """Repeats that wait are written when logging ends."""
    log = Log()
    for _ in range(3):
        log.logger.info("again")
    log.handler.close()
    assert log.lines() == ["INFO again", "INFO again (repeated 2 times)"]


def test_many_different_lines() -> None:
    """Lines that all differ are all written, and the memory that they take is bounded; what was counted is not lost."""
    log = Log()
    log.logger.info("again")
    log.logger.info("again")
    for number in range(2_500):
        log.logger.info("line %d", number)
    assert len(log.lines()) == 2_502
    assert "INFO again (repeated 1 time)" in log.lines()


def test_a_message_that_cannot_be_made(capsys: pytest.CaptureFixture[str]) -> None:
    """Arguments that do not fit the message are reported as logging does, and the program goes on."""
    log = Log()
    log.logger.info("%d", "text")
    assert log.lines() == []
    assert "Logging error" in capsys.readouterr().err


def test_bad_requests_do_not_fill_the_log(tmp_path: Path) -> None:
    """A server counts requests that are no HTTP instead of writing a line for each."""
    number = 300
    with Server(tmp_path) as server:
        for _ in range(number):
            with socket.create_connection(("127.0.0.1", server.port), timeout=SECONDS) as connection:
                connection.sendall(b"\x16\x03\x01\0\r\n\r\n")
                assert connection.recv(100).startswith(b"HTTP/1.1 400 ")
        status, _, log = server.stop()
    lines = [line for line in log.splitlines() if "Invalid HTTP request" in line]
    counts = [re.search(r"repeated (\d+) time", line) for line in lines]
    assert status == 0
    assert len(lines) < number / 2
    assert sum(int(count[1]) if count else 1 for count in counts) == number
