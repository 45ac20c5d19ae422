"""The bar of a file that is read: on a terminal only, and never with what acts on it."""

from __future__ import annotations

import io
import sys

import pytest

from otel_sessions.cli.files.progress import progress


class Terminal(io.StringIO):
    """A stderr that is a terminal."""

    def isatty(self) -> bool:
        """It is one."""
        return True


def shown(monkeypatch: pytest.MonkeyPatch, stderr: io.StringIO) -> str:
    """What a file with a hostile name writes to this stderr while its 100 bytes are read."""
    for name, value in {"TERM": "xterm", "COLUMNS": "120"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "stderr", stderr)
    with progress("a\x1b[2Jfile [red]", 100) as update:
        update(completed=50, records=1_234)
        update(completed=100)
    return stderr.getvalue()


def test_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """The name, the bytes and the records are shown; the name is written as it is, without its control characters."""
    text = shown(monkeypatch, Terminal())
    assert "file [red]" in text
    assert "100/100 bytes" in text
    assert "1,234 records" in text
    assert "a\x1b[2J" not in text


def test_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """A log file gets no bar."""
    assert shown(monkeypatch, io.StringIO()) == ""
