"""An engine for all tests of the store, and an empty database for each."""

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


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a running engine: a process has one, and starting it for each test would take long."""
    folder = tmp_path_factory.mktemp("store")
    engine = clickhouse_connect.get_client(dsn=f"chdb://{folder}")
    yield folder
    engine.close()


@pytest.fixture
def settings(folder: Path) -> StoreSettings:
    """Settings for a database that is not there yet."""
    return StoreSettings(f"chdb://{folder}", database=f"test_{next(_numbers)}", readers=2)


@pytest.fixture
def store(settings: StoreSettings) -> Iterator[Store]:
    """An open, empty store."""
    store = Store(settings)
    yield store
    drop(store)
    store.close()


@pytest.fixture
def shared_store(store: Store) -> Store:
    """An open, empty store with all that a server has for others, dashboards above all."""
    with store.writing() as client:
        for step in migrations():
            if step.for_servers:
                client.command(step.sql)
    return store


@pytest.fixture
def emptied(store: Store) -> Emptied:
    """The store, emptied by each call, for many examples in one test."""

    def empty() -> Store:
        with store.writing() as client:
            for table in (
                "otel_traces",
                "otel_traces_trace_id_ts",
                "otel_logs",
                "trace_facts",
                "session_traces",
                "sessions",
            ):
                client.command(f"TRUNCATE TABLE {table}")
        return store

    return empty


MANY_EXAMPLES = (HealthCheck.too_slow, HealthCheck.function_scoped_fixture)
"""For tests that empty the store before each example."""


def drop(store: Store) -> None:
    """Drop a store's database."""
    with store.writing() as client:
        client.command(f"DROP DATABASE {store.database} SYNC")
