"""`otel-sessions serve` turns its options into settings, logs to stderr, and exits with the status of the server."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

from otel_sessions.cli.app import app
from otel_sessions.cli.serve import log_to_stderr
from otel_sessions.server.process.setting_texts import SETTINGS
from otel_sessions.server.process.settings import Settings
from otel_sessions.server.process.sizes import Retention

pytestmark = pytest.mark.usefixtures("own_environment")


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[Settings]:
    """The settings of all started servers; a double of the server ends with status 7."""
    served: list[Settings] = []

    def serve(settings: Settings) -> int:
        served.append(settings)
        return 7

    monkeypatch.setattr("otel_sessions.server.process.serve.serve", serve)
    return served


@contextmanager
def no_logging_yet() -> Iterator[None]:
    """Reset logging to that of a new process, and restore it at the end."""
    loggers = [logging.getLogger(name) for name in ("", "uvicorn", "clickhouse_connect")]
    before = [(logger, logger.level, logger.handlers[:]) for logger in loggers]
    loggers[0].handlers[:] = []
    yield
    for logger, level, handlers in before:
        logger.setLevel(level)
        logger.handlers[:] = handlers


@pytest.fixture
def _logging_as_it_was() -> Iterator[None]:
    with no_logging_yet():
        yield


@pytest.mark.usefixtures("_logging_as_it_was")
def test_every_option(served: list[Settings], tmp_path: Path) -> None:
    """Each option becomes a setting, and the exit status is that of the server."""
    config = tmp_path / "config.toml"
    config.write_text("grpc_port = 3\n")
    result = CliRunner().invoke(
        app,
        [
            "serve",
            *("--host", "0.0.0.0", "--port", "1", "--store", f"chdb://{tmp_path}", "--api-key", "hush"),
            *("--allowed-host", "a.example", "--allowed-host", "b.example"),
            *("--retention", "1d,2GB", "--prices", "p.toml", "--sync", "--backlog", "3MB"),
            *("--connections", "9", "--config", str(config)),
        ],
    )
    assert (result.exit_code, result.output) == (7, "")
    (settings,) = served
    assert (settings.host, settings.port, settings.grpc_port) == ("0.0.0.0", 1, 3)
    assert (settings.store, settings.secret) == (f"chdb://{tmp_path}", "hush")
    assert settings.allowed_host == ("a.example", "b.example")
    assert (settings.retention, settings.prices) == (Retention(1, 2 * 10**9), Path("p.toml"))
    assert (settings.sync, settings.backlog, settings.connections) == (True, 3_000_000, 9)


@pytest.mark.usefixtures("_logging_as_it_was")
def test_options_that_are_not_given(served: list[Settings], monkeypatch: pytest.MonkeyPatch) -> None:
    """An option that is not given leaves its setting to the environment."""
    monkeypatch.setenv("OTEL_SESSIONS_PORT", "9")
    monkeypatch.setenv("OTEL_SESSIONS_SYNC", "true")
    assert CliRunner().invoke(app, ["serve"]).exit_code == 7
    assert CliRunner().invoke(app, ["serve", "--port", "0", "--no-sync"]).exit_code == 7
    assert [(settings.port, settings.sync) for settings in served] == [(9, True), (0, False)]


def test_settings_that_cannot_be_used(served: list[Settings]) -> None:
    """Settings that are not valid end the command with one line on stderr, and start no server."""
    result = CliRunner().invoke(app, ["serve", "--host", "0.0.0.0"])
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("otel-sessions: the address 0.0.0.0 can be reached from other machines")
    assert result.stderr.count("\n") == 1
    assert served == []


def test_logs(capsys: pytest.CaptureFixture[str]) -> None:
    """Logs go to stderr, without those of libraries that our own messages repeat."""
    with no_logging_yet():
        log_to_stderr()
        logging.getLogger("otel_sessions.server").info("started")
        logging.getLogger("uvicorn.error").info("noise")
        logging.getLogger("uvicorn.error").warning("worth knowing")
        logging.getLogger("clickhouse_connect.driver").error("raised as well")
    out, err = capsys.readouterr()
    assert out == ""
    assert [line.split(" ", 2)[2] for line in err.splitlines()] == ["INFO started", "WARNING worth knowing"]


def test_help_shows_every_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Help has the description and the default of every setting."""
    monkeypatch.setenv("COLUMNS", "200")
    shown = " ".join(CliRunner().invoke(app, ["serve", "--help"], color=False).stdout.split())
    for name, text in SETTINGS.items():
        assert f"--{name.replace('_', '-')}" in shown
        assert text.about in shown
        assert f"[default: ({text.default})]" in shown
