"""When the power fails, a server with `--sync` loses nothing that it acknowledged, and counts nothing twice.

`OTEL_SESSIONS_POWER_ROUNDS` is the number of times that the power is cut.
"""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path

import pytest
from tests.server.power import Disk, mounted
from tests.server.running import Server
from tests.server.test_kill import REQUESTS, check, conversations, requests_of, traffic

ROUNDS = int(os.environ.get("OTEL_SESSIONS_POWER_ROUNDS", "2"))
SECONDS_AFTER = (0, 1, 3, 12)
"""When the power is cut, after the last acknowledgement: before a commit, after it, after merges."""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """A file system whose power can be cut."""
    with mounted(tmp_path) as disk:
        yield disk


def test_with_sync_nothing_is_lost(disk: Disk) -> None:
    """The power fails again and again, a moment or seconds after the last acknowledgement; every span is there once."""
    rng = random.Random(2613)
    store = disk.folder / "store"
    spans = conversations(rng, 40 * ROUNDS)
    with traffic() as clients:
        requests = requests_of(rng, spans, REQUESTS * ROUNDS)
        for number, seconds in enumerate(islice(cycle(SECONDS_AFTER), ROUNDS)):
            with Server(store, "--sync") as server:
                clients.to(server.url)
                clients.add(requests[number::ROUNDS])
                clients.wait_for(clients.total)
                threading.Event().wait(seconds)
                disk.cut()
            disk.unmount()
            disk.mount()
        with Server(store, "--sync") as server:
            # What was being written when the power failed was never acknowledged, and is kept aside.
            check(store, server, spans, torn=True)


def test_with_sync_nothing_is_lost_while_requests_come_in(disk: Disk) -> None:
    """The power fails under load; clients send again what was not acknowledged, and every span is there once."""
    rng = random.Random(2614)
    store = disk.folder / "store"
    spans = conversations(rng, 60 * ROUNDS)
    with traffic() as clients:
        clients.add(requests_of(rng, spans, REQUESTS * ROUNDS))
        for _ in range(ROUNDS):
            with Server(store, "--sync") as server:
                clients.to(server.url)
                clients.wait_for(clients.acknowledged + rng.randint(1, REQUESTS - 4))
                disk.cut()
            disk.unmount()
            disk.mount()
        with Server(store, "--sync") as server:
            clients.to(server.url)
            clients.wait_for(clients.total)
            # What was being written when the power failed was never acknowledged, and is kept aside.
            check(store, server, spans, torn=True)
