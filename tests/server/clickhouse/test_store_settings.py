"""The URL of a store is parsed and checked before the store is opened."""

from __future__ import annotations

from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest

from otel_sessions.server.clickhouse.errors import StoreError
from otel_sessions.server.clickhouse.store_settings import StoreSettings, embedded_url


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
    """Folder and database come from the URL; the form for messages has no password."""
    settings = StoreSettings(url, database)
    assert (settings.folder, settings.database_name, settings.shown) == (folder, name, shown)


@pytest.mark.parametrize(
    "url",
    [
        *("", "data", "sqlite:///x", "ftp://x/y", "chdb://", "chdb:data", "chdb://data/store"),
        *("http://me:hush@[::1/otel", "https://me:hush@host:x/otel", "http://me:hush@host:0/otel"),
    ],
)
def test_other_urls_are_refused(url: str) -> None:
    """Any other URL is refused with the accepted forms, in a message that does not repeat the URL, which may hold a password."""
    with pytest.raises(
        StoreError, match=r"use chdb:///folder or http\(s\)://user:password@host:port/database"
    ) as raised:
        StoreSettings(url)
    assert "hush" not in str(raised.value)


@pytest.mark.parametrize("database", ["a b", "a`b", "1a", "a;b", "ä"])
def test_names_that_no_database_has_are_refused(database: str) -> None:
    """A database name that would not be safe in a statement is refused, as an argument and as a part of the URL."""
    for url, name in (("chdb:///folder", database), (f"http://host/{database}", None)):
        with pytest.raises(StoreError, match="cannot be the name of a database"):
            StoreSettings(url, name)


@pytest.mark.parametrize(
    ("folder", "url"),
    [
        (PurePosixPath("/home/me/data"), "chdb:///home/me/data"),
        (PureWindowsPath("C:/Users/me"), "chdb:///C:/Users/me"),
    ],
)
def test_the_url_of_a_folder(folder: PurePosixPath | PureWindowsPath, url: str) -> None:
    """The path in the URL of an embedded store begins with a slash on every platform."""
    assert embedded_url(folder) == url
    StoreSettings(url)
