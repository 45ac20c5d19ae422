"""`python -m benchmarks.ingest`: the spans a second that a server takes, commits and counts, over HTTP and gRPC.

The server is a process of its own, as users start it; four connections send to it, each with one request in flight.
A client that the server asks to retry waits as long as the server says. The clock stops when everything that was
acknowledged is committed.
"""

from __future__ import annotations

import argparse
import http.client
import json
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from itertools import count, cycle, product
from pathlib import Path
from random import randrange
from statistics import median
from typing import Any, Final, NamedTuple, Protocol, Self

import grpc  # type: ignore[import-untyped]
from benchmarks.requests import Requests
from benchmarks.tables import Row, Table

CONNECTIONS: Final = 4
SORTS: Final = ("last_active", "cost", "tokens", "duration", "traces")
PAUSE: Final = 0.2
"""Seconds between one list and the next."""

_EXPORT: Final = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
_READY: Final = re.compile(r"otel-sessions ready http=http://([^:]+):(\d+) grpc=(\S+) store=")

Send = Callable[[bytes], bool]
"""Sends a request and returns True if it was acknowledged, False if it has to be sent again."""


class Server(NamedTuple):
    """A running server."""

    process: subprocess.Popen[str]
    host: str
    port: int
    grpc: str

    def get(self, path: str) -> Any:
        """The answer of the API, JSON or text."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=120)
        connection.request("GET", path)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return json.loads(content) if answer.headers.get_content_type() == "application/json" else content.decode()

    def memory(self) -> float:
        """Resident memory in MB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return int(re.findall(r"VmRSS:\s+(\d+)", status)[0]) / 1024

    def cpu(self) -> float:
        """Seconds of CPU so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / 100

    def settle(self) -> None:
        """Wait until all that was acknowledged is committed, as any read of spans does."""
        self.get("/v1/sessions/any/spans?limit=1")

    def stored(self, signal: str = "traces") -> int:
        """Records of a signal that are committed."""
        pattern = rf'^otel_sessions_stored_records_total{{signal="{signal}"}} (\S+)'
        found = re.search(pattern, self.get("/metrics"), re.MULTILINE)
        return int(float(found[1])) if found else 0


@contextmanager
def running(store: Path, *options: str) -> Iterator[Server]:
    """A server on the store in this folder, which it makes if it is missing."""
    command = [sys.executable, "-m", "otel_sessions", "serve", "--store", f"chdb://{store}"]
    process = subprocess.Popen(
        [*command, "--port", "0", "--grpc-port", "0", *options], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        found = _READY.match(process.stdout.readline())
        assert found is not None, "the server did not start"
        yield Server(process, found[1], int(found[2]), found[3])
    finally:
        process.terminate()
        process.wait()


def over_http(server: Server, signal: str = "traces") -> Send:
    """Return a function that sends requests of a signal on an HTTP connection of its own."""
    connection = http.client.HTTPConnection(server.host, server.port, timeout=120)
    headers = {"Content-Type": "application/x-protobuf"}

    def send(body: bytes) -> bool:
        connection.request("POST", f"/v1/{signal}", body, headers)
        answer = connection.getresponse()
        content = answer.read()
        if answer.status == 429:
            time.sleep(float(answer.headers["Retry-After"]))
            return False
        assert answer.status == 200, content
        return True

    return send


def over_grpc(server: Server) -> Send:
    """Return a function that sends on a gRPC channel of its own."""
    options = [("grpc.use_local_subchannel_pool", 1), ("grpc.max_send_message_length", -1)]
    call = grpc.insecure_channel(server.grpc, options=options).unary_unary(_EXPORT)

    def send(body: bytes) -> bool:
        try:
            call(body, timeout=120)
        except grpc.RpcError as error:
            if error.code() is not grpc.StatusCode.RESOURCE_EXHAUSTED:
                raise
            time.sleep(1)
            return False
        return True

    return send


class Made(Protocol):
    """Requests by number, each with the same number of records."""

    records: int

    def make(self, number: int) -> bytes:
        """The request with this number."""
        ...


class Load:
    """Requests from several connections, as fast as they are acknowledged or at a rate."""

    def __init__(self, requests: Made, numbers: Iterator[int], *, rate: float | None = None) -> None:
        """Send the requests with these numbers, at a rate in spans a second if one is given."""
        self._requests = requests
        self._numbers = numbers
        self._interval = None if rate is None else requests.records * CONNECTIONS / rate
        self._lock = threading.Lock()
        self._failures: list[BaseException] = []
        self.acknowledged = 0
        self.seconds: list[float] = []
        self._moments: list[float] = []

    def run(self, senders: list[Send], seconds: float) -> None:
        """Send for the given time."""
        end = time.monotonic() + seconds
        threads = [
            threading.Thread(target=self._guarded, args=(send, end, place)) for place, send in enumerate(senders)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if self._failures:
            raise self._failures[0]

    def rates(self) -> str:
        """Spans a second in the first and in the last million, if there are two."""
        million = 1_000_000 // self._requests.records
        if len(self._moments) < 2 * million:
            return ""
        first = self._moments[million - 1] - (self._moments[0] - self.seconds[0])
        last = self._moments[-1] - self._moments[-million]
        return f", the first million at {1e6 / first:,.0f}/s, the last at {1e6 / last:,.0f}/s"

    def _guarded(self, send: Send, end: float, place: int) -> None:
        try:
            self._send(send, end, place)
        except BaseException as error:
            self._failures.append(error)

    def _send(self, send: Send, end: float, place: int) -> None:
        due = time.monotonic() + (0 if self._interval is None else self._interval * place / CONNECTIONS)
        while True:
            if self._interval is not None:
                time.sleep(max(0.0, due - time.monotonic()))
                due += self._interval
            if time.monotonic() >= end:
                return
            with self._lock:
                number = next(self._numbers)
            body = self._requests.make(number)
            begin = time.monotonic()
            while not send(body):
                pass
            taken = time.monotonic() - begin
            with self._lock:
                self.seconds.append(taken)
                self._moments.append(begin + taken)
                self.acknowledged += self._requests.records


class Reader:
    """Reads lists of sessions, one after the other, each in another order, until it is stopped."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.seconds: list[float] = []

    def _run(self) -> None:
        for sort in cycle(SORTS):
            if self._stopping.wait(PAUSE):
                return
            begin = time.monotonic()
            self._server.get(f"/v1/sessions?limit=50&sort={sort}")
            self.seconds.append(time.monotonic() - begin)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()


class Options(NamedTuple):
    """The options of the command line.

    Attributes:
        seconds: how long each load lasts.
        rate: spans a second; by default as fast as they are acknowledged.
        lists: read lists of sessions meanwhile.
        store: a folder with a store, to which spans are added; by default each load has an empty one.
        sync: start the server with `--sync`.
    """

    seconds: float
    rate: float | None = None
    lists: bool = False
    store: Path | None = None
    sync: bool = False


def measure(options: Options, protocols: list[str], spans: list[int]) -> Table:
    """A row for each protocol and size of request."""
    rows = []
    notes = []
    # All folders go at the end: file systems take longer to make files where many were deleted lately.
    with tempfile.TemporaryDirectory(prefix="otel-sessions-benchmark-") as folder:
        for size, protocol in product(spans, protocols):
            requests = Requests(spans=size)
            store = options.store or Path(folder, f"{protocol}-{size}")
            figures, note = _load(options, store, {"http": over_http, "grpc": over_grpc}[protocol], requests)
            target = ">= 40,000" if size <= 512 else ">= 50,000"
            if options.rate is not None:
                target = "p99, list < 150 ms"
            rows.append(Row(f"{protocol}, {requests.records} spans a request", figures, target))
            notes.append(f"{protocol}, {requests.records}: {note}")
    paced = "" if options.rate is None else f", paced at {options.rate:,.0f} spans/s"
    paced += ", --sync" if options.sync else ""
    columns = (
        "committed/s",
        "acknowledged/s",
        "p50 ms",
        "p99 ms",
        "list p50 ms",
        "us CPU",
        "us client",
        "idle MB",
        "MB",
    )
    return Table(f"ingest, {CONNECTIONS} connections, {options.seconds:g} s each{paced}", columns, rows, tuple(notes))


def _load(
    options: Options, store: Path, connect: Callable[[Server], Send], requests: Requests
) -> tuple[tuple[str, ...], str]:
    """The figures of one load, and a note with its size."""
    with running(store, *(["--sync"] if options.sync else [])) as server:
        idle = server.memory()
        load = Load(requests, count(randrange(1 << 31)), rate=options.rate)
        reader = Reader(server)
        begin, cpu, ours = time.monotonic(), server.cpu(), time.process_time()
        with reader if options.lists else nullcontext():
            load.run([connect(server) for _ in range(CONNECTIONS)], options.seconds)
        accepted = time.monotonic() - begin
        ours = time.process_time() - ours
        server.settle()
        taken = time.monotonic() - begin
        stored = server.stored()
        assert stored == load.acknowledged, f"{stored} spans are stored, {load.acknowledged} were acknowledged"
        ordered = sorted(load.seconds)
        figures = (
            f"{stored / taken:,.0f}",
            f"{stored / accepted:,.0f}",
            f"{median(ordered) * 1000:.0f}",
            f"{ordered[int(len(ordered) * 0.99)] * 1000:.0f}",
            f"{median(reader.seconds) * 1000:.0f}" if reader.seconds else "-",
            f"{(server.cpu() - cpu) / stored * 1e6:.1f}",
            f"{ours / stored * 1e6:.1f}",
            f"{idle:.0f}",
            f"{server.memory():.0f}",
        )
        return figures, f"{stored:,} spans of {requests.bytes_a_span:.0f} bytes{load.rates()}"


def main() -> None:
    """Measure with the options of the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ingest", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--protocol", choices=["http", "grpc"], action="append")
    parser.add_argument("--spans", type=int, action="append", help="spans a request, a multiple of 512")
    parser.add_argument("--rate", type=float, help="spans a second; by default as fast as they are acknowledged")
    parser.add_argument("--lists", action="store_true", help="read lists of sessions meanwhile")
    parser.add_argument(
        "--store", type=Path, help="the folder of a store to add to; by default each load has an empty one"
    )
    parser.add_argument("--sync", action="store_true", help="start the server with --sync")
    parsed = parser.parse_args()
    options = Options(parsed.seconds, parsed.rate, parsed.lists, parsed.store, parsed.sync)
    print(measure(options, parsed.protocol or ["http", "grpc"], parsed.spans or [512, 8192]))


if __name__ == "__main__":
    main()
