"""An engine and an empty store for tests of what is stored."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import clickhouse_connect
import pytest
from hypothesis import HealthCheck

from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.clickhouse.migrations import migrations
from otel_sessions.server.clickhouse.store_settings import StoreSettings

_numbers = count()

Emptied = Callable[[], Store]

TABLES = (
    "otel_traces",
    "otel_traces_trace_id_ts",
    "otel_logs",
    "trace_facts",
    "message_chains",
    "messages",
    "session_traces",
    "sessions",
    "deletion_queue",
    "scores",
    "session_scores",
    "annotations",
    "session_names",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a running engine: a process can have only one, and starting it for each test would take long."""
    folder = tmp_path_factory.mktemp("store")
    engine = clickhouse_connect.get_client(dsn=f"chdb://{folder}")
    yield folder
    engine.close()


class ModuleStore:
    """The store that the tests of a module share; it opens again after a test had the folder for itself."""

    def __init__(self, folder: Path) -> None:
        self._settings = StoreSettings(f"chdb://{folder}", database=f"test_{next(_numbers)}", readers=2)
        self._store: Store | None = None

    def empty(self) -> Store:
        """The open store without any rows."""
        if self._store is None:
            self._store = Store(self._settings)
        with self._store.writing() as client:
            for table in TABLES:
                client.command(f"TRUNCATE TABLE {table}")
        return self._store

    def close(self) -> None:
        """Unlock the folder."""
        if self._store is not None:
            self._store.close()
            self._store = None


@pytest.fixture(scope="module")
def module_store(folder: Path) -> Iterator[ModuleStore]:
    """A store for tests that leave its tables as they are, since opening one for each test would take long."""
    module_store = ModuleStore(folder)
    yield module_store
    module_store.close()


@pytest.fixture
def store(module_store: ModuleStore) -> Store:
    """An open, empty store, for tests that change rows only."""
    return module_store.empty()


@pytest.fixture
def emptied(module_store: ModuleStore) -> Emptied:
    """A function that empties the store, for many examples in one test."""
    return module_store.empty


@pytest.fixture
def settings(folder: Path, module_store: ModuleStore) -> StoreSettings:
    """Settings of a database that does not exist yet, in a folder that is not locked."""
    module_store.close()
    return StoreSettings(f"chdb://{folder}", database=f"test_{next(_numbers)}", readers=2)


@pytest.fixture
def fresh_store(settings: StoreSettings) -> Iterator[Store]:
    """An open store in a database of its own, for tests that change tables or depend on their parts."""
    store = Store(settings)
    yield store
    drop(store)
    store.close()


@pytest.fixture
def server_store(fresh_store: Store) -> Store:
    """An open, empty store that also has the tables and views that only a ClickHouse server gets, such as for dashboards."""
    with fresh_store.writing() as client:
        for step in migrations():
            if step.for_servers:
                client.command(step.sql)
    return fresh_store


MANY_EXAMPLES = (HealthCheck.too_slow, HealthCheck.function_scoped_fixture)
"""Health checks that do not apply to tests that empty the store before each example."""


def drop(store: Store) -> None:
    """Drop a store's database."""
    with store.writing() as client:
        client.command(f"DROP DATABASE {store.database} SYNC")
