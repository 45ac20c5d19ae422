"""One server at a time has the lease on a database of a real ClickHouse server."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from tests.clickhouse.running import clickhouse

from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.clickhouse.errors import StoreAwayError, StoreLockedError
from otel_sessions.server.clickhouse.lease import Lease, holder_id
from otel_sessions.server.clickhouse.store_settings import StoreSettings

NEVER = 1e6
ONE, OTHER = uuid4(), uuid4()

_databases = count()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A ClickHouse server for all tests of this file."""
    with clickhouse(tmp_path_factory.mktemp("clickhouse")) as url:
        yield url


@pytest.fixture
def store(server: str) -> Iterator[Store]:
    """An empty database of the server."""
    store = Store(StoreSettings(f"{server}/lease_{next(_databases)}", readers=2))
    yield store
    store.close()


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """The time."""
        return self.now


def test_a_second_server_is_refused(store: Store) -> None:
    """The message names the host and the process of the holder, and the next step."""
    lease = Lease(store, ONE)
    with pytest.raises(
        StoreLockedError, match=r"in use by the otel-sessions server on .+ with pid \d+; stop that server"
    ):
        Lease(store, OTHER)
    lease.renew()
    lease.check()
    lease.release()
    Lease(store, OTHER).release()


def test_the_same_server_takes_its_lease_again(store: Store) -> None:
    """A server that was killed does not wait until its own lease has run out."""
    killed = Lease(store, ONE, renew_seconds=NEVER)
    again = Lease(store, ONE)
    again.check()
    again.release()
    killed.release()


def test_a_lease_runs_out(store: Store) -> None:
    """A server whose lease is not renewed may not write, and another one may take the database."""
    clock = Clock()
    lease = Lease(store, ONE, seconds=0, renew_seconds=NEVER, clock=clock)
    clock.now = 1
    with pytest.raises(StoreAwayError, match="is not renewed"):
        lease.check()
    other = Lease(store, OTHER, seconds=0, renew_seconds=NEVER)
    with pytest.raises(StoreLockedError, match="has taken over"):
        lease.renew()
    assert lease.is_lost
    with pytest.raises(StoreAwayError):
        lease.check()
    other.release()
    lease.release()


def test_a_lease_that_ran_out_is_renewed_if_no_server_took_it(store: Store) -> None:
    """A database that was away for long is written again."""
    clock = Clock()
    lease = Lease(store, ONE, clock=clock)
    with pytest.raises(StoreLockedError):
        Lease(store, OTHER)
    clock.now = 1_000
    lease.renew()
    lease.check()
    assert not lease.is_lost
    lease.release()


def test_a_lease_that_another_server_had_and_gave_back_is_lost(store: Store) -> None:
    """What the first server knows of the database is no longer right, although the database is free."""
    clock = Clock()
    lease = Lease(store, ONE, seconds=0, renew_seconds=NEVER, clock=clock)
    Lease(store, OTHER, seconds=0, renew_seconds=NEVER).release()
    clock.now = 1
    with pytest.raises(StoreLockedError):
        lease.renew()
    lease.release()


def test_a_lease_that_cannot_be_given_back(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    """The log says when it runs out by itself."""
    lease = Lease(store, ONE)
    with store.writing() as client:
        client.command("DROP TABLE server_lease SYNC")
    lease.release()
    assert "runs out by itself within 60 seconds" in caplog.text


def test_the_server_is_told_that_its_lease_is_lost(store: Store) -> None:
    """The thread that renews the lease calls back once, and ends."""
    told = threading.Event()
    lease = Lease(store, ONE, lost=told.set, renew_seconds=0.01, clock=count(step=1_000).__next__)
    other = Lease(store, OTHER, seconds=0, renew_seconds=NEVER)
    assert told.wait(30)
    assert lease.is_lost
    other.release()
    lease.release()


def test_the_id_of_a_holder_stays(tmp_path: Path) -> None:
    """It is made once for a folder, and again if the file is broken."""
    first = holder_id(tmp_path)
    assert holder_id(tmp_path) == first
    (tmp_path / "lease-id").write_text("x")
    assert holder_id(tmp_path) not in (first, UUID(int=0))
