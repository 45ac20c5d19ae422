"""Commands as a person runs them in a terminal, and as a program runs them in a pipe; both in this process."""

from __future__ import annotations

import io
import sys
from dataclasses import dataclass
from unicodedata import bidirectional, category

import pytest
from typer.testing import CliRunner

from otel_sessions.cli.app import app

ORDERS = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


@dataclass(frozen=True)
class Ran:
    """How a command ended, and what it wrote."""

    status: int
    out: str
    err: str

    @property
    def error(self) -> str:
        """What it wrote to stderr, which is one line of the command, without its beginning."""
        assert self.err.startswith("otel-sessions: ")
        assert self.err.count("\n") == 1
        return self.err.removeprefix("otel-sessions: ").rstrip("\n")


def acts_on_a_terminal(text: str) -> bool:
    """Return True if the text has a control character, a line break among them, or one that changes the order of reading."""
    return any(category(one) in ("Cc", "Zl", "Zp", "Cs") or bidirectional(one) in ORDERS for one in text) or any(
        one in text for one in "\u200e\u200f\u061c"
    )


class Screen(io.TextIOWrapper):
    """Stdout that is a terminal."""

    def isatty(self) -> bool:
        """It is one."""
        return True


def in_pipe(*arguments: str, **environment: str) -> Ran:
    """Run a command whose output is read by a program."""
    result = CliRunner().invoke(app, arguments, env=environment)
    return Ran(result.exit_code, result.stdout, result.stderr)


def in_terminal(
    monkeypatch: pytest.MonkeyPatch,
    columns: int,
    *arguments: str,
    encoding: str = "utf-8",
    stderr: io.TextIOBase | None = None,
    **environment: str,
) -> Ran:
    """Run a command whose output a person reads; without colours, unless NO_COLOR is set to nothing.

    Args:
        monkeypatch: of the test.
        columns: how wide the terminal is.
        arguments: of the command.
        encoding: of the terminal.
        stderr: where errors go instead of into the result.
        environment: variables.
    """
    bytes_written, errors = io.BytesIO(), io.StringIO()
    with monkeypatch.context() as terminal:
        screen = Screen(bytes_written, encoding=encoding, write_through=True)
        terminal.setattr(sys, "stdout", screen)
        terminal.setattr(sys, "stderr", stderr or errors)
        terminal.setattr(sys, "argv", ["otel-sessions", *arguments])
        terminal.setenv("COLUMNS", str(columns))
        for name, value in {"NO_COLOR": "1", **environment}.items():
            terminal.setenv(name, value)
        with pytest.raises(SystemExit) as ended:
            app(prog_name="otel-sessions")
        screen.flush()
    return Ran(int(ended.value.code or 0), bytes_written.getvalue().decode(encoding), errors.getvalue())
