"""A command asks the server or the folder that it is told, else those of the environment, else the server of this machine."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.cli.answering import Answering, page
from tests.cli.terminal import in_pipe

from otel_sessions.cli import local_server, server_options
from otel_sessions.cli.client import Client
from otel_sessions.cli.server_options import asking
from otel_sessions.environment_variables import STORE, URL
from otel_sessions.server.process import settings


@pytest.fixture
def free(monkeypatch: pytest.MonkeyPatch) -> str:
    """An address, taken for the default one, at which no server answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
    monkeypatch.setattr(server_options, "DEFAULT_URL", address)
    return address


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The folders that were opened, each of which answers as a server at this port."""
    found: list[str] = []

    @contextmanager
    def opening(store: str) -> Iterator[Client]:
        found.append(store)
        yield Client("http://127.0.0.1:9")

    monkeypatch.setattr(local_server, "local_server", opening)
    return found


def asked(url: str | None = None, store: str | None = None) -> str:
    """The address that is asked."""
    with asking(url, store) as client:
        return client.url


def test_the_order(free: str, opened: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Options come before variables, and the variable of the address before that of the folder."""
    assert asked() == free
    monkeypatch.setenv(STORE, "/environment")
    assert asked() == "http://127.0.0.1:9"
    monkeypatch.setenv(URL, "http://127.0.0.1:8")
    assert asked() == "http://127.0.0.1:8"
    assert asked(url="http://127.0.0.1:7") == "http://127.0.0.1:7"
    assert asked(store="/given") == "http://127.0.0.1:9"
    assert opened == ["/environment", "/given"]


def test_the_folder_of_the_environment_while_a_server_answers(
    opened: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The variable is a setting of the server too, so the server that answers is asked."""
    monkeypatch.setenv(STORE, "/environment")
    with Answering(lambda _: page([])) as server:
        monkeypatch.setattr(server_options, "DEFAULT_URL", server.url)
        assert asked() == server.url
    assert opened == []


def test_a_database_of_the_environment(free: str, opened: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A ClickHouse server is a store for a server only."""
    monkeypatch.setenv(STORE, "http://127.0.0.1:8123/otel")
    assert asked() == free
    assert opened == []


def test_two_places() -> None:
    """An address and a folder together make no sense."""
    ran = in_pipe("list", "--url", "http://127.0.0.1:1", "--store", "/x")
    assert (ran.status, ran.out) == (2, "")
    assert "two places to look" in ran.error


def test_no_server_but_a_folder(free: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no server answers, the message names the folder of the last one, if there is one."""
    monkeypatch.setattr(settings, "data_folder", lambda: tmp_path)
    ran = in_pipe("list")
    assert (ran.status, ran.out) == (4, "")
    assert free in ran.error
    assert "start one with: otel-sessions serve" in ran.error
    assert "--store" not in ran.error
    for name in local_server._PARTS_OF_A_STORE:
        (tmp_path / name).mkdir()
    assert in_pipe("list").error.endswith(f"to read the last store without a server: --store {tmp_path}")
