"""`Clients`: clients of one store that threads share, each used by one thread at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Final

from clickhouse_connect.driver.client import Client


class Clients:
    """Some clients; others wait until one is free.

    The embedded engine writes an answer while it makes it. After an error, what it had written of that answer would come before the next
    one on the same connection, so a client that failed is closed, and another one connects when it is needed.
    """

    def __init__(self, connect: Callable[[], Client], count: int, first: Client | None = None) -> None:
        """Connect.

        Args:
            connect: makes a client.
            count: how many there are.
            first: one that is there already.
        """
        self._connect: Final = connect
        self._open: Final = set[Client]()
        self._free: Final = SimpleQueue[Client | None]()
        self._count: Final = count
        try:
            for number in range(count):
                self._free.put(first if first is not None and number == 0 else self._connected())
        except BaseException:
            self.close()
            raise
        if first is not None:
            self._open.add(first)

    @contextmanager
    def one(self) -> Iterator[Client]:
        """A client that no other thread uses meanwhile."""
        client = self._free.get()
        try:
            if client is None:
                client = self._connected()
            yield client
        except BaseException:  # also of a reader that ends early: the rest of its answer is not read
            if client is not None:
                self._open.discard(client)
                client.close()
                client = None
            raise
        finally:
            self._free.put(client)

    def wait(self) -> None:
        """Wait until nothing uses a client; none can be had afterwards."""
        for _ in range(self._count):
            self._free.get()

    def close(self) -> None:
        """Close all clients, also those in use."""
        for client in list(self._open):
            client.close()

    def _connected(self) -> Client:
        client = self._connect()
        self._open.add(client)
        return client
