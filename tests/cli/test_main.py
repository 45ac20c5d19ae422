"""The command by its names, and without what it needs."""

from __future__ import annotations

import runpy
import sys
from collections.abc import Callable
from importlib.metadata import version

import pytest

from otel_sessions.cli.main import run


def typed(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    """As if this had been typed."""
    monkeypatch.setattr(sys, "argv", ["otel-sessions", *arguments])


def as_module() -> None:
    """What `python -m otel_sessions` does."""
    runpy.run_module("otel_sessions", run_name="__main__")


@pytest.mark.parametrize("command", [run, as_module])
def test_the_version(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: Callable[[], None]
) -> None:
    """`otel-sessions --version` and `python -m otel_sessions --version`."""
    typed(monkeypatch, "--version")
    with pytest.raises(SystemExit) as ended:
        command()
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"otel-sessions {version('otel-sessions')}\n"


def test_importing_the_module_does_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """Tools that import every module start no command."""
    runpy.run_module("otel_sessions.__main__", run_name="otel_sessions.__main__")
    assert capsys.readouterr() == ("", "")


def test_help_names_the_commands(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever types nothing is told what there is."""
    typed(monkeypatch)
    with pytest.raises(SystemExit):
        run()
    shown = "".join(capsys.readouterr())
    assert all(command in shown for command in ("serve", "rebuild", "--version"))


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """What to install is said in one line."""
    typed(monkeypatch, "--version")
    monkeypatch.delitem(sys.modules, "otel_sessions.cli.app", raising=False)
    monkeypatch.setitem(sys.modules, "typer", None)
    with pytest.raises(SystemExit) as ended:
        run()
    assert ended.value.code == "otel-sessions: typer is not installed; run: pip install 'otel-sessions[server]'"


def test_a_part_of_ours_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """No extra would bring it: that is an error like any other."""
    typed(monkeypatch, "--version")
    monkeypatch.setitem(sys.modules, "otel_sessions.cli.app", None)
    with pytest.raises(ModuleNotFoundError, match="otel_sessions"):
        run()
