"""`Store`: the database, opened: one client that writes, a few that read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import Error

from otel_sessions.server.clickhouse.errors import StoreError, explained
from otel_sessions.server.clickhouse.folder_lock import FolderLock
from otel_sessions.server.clickhouse.migrations import migrate

EMBEDDED: Final = "chdb"
DEFAULT_DATABASE: Final = "otel"
"""The database in an embedded store; a server's is named in its URL."""

WRITERS: Final = 3
"""A commit writes two tables at once, while a list has rows of sessions written; a deletion writes while it writes."""

_IDENTIFIER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """Where the store is.

    Attributes:
        url: `chdb:///folder`, or `http(s)://user:password@host:port/database`.
        database: instead of the one that the URL names.
        readers: how many queries run at once.
    """

    url: str
    database: str | None = None
    readers: int = 4

    @property
    def folder(self) -> Path | None:
        """The folder of an embedded store."""
        parts = urlsplit(self.url)
        return Path(parts.path) if parts.scheme == EMBEDDED else None

    @property
    def database_name(self) -> str:
        """The database that the tables are in.

        Raises:
            StoreError: for a name that is none.
        """
        in_url = "" if self.folder is not None else unquote(urlsplit(self.url).path).strip("/")
        name = self.database or in_url or (DEFAULT_DATABASE if self.folder is not None else "default")
        if not _IDENTIFIER.match(name):
            raise StoreError(f"{name!r} cannot be the name of a database; use letters, digits and '_'")
        return name

    @property
    def shown(self) -> str:
        """The URL without user and password, as messages name the store."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


class Store:
    """An open store. Three threads may write at the same time, and as many read as there are readers; others wait."""

    def __init__(self, settings: StoreSettings) -> None:
        """Open a store, create what is missing, bring it up to date.

        Raises:
            StoreLockedError: if another process has the folder open.
            NewerSchemaError: if a newer version wrote it.
            StoreAwayError: if it cannot be reached or written now.
            StoreError: for everything else, such as a URL that is none.
        """
        self.shown = settings.shown
        scheme = urlsplit(settings.url).scheme
        if scheme not in (EMBEDDED, "http", "https") or settings.folder == Path():
            raise StoreError(
                f"{self.shown!r} is no store; use chdb:///folder or http(s)://user:password@host:port/database"
            )
        self.database = settings.database_name
        with ExitStack() as undo:
            if settings.folder is not None:
                undo.callback(FolderLock(settings.folder).release)
            with explained(self.shown):
                writers = [_connect(settings, undo, create=True)]
                self.migrated = migrate(writers[0], self.shown, embedded=settings.folder is not None)
                writers += [_connect(settings, undo) for _ in range(WRITERS - 1)]
                clients = [_connect(settings, undo) for _ in range(settings.readers)]
            self._close = undo.pop_all()
        self._closed = False
        self._writers: SimpleQueue[Client] = SimpleQueue()
        self._readers: SimpleQueue[Client] = SimpleQueue()
        for queue, some in ((self._writers, writers), (self._readers, clients)):
            for client in some:
                queue.put(client)

    @contextmanager
    def writing(self) -> Iterator[Client]:
        """A client that writes, for this thread alone."""
        with self._one_of(self._writers) as client:
            yield client

    @contextmanager
    def reading(self) -> Iterator[Client]:
        """A client that reads, for this thread alone."""
        with self._one_of(self._readers) as client:
            yield client

    @contextmanager
    def _one_of(self, clients: SimpleQueue[Client]) -> Iterator[Client]:
        client = clients.get()
        try:
            with explained(self.shown):
                yield client
        finally:
            clients.put(client)

    def close(self) -> None:
        """Close all clients and let others have the folder; what is under way is waited for."""
        if not self._closed:
            self._closed = True
            for _ in range(WRITERS):
                self._writers.get()
            self._close.close()


def _connect(settings: StoreSettings, undo: ExitStack, *, create: bool = False) -> Client:
    database = settings.database_name
    try:
        client = _client(settings, database)
    except Error as error:
        if not create or error.name != "UNKNOWN_DATABASE":
            raise
        first = _client(settings, "default")
        try:
            first.command("CREATE DATABASE IF NOT EXISTS {database:Identifier}", parameters={"database": database})
        finally:
            first.close()
        client = _client(settings, database)
    undo.callback(client.close)
    return client


def _client(settings: StoreSettings, database: str) -> Client:
    options: dict[str, Any] = {}
    if settings.folder is None:
        # Without sessions of the server, which would refuse queries side by side; parameters may be long lists.
        options = {"autogenerate_session_id": False, "form_encode_query_params": True}
    client: Client = clickhouse_connect.get_client(dsn=settings.url, database=database, **options)
    return client
