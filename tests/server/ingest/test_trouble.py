"""Trouble is said once in the log, and is over after a success."""

from __future__ import annotations

import logging

import pytest

from otel_sessions.server.ingest.trouble import Trouble


def test_trouble_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    """The log repeats it if it is of another kind or lasts, and tells its end; only what is unexpected has a traceback."""
    caplog.set_level(logging.INFO)
    now = [0.0]
    trouble = Trouble(clock=lambda: now[0])
    trouble.is_over()
    assert (trouble.message, trouble.seconds) == (None, 0)
    for error in (OSError("a"), OSError("b"), ValueError("c")):
        trouble.failed("it fails", error, expected=True)
    now[0] = 30.0
    trouble.failed("it fails", ValueError("d"))
    assert (trouble.message, trouble.seconds) == ("it fails: d", 30)
    now[0] = 90.0
    trouble.failed("it fails", ValueError("e"))
    trouble.is_over()
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("WARNING", "it fails; it is tried again: a"),
        ("WARNING", "it fails; it is tried again: c"),
        ("ERROR", "it fails; it is tried again"),
        ("INFO", "commits succeed again, after 5 failed tries"),
    ]
    assert (trouble.message, trouble.seconds) == (None, 0)
