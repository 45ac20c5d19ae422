"""`Lease`: one server at a time writes into a database of a ClickHouse server.

What a server keeps in memory about the database, such as the trace ids that it has seen, is right only while no other one writes. A folder
has a lock for that; a database has this lease, the last row of each holder in `server_lease`:

1. `bid`: a server that starts says so, then looks whether another lease is older than its own and has not run out.
2. `held`: if it finds no such lease it holds its own, and renews it. A lease that is not renewed in time runs out, and nothing is
   written until it is renewed. If another server held the database meanwhile, the lease is lost, and the server ends.
3. `released` at the end, or `refused`.

A server that died and starts again does not wait for its own lease: the id of a holder is kept in the folder of its requests, which is
locked, so that no two processes have the same one.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final
from uuid import UUID, uuid4

from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.clickhouse.errors import StoreAwayError, StoreError, StoreLockedError
from otel_sessions.server.clickhouse.statements import statement

logger: Final = logging.getLogger("otel_sessions.server")

LEASE_SECONDS: Final = 60
"""How long a lease holds that is not renewed."""

RENEW_SECONDS: Final = 10.0
"""How often it is renewed. A write begins no later than this before the lease runs out."""

ID_FILE: Final = "lease-id"


class Lease:
    """The lease on a store's database, renewed on a thread of its own until it is released."""

    def __init__(
        self,
        store: Store,
        holder: UUID,
        *,
        lost: Callable[[], object] = lambda: None,
        seconds: int = LEASE_SECONDS,
        renew_seconds: float = RENEW_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take the lease.

        Args:
            store: a database of a ClickHouse server.
            holder: the id of this server, the same whenever it is started again; see `holder_id`.
            lost: called when another server has taken the database over.
            seconds: how long the lease holds when it is not renewed.
            renew_seconds: how often it is renewed.
            clock: seconds that only grow.

        Raises:
            StoreLockedError: another server holds it; the message says which one.
            StoreError: the store cannot do it.
        """
        self._store = store
        self._holder = str(holder)
        self._on_lost = lost
        self._seconds = seconds
        self._renew_seconds = renew_seconds
        self._clock = clock
        self._renewed = 0.0
        self._lost = False
        self._stopping = threading.Event()
        self._take()
        self._thread = threading.Thread(target=self._run, name="otel-sessions-lease", daemon=True)
        self._thread.start()

    @property
    def is_lost(self) -> bool:
        """True if another server has taken the database over; this one must end."""
        return self._lost

    def check(self) -> None:
        """Return if the lease holds; call it before you write.

        Raises:
            StoreAwayError: it could not be renewed in time, or is lost.
        """
        if self._lost or self._clock() - self._renewed > self._seconds - self._renew_seconds:
            raise StoreAwayError(f"the lease on the store {self._store.shown} is not renewed")

    def renew(self) -> None:
        """Renew the lease now; it may have run out.

        Raises:
            StoreLockedError: another server has it, or had it meanwhile.
            StoreError: the store cannot do it.
        """
        if self._clock() - self._renewed <= self._seconds:
            self._write("held")
            return
        other = self._found("lease_taken_since")
        self._lost = other is not None
        if self._lost:
            raise StoreLockedError(f"the otel-sessions server {other} has taken over the store {self._store.shown}")
        self._take()

    def release(self) -> None:
        """Give the lease back."""
        self._stopping.set()
        self._thread.join()
        if self._lost:
            return
        try:
            self._write("released")
        except StoreError as error:
            logger.warning("the lease on the store runs out by itself within %d seconds: %s", self._seconds, error)

    def _take(self) -> None:
        self._write("bid")
        if other := self._found("older_lease"):
            self._write("refused")
            self._lost = True
            raise StoreLockedError(
                f"the store {self._store.shown} is in use by the otel-sessions server {other}; stop that server, or choose "
                f"another database with --store. The lease of a server that died runs out after {self._seconds} seconds"
            )
        self._write("held")

    def _run(self) -> None:
        while not self._lost and not self._stopping.wait(self._renew_seconds):
            try:
                self.renew()
            except StoreError as error:
                logger.error("the lease on the store is not renewed: %s", error)  # noqa: TRY400 - the message says all
        if self._lost:
            self._on_lost()

    def _write(self, state: str) -> None:
        asked = self._clock()
        with self._store.writing() as client:
            client.command(
                statement("write_lease"),
                parameters={"holder": self._holder, "state": state, "host": socket.gethostname(), "pid": os.getpid()},
            )
        self._renewed = asked

    def _found(self, query: str) -> str | None:
        """Another server, as messages name it."""
        with self._store.reading() as client:
            rows = client.query(
                statement(query), parameters={"holder": self._holder, "seconds": self._seconds}
            ).result_rows
        return f"on {rows[0][0]} with pid {rows[0][1]}" if rows else None


def holder_id(folder: Path) -> UUID:
    """The id of the server whose requests are in a folder, made at the first call. The caller has the lock on the folder.

    Raises:
        OSError: the folder cannot be used.
    """
    file = folder / ID_FILE
    try:
        return UUID(file.read_text(encoding="ascii").strip())
    except (FileNotFoundError, ValueError):
        made = uuid4()
        file.write_text(f"{made}\n", encoding="ascii")
        return made
