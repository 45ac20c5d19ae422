"""The command starts by either of its names, and names the extra to install."""

from __future__ import annotations

import runpy
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import pytest
from tests import processes
from tests.exporting import finished
from tests.server.running import Server

from otel_sessions.cli.main import run

WITHOUT = """
import sys
sys.modules.update(dict.fromkeys({missing}))
from otel_sessions.cli.main import run
run()
"""


def typed(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    """Set the command line to these arguments."""
    monkeypatch.setattr(sys, "argv", ["otel-sessions", *arguments])


def as_module() -> None:
    """Run the package, as `python -m otel_sessions` does."""
    runpy.run_module("otel_sessions", run_name="__main__")


@pytest.mark.parametrize("command", [run, as_module])
def test_the_version(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: Callable[[], None]
) -> None:
    """Both names of the command print the version of the package."""
    typed(monkeypatch, "--version")
    with pytest.raises(SystemExit) as ended:
        command()
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"otel-sessions {version('otel-sessions')}\n"


def test_importing_the_module_does_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """Importing `otel_sessions.__main__` prints nothing and starts no command."""
    runpy.run_module("otel_sessions.__main__", run_name="otel_sessions.__main__")
    assert capsys.readouterr() == ("", "")


def test_help_names_the_commands(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Without arguments the command prints its help, which lists all commands."""
    typed(monkeypatch)
    with pytest.raises(SystemExit):
        run()
    shown = "".join(capsys.readouterr())
    assert all(command in shown for command in ("serve", "rebuild", "--version"))


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing library of the extra ends the command with one line that names what to install."""
    typed(monkeypatch, "--version")
    monkeypatch.delitem(sys.modules, "otel_sessions.cli.app", raising=False)
    monkeypatch.setitem(sys.modules, "typer", None)
    with pytest.raises(SystemExit) as ended:
        run()
    assert ended.value.code == "otel-sessions: typer is not installed; run: pip install 'otel-sessions[server]'"


def test_without_the_engine(tmp_path: Path) -> None:
    """An embedded store without its engine ends the server with one line."""
    program = WITHOUT.format(missing=["chdb"])
    process = processes.run(
        sys.executable, "-c", program, "serve", "--store", f"chdb://{tmp_path}/store", "--port", "0"
    )
    assert process.returncode == 1
    (line,) = process.stderr.splitlines()
    assert "needs the database engine chdb-core" in line


def test_the_server_needs_none_of_the_libraries_of_the_engine(tmp_path: Path) -> None:
    """The server stores and reads where pandas, pyarrow and numpy cannot be imported."""
    program = WITHOUT.format(missing=["pandas", "pyarrow", "numpy"])
    with Server(tmp_path / "store", program=("-c", program, "serve")) as server:
        assert server.send([finished(session="ticket-1")]) == 200
        assert [one["id"] for one in server.get("/v1/sessions?q=TICKET")["data"]] == ["ticket-1"]
        assert server.stop()[0] == 0


def test_a_part_of_ours_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing module of the package itself raises its own error, since no extra would install it."""
    typed(monkeypatch, "--version")
    monkeypatch.setitem(sys.modules, "otel_sessions.cli.app", None)
    with pytest.raises(ModuleNotFoundError, match="otel_sessions"):
        run()


def test_help_loads_little() -> None:
    """Help is printed without the libraries of the server, which take long to import."""
    program = (
        "import sys\nfrom otel_sessions.cli.main import run\ntry:\n    run()\nexcept SystemExit:\n"
        "    print(*{'pydantic', 'rich', 'fastapi', 'google', 'clickhouse_connect'} & set(sys.modules), file=sys.stderr)"
    )
    command = [sys.executable, "-c", program, "--help"]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert (ran.stdout.split()[:2], ran.stderr) == (["Usage:", "otel-sessions"], "\n")
