"""A folder that no server holds is read with the server's own app, in the process of the command."""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path

import pytest
from tests import processes
from tests.cli.terminal import in_pipe
from tests.exporting import finished
from tests.server.running import Server

from otel_sessions.cli import local_server as module
from otel_sessions.cli.errors import CommandError
from otel_sessions.cli.local_server import local_server, store_folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a session, which no server holds any more."""
    folder = tmp_path_factory.mktemp("cli") / "store"
    with Server(folder) as server:
        assert server.send([finished(1, session="ticket-1", trace=1)]) == 200
        assert server.stop()[0] == 0
    return folder


def otel_sessions(*arguments: str, **environment: str) -> tuple[int, str, str]:
    """Status, stdout and stderr of the command in a process of its own."""
    ran = processes.run(sys.executable, "-m", "otel_sessions", *arguments, env=processes.environment(**environment))
    return ran.returncode, ran.stdout, ran.stderr


def test_a_folder(folder: Path) -> None:
    """The answers are those of a server, nothing is said on stderr, and the folder is free again at the end."""
    for store in (str(folder), f"chdb://{folder}"):
        status, out, err = otel_sessions("list", "--store", store, "--json")
        assert (status, err) == (0, "")
        assert [one["id"] for one in json.loads(out)] == ["ticket-1"]
    status, out, err = otel_sessions("get", "nope", "--store", str(folder))
    assert (status, out, err.count("\n")) == (3, "", 1)
    with Server(folder) as server:
        assert server.get("/v1/sessions")["pagination"]["total"] == 1


def test_the_key_is_needed(folder: Path) -> None:
    """No other program of the machine gets an answer while the command runs."""
    with local_server(str(folder)) as client:
        assert client.url.startswith("http://127.0.0.1:")
        assert client.get("/v1/sessions")["pagination"]["total"] == 1
        client.api_key = None
        with pytest.raises(CommandError, match="wants its API key"):
            client.get("/v1/sessions")
    assert not [one for one in threading.enumerate() if one.name.startswith("otel-sessions") and not one.daemon]


def test_a_folder_that_a_server_holds(tmp_path: Path) -> None:
    """The message names the folder, the process and how to ask it."""
    with Server(tmp_path / "store") as server:
        status, out, err = otel_sessions("list", "--store", str(tmp_path / "store"))
        assert f"{tmp_path / 'store'} is in use by the process with pid {server.process.pid}" in err
    assert (status, out, err.count("\n")) == (1, "", 1)
    assert "--url" in err


def test_a_folder_that_this_process_holds(folder: Path) -> None:
    """A second command on the folder is refused, as a second server would be."""
    with local_server(str(folder)):
        ran = in_pipe("list", "--store", str(folder))
    assert (ran.status, ran.out) == (1, "")
    assert "ask it with --url instead of --store" in ran.error


@pytest.mark.parametrize(
    ("store", "said"),
    [
        ("{}/none", "there is no folder"),
        ("{}", "has no store of otel-sessions"),
        ("chdb://{}/none", "there is no folder"),
        ("chdb://data/store", "not a store URL"),
        ("http://127.0.0.1:8123/otel", "folders only"),
        ("ftp://x", "not a store URL"),
    ],
)
def test_no_store(tmp_path: Path, store: str, said: str) -> None:
    """A folder without a store is left as it is."""
    ran = in_pipe("list", "--store", store.format(tmp_path))
    assert (ran.status, ran.out) == (2, "")
    assert said in ran.error
    assert list(tmp_path.iterdir()) == []


def test_a_relative_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder may be written from where the command runs."""
    monkeypatch.chdir(folder.parent)
    assert store_folder("store") == folder


def test_a_store_that_cannot_be_opened(tmp_path: Path) -> None:
    """What is no store of this engine is told in one line."""
    (tmp_path / "metadata").write_text("a file")
    (tmp_path / "otel-sessions.lock").write_text("")
    ran = in_pipe("list", "--store", str(tmp_path))
    assert (ran.status, ran.out) == (1, "")
    assert "cannot be read" in ran.error


def test_a_start_that_takes_too_long(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command does not wait for ever, and says how to see why."""
    end = threading.Event()
    monkeypatch.setattr(module, "_started", lambda *_: end.wait(60))
    with (
        pytest.raises(CommandError, match=r"did not open within 0\.01 s; to see why: otel-sessions serve"),
        local_server(str(folder), start_seconds=0.01),
    ):
        pass
    end.set()


def test_a_setting_that_is_not_valid(folder: Path) -> None:
    """A setting of the environment that the server would refuse ends the command with its message."""
    status, out, err = otel_sessions("list", "--store", str(folder), OTEL_SESSIONS_BACKLOG="much")
    assert (status, out, err.count("\n")) == (1, "", 1)
    assert "OTEL_SESSIONS_BACKLOG" in err
