"""When the power fails, a server with `--sync` loses nothing that it acknowledged, and counts nothing twice.

`OTEL_SESSIONS_POWER_ROUNDS` is the number of times that the power is cut.
"""

from __future__ import annotations

import os
import random
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count, cycle, islice
from pathlib import Path

import clickhouse_connect
import pytest
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from tests.exporting import finished
from tests.server.power import Disk, mounted
from tests.server.running import Server
from tests.server.test_kill import DEADLINE, PAUSE, REQUESTS, check, conversations, requests_of, traffic

from otel_sessions.server.clickhouse.migrations import migrations, schema_version
from otel_sessions.server.clickhouse.store_settings import DEFAULT_DATABASE
from otel_sessions.server.ingest.retry_refused import take_in_refused
from otel_sessions.server.ingest.set_aside import SetAside
from otel_sessions.server.signals import LOGS, TRACES
from otel_sessions.server.wal.disk import sync_folder
from otel_sessions.server.wal.log import WriteAheadLog
from otel_sessions.server.wal.segments import read_segment, segment_numbers

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
                # The server lives on for a moment, and what it says then is no promise: ext4 can return success for a sync that the
                # cut ended. A computer without power acknowledges nothing.
                clients.to_nobody()
                disk.cut()
            disk.unmount()
            disk.mount()
        with Server(store, "--sync") as server:
            clients.to(server.url)
            clients.wait_for(clients.total)
            # What was being written when the power failed was never acknowledged, and is kept aside.
            check(store, server, spans, torn=True)


def test_what_is_said_without_power_does_not_count() -> None:
    """A request whose acknowledgement comes after the cut is sent again to the next server."""
    with acknowledging() as (url, arrived, go_on), traffic() as clients:
        clients.to(url)
        clients.add([b"a request"])
        assert arrived.acquire(timeout=DEADLINE)
        clients.to_nobody()
        go_on.set()
        clients.to(url.replace("127.0.0.1", "localhost"))
        assert arrived.acquire(timeout=DEADLINE)
        clients.wait_for(1)
    assert clients.acknowledged == 1


@contextmanager
def acknowledging() -> Iterator[tuple[str, threading.Semaphore, threading.Event]]:
    """A server that acknowledges everything: its URL, a semaphore that counts requests, and the event that its answers wait for."""
    arrived, go_on = threading.Semaphore(0), threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            arrived.release()
            assert go_on.wait(DEADLINE)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
            """Write nothing to stderr."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", arrived, go_on
        finally:
            go_on.set()
            server.shutdown()
            thread.join()


def test_the_log_of_requests_keeps_what_it_acknowledged(disk: Disk) -> None:
    """Requests that come side by side are there when the power fails, each that was acknowledged before."""
    requests = disk.folder / "requests"
    log = WriteAheadLog(requests, backlog_bytes=1 << 20, sync=True)
    acknowledged: list[bytes] = []
    is_cut = threading.Event()

    def send(client: int) -> None:
        for number in count():
            payload = encode_spans([finished(number + 1, trace=client)]).SerializeToString()
            try:
                log.append(TRACES, payload, [number])
            except OSError:
                return
            if is_cut.is_set():
                return
            acknowledged.append(payload)

    threads = [threading.Thread(target=send, args=(client,)) for client in range(1, 5)]
    for thread in threads:
        thread.start()
    while len(acknowledged) < REQUESTS:
        threading.Event().wait(PAUSE)
    is_cut.set()
    disk.cut()
    for thread in threads:
        thread.join(DEADLINE)
    log.release()
    disk.unmount()
    disk.mount()
    found = Counter(payload for number in segment_numbers(requests) for _, payload in read_segment(requests, number))
    assert Counter(acknowledged) - found == Counter()


def test_a_request_that_is_set_aside_survives(disk: Disk) -> None:
    """Its file has its bytes when the segment is gone from the disk, and so has the segment that it is tried again as."""
    requests = disk.folder / "requests"
    requests.mkdir()
    SetAside(requests).keep(1, LOGS, b"a request")
    restart_on(disk, requests)
    (kept,) = requests.glob("*.refused")
    assert kept.read_bytes() == b"a request"
    assert take_in_refused(requests) == 1
    restart_on(disk, requests)
    (number,) = segment_numbers(requests)
    assert list(read_segment(requests, number)) == [(LOGS, b"a request")]


def restart_on(disk: Disk, folder: Path) -> None:
    """Fail the power after the names in a folder are on the disk, as after the deletion of a segment."""
    sync_folder(folder)
    disk.cut()
    disk.unmount()
    disk.mount()


def test_the_version_of_the_schema_survives(disk: Disk) -> None:
    """When the power fails as soon as a new server is ready, the next start makes no table again, also without `--sync`."""
    store = disk.folder / "store"
    with Server(store):
        disk.cut()
    disk.unmount()
    disk.mount()
    with closing(clickhouse_connect.get_client(dsn=f"chdb://{store}", database=DEFAULT_DATABASE)) as client:
        assert schema_version(client) == migrations()[-1].number
        assert client.query("SELECT table, name FROM system.detached_parts").result_rows == []
    with Server(store) as server:
        assert server.get("/healthz")["status"] == "ok"
