"""`Store`: an open database, with clients for threads that write and for threads that read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any, Final

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import Error

from otel_sessions.server.clickhouse.clients import Clients
from otel_sessions.server.clickhouse.engine_errors import explained
from otel_sessions.server.clickhouse.errors import StoreError
from otel_sessions.server.clickhouse.folder_lock import FolderLock
from otel_sessions.server.clickhouse.migrations import migrate
from otel_sessions.server.clickhouse.store_settings import StoreSettings

WRITERS: Final = 3
"""A commit inserts into two tables at once; meanwhile a list may need rows of sessions written, or a session be deleted."""


class Store:
    """An open store: `WRITERS` threads may write and `settings.readers` threads read at the same time, others wait."""

    def __init__(self, settings: StoreSettings) -> None:
        """Open a store, create what is missing, and apply the migrations that it lacks.

        Raises:
            StoreLockedError: another process has the folder open.
            NewerSchemaError: a newer version wrote it.
            StoreAwayError: it cannot be reached or written now.
            StoreError: anything else, such as a user with too few rights.
        """
        self.shown = settings.shown
        self.database = settings.database_name
        self.folder = settings.folder
        self.is_embedded = settings.folder is not None
        with ExitStack() as undo:
            if settings.folder is not None:
                undo.callback(FolderLock(settings.folder).release)
            with explained(self.shown):
                first = _first_client(settings)
                undo.callback(first.close)
                migrate(first, self.shown, embedded=self.is_embedded)
                connect = partial(_client, settings, self.database)
                self._writers = Clients(connect, WRITERS, first)
                undo.callback(self._writers.close)
                self._readers = Clients(connect, settings.readers)
                undo.callback(self._readers.close)
                self._probers = Clients(connect, 1)
                undo.callback(self._probers.close)
            self._close = undo.pop_all()
        self._settings = settings
        self._closed = False
        self._before_close: list[Callable[[], object]] = []
        self._askers: SimpleQueue[Client] = SimpleQueue()

    @contextmanager
    def writing(self) -> Iterator[Client]:
        """A client to write with, which no other thread uses meanwhile."""
        with explained(self.shown), self._writers.one() as client:
            yield client

    @contextmanager
    def reading(self) -> Iterator[Client]:
        """A client to read with, which no other thread uses meanwhile."""
        with explained(self.shown), self._readers.one() as client:
            yield client

    @contextmanager
    def probing(self) -> Iterator[Client]:
        """A client to find out with whether the store works, which waits for no other statement."""
        with explained(self.shown), self._probers.one() as client:
            yield client

    @contextmanager
    def asking(self) -> Iterator[Client]:
        """A client for one question of a user, whose errors are those of the engine.

        After an error, it is not used again: what the embedded engine had written of that answer would come before the next one.

        Raises:
            StoreError: the store cannot be reached.
        """
        try:
            client = self._askers.get_nowait()
        except Empty:
            with explained(self.shown):
                client = _client(self._settings, self.database)
        try:
            yield client
        except BaseException:
            client.close()
            raise
        self._askers.put(client)

    def before_close(self, callback: Callable[[], object]) -> None:
        """Have `close` call this first, while the store can still be used."""
        self._before_close.append(callback)

    def close(self) -> None:
        """Wait for writes under way, then close all clients and unlock the folder; a second call does nothing."""
        if not self._closed:
            self._closed = True
            for callback in self._before_close:
                callback()
            self._writers.wait()
            while not self._askers.empty():
                self._askers.get().close()
            self._close.close()


def _first_client(settings: StoreSettings) -> Client:
    """A client, in a database that is created if it is missing."""
    database = settings.database_name
    try:
        return _client(settings, database)
    except Error as error:
        if error.name != "UNKNOWN_DATABASE":
            raise
        first = _client(settings, "default")
        try:
            first.command("CREATE DATABASE IF NOT EXISTS {database:Identifier}", parameters={"database": database})
        finally:
            first.close()
        return _client(settings, database)


def _client(settings: StoreSettings, database: str) -> Client:
    options: dict[str, Any] = {}
    if settings.folder is None:
        # A session of the server would refuse concurrent queries; parameters may be lists too long for a URL.
        options = {"autogenerate_session_id": False, "form_encode_query_params": True}
    try:
        client: Client = clickhouse_connect.get_client(dsn=settings.url, database=database, **options)
    except ImportError as error:
        raise StoreError(
            f"the store {settings.shown} needs the database engine chdb-core, which is not installed or cannot be loaded ({error}); "
            "run: pip install 'otel-sessions[server]', or name a ClickHouse server with --store http://…"
        ) from error
    return client
