"""`Store`: an open database, with clients for threads that write and for threads that read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from queue import Empty, SimpleQueue
from typing import Any, Final

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import Error

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
                writers = [_connect(settings, undo, create=True)]
                migrate(writers[0], self.shown, embedded=self.is_embedded)
                writers += [_connect(settings, undo) for _ in range(WRITERS - 1)]
                clients = [_connect(settings, undo) for _ in range(settings.readers)]
                prober = _connect(settings, undo)
            self._close = undo.pop_all()
        self._settings = settings
        self._closed = False
        self._before_close: list[Callable[[], object]] = []
        self._writers: SimpleQueue[Client] = SimpleQueue()
        self._readers: SimpleQueue[Client] = SimpleQueue()
        self._probers: SimpleQueue[Client] = SimpleQueue()
        self._askers: SimpleQueue[Client] = SimpleQueue()
        for queue, some in ((self._writers, writers), (self._readers, clients), (self._probers, [prober])):
            for client in some:
                queue.put(client)

    @contextmanager
    def writing(self) -> Iterator[Client]:
        """A client to write with, which no other thread uses meanwhile."""
        with self._one_of(self._writers) as client:
            yield client

    @contextmanager
    def reading(self) -> Iterator[Client]:
        """A client to read with, which no other thread uses meanwhile."""
        with self._one_of(self._readers) as client:
            yield client

    @contextmanager
    def probing(self) -> Iterator[Client]:
        """A client to find out with whether the store works, which waits for no other statement."""
        with self._one_of(self._probers) as client:
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

    @contextmanager
    def _one_of(self, clients: SimpleQueue[Client]) -> Iterator[Client]:
        client = clients.get()
        try:
            with explained(self.shown):
                yield client
        finally:
            clients.put(client)

    def before_close(self, callback: Callable[[], object]) -> None:
        """Have `close` call this first, while the store can still be used."""
        self._before_close.append(callback)

    def close(self) -> None:
        """Wait for writes under way, then close all clients and unlock the folder; a second call does nothing."""
        if not self._closed:
            self._closed = True
            for callback in self._before_close:
                callback()
            for _ in range(WRITERS):
                self._writers.get()
            while not self._askers.empty():
                self._askers.get().close()
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
