"""A store is opened, shared among threads, and closed."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import clickhouse_connect
import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError
from tests.server.conftest import drop

from otel_sessions.server.clickhouse.client import Store, StoreSettings
from otel_sessions.server.clickhouse.errors import StoreAwayError, StoreError, StoreLockedError


@pytest.mark.parametrize(
    ("url", "database", "folder", "name", "shown"),
    [
        ("chdb:///data/store", None, Path("/data/store"), "otel", "chdb:///data/store"),
        ("chdb:///data/store", "mine", Path("/data/store"), "mine", "chdb:///data/store"),
        ("http://me:secret@ch:8123/traces?compress=1", None, None, "traces", "http://ch:8123/traces"),
        ("https://ch", None, None, "default", "https://ch"),
    ],
)
def test_settings(url: str, database: str | None, folder: Path | None, name: str, shown: str) -> None:
    """Folder and database come from the URL; what is shown has no password."""
    settings = StoreSettings(url, database)
    assert (settings.folder, settings.database_name, settings.shown) == (folder, name, shown)


@pytest.mark.parametrize("url", ["", "data", "sqlite:///x", "chdb://", "ftp://x/y"])
def test_what_is_no_store_is_refused(url: str) -> None:
    """The message says what a store looks like."""
    with pytest.raises(StoreError, match="use chdb:///folder or http"):
        Store(StoreSettings(url))


@pytest.mark.parametrize("database", ["a b", "a`b", "1a", "a;b", "ä"])
def test_a_name_that_no_database_has(database: str, tmp_path: Path) -> None:
    """It stands in statements, so it is looked at first."""
    with pytest.raises(StoreError, match="cannot be the name of a database"):
        Store(StoreSettings(f"chdb://{tmp_path}", database))


def test_a_folder_has_one_store(settings: StoreSettings) -> None:
    """A second one is refused by name, and opening after closing works."""
    store = Store(settings)
    with pytest.raises(StoreLockedError):
        Store(settings)
    store.close()
    again = Store(settings)
    assert again.migrated == 0
    drop(again)
    again.close()
    again.close()


def test_a_server_that_does_not_answer() -> None:
    """It may later; the message names it without its password."""
    with pytest.raises(StoreAwayError, match=r"http://127\.0\.0\.1:1/x cannot be reached") as raised:
        Store(StoreSettings("http://me:secret@127.0.0.1:1/x"))
    assert "secret" not in str(raised.value)


def test_a_database_that_cannot_be_created(settings: StoreSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another error than the missing database is not taken for it."""

    def refuse(**_: Any) -> None:
        raise DatabaseError("no", code=516, name="AUTHENTICATION_FAILED")

    monkeypatch.setattr(clickhouse_connect, "get_client", refuse)
    with pytest.raises(StoreError, match="password"):
        Store(settings)


def test_a_server_gets_no_sessions_and_parameters_in_the_body(monkeypatch: pytest.MonkeyPatch) -> None:
    """Queries side by side are refused within a session, and long lists do not fit a URL."""
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
    """Two readers are held; a third gets one as soon as one is back, also after an error."""
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
    thread.join()
