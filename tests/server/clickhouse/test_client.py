"""A store is opened, shared among threads, and closed."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import Any

import clickhouse_connect
import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError
from tests.server.conftest import drop

from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.clickhouse.errors import StoreAwayError, StoreError, StoreLockedError
from otel_sessions.server.clickhouse.store_settings import StoreSettings


def test_without_the_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the engine is not installed, the message names what to install, and what works without; nothing stays locked."""
    monkeypatch.setitem(sys.modules, "clickhouse_connect.driver._chdbclient", None)
    for _ in range(2):
        with pytest.raises(StoreError, match=r"chdb-core.*not installed.*otel-sessions\[server\].*--store http://"):
            Store(StoreSettings(f"chdb://{tmp_path}"))


def test_a_folder_has_one_store(settings: StoreSettings) -> None:
    """A second store on one folder is refused; after the first is closed, opening works, and closing twice is harmless."""
    store = Store(settings)
    with pytest.raises(StoreLockedError):
        Store(settings)
    store.close()
    again = Store(settings)
    drop(again)
    again.close()
    again.close()


def test_a_server_that_does_not_answer() -> None:
    """A server that cannot be reached raises `StoreAwayError`; the message names it without its password."""
    with pytest.raises(StoreAwayError, match=r"http://127\.0\.0\.1:1/x cannot be reached") as raised:
        Store(StoreSettings("http://me:secret@127.0.0.1:1/x"))
    assert "secret" not in str(raised.value)


def test_a_database_that_cannot_be_created(settings: StoreSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a missing database leads to the creation of one; any other error is raised with its next step."""

    def refuse(**_: Any) -> None:
        raise DatabaseError("no", code=516, name="AUTHENTICATION_FAILED")

    monkeypatch.setattr(clickhouse_connect, "get_client", refuse)
    with pytest.raises(StoreError, match="password"):
        Store(settings)


def test_a_server_gets_no_sessions_and_parameters_in_the_body(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client for a server opens no session, which would refuse concurrent queries, and sends long parameters in the body."""
    seen: list[dict[str, Any]] = []

    def client(**options: Any) -> None:
        seen.append(options)
        raise DatabaseError("no", code=1, name="X")

    monkeypatch.setattr(clickhouse_connect, "get_client", client)
    with pytest.raises(StoreError):
        Store(StoreSettings("http://ch:8123/db"))
    assert seen == [
        {
            "dsn": "http://ch:8123/db",
            "database": "db",
            "autogenerate_session_id": False,
            "form_encode_query_params": True,
        }
    ]


def test_readers_read_at_once_and_others_wait(store: Store) -> None:
    """A third reader waits for one of the two clients, and gets it even if its previous use ended with an error."""
    got = threading.Event()

    def read() -> None:
        with store.reading() as client:
            client.query("SELECT 1")
            got.set()

    def fail(one: Client) -> None:
        with store.reading() as other:
            assert one is not other
            thread.start()
            assert not got.wait(0.05)
            other.query("SELECT nonsense")

    thread = threading.Thread(target=read)
    with store.reading() as one:
        with pytest.raises(StoreError, match="refused a statement"):
            fail(one)
        assert got.wait(10)
    thread.join(30)
