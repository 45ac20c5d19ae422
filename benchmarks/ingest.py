"""How many spans a second a server takes, commits and counts, over HTTP and gRPC: `python -m benchmarks.ingest`.

The server is a process of its own, as users start it; four connections send to it, each with one request in flight.
Requests that are told to come again wait as they are asked to. The clock stops when everything that was acknowledged
is committed and a list of sessions has been answered.
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
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from statistics import median
from typing import Any, Final, NamedTuple

import grpc  # type: ignore[import-untyped]
from benchmarks.requests import Requests
from benchmarks.tables import Row, Table

CONNECTIONS: Final = 4
_EXPORT: Final = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
_READY: Final = re.compile(r"otel-sessions ready http=http://([^:]+):(\d+) grpc=(\S+) store=")

Send = Callable[[bytes], bool]
"""Sends a request; whether it was acknowledged. One that is to come again later is not."""


class Server(NamedTuple):
    """A running server."""

    process: subprocess.Popen[str]
    host: str
    port: int
    grpc: str
    folder: Path

    def get(self, path: str) -> Any:
        """What the API answers."""
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

    def stored(self) -> int:
        """Spans that are committed."""
        found = re.search(
            r'^otel_sessions_stored_records_total\{signal="traces"\} (\S+)', self.get("/metrics"), re.MULTILINE
        )
        return int(float(found[1])) if found else 0


@contextmanager
def running(*options: str) -> Iterator[Server]:
    """A server on an empty store."""
    with tempfile.TemporaryDirectory(prefix="otel-sessions-benchmark-") as folder:
        command = [sys.executable, "-m", "otel_sessions", "serve", "--store", f"chdb://{folder}/store"]
        process = subprocess.Popen(
            [*command, "--port", "0", "--grpc-port", "0", *options], stdout=subprocess.PIPE, text=True
        )
        try:
            assert process.stdout is not None
            found = _READY.match(process.stdout.readline())
            assert found is not None, "the server did not start"
            yield Server(process, found[1], int(found[2]), found[3], Path(folder))
        finally:
            process.terminate()
            process.wait()


def over_http(server: Server) -> Send:
    """Sends on an HTTP connection of its own."""
    connection = http.client.HTTPConnection(server.host, server.port, timeout=120)
    headers = {"Content-Type": "application/x-protobuf"}

    def send(body: bytes) -> bool:
        connection.request("POST", "/v1/traces", body, headers)
        answer = connection.getresponse()
        content = answer.read()
        if answer.status == 429:
            time.sleep(float(answer.headers["Retry-After"]))
            return False
        assert answer.status == 200, content
        return True

    return send


def over_grpc(server: Server) -> Send:
    """Sends on a gRPC channel of its own."""
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


class Load:
    """Requests from several connections, as fast as they are acknowledged or at a rate."""

    def __init__(self, requests: Requests, numbers: Iterator[int], *, rate: float | None = None) -> None:
        """`numbers` says which requests are still to be sent; `rate` is in spans a second."""
        self._requests = requests
        self._numbers = numbers
        self._interval = None if rate is None else requests.spans * CONNECTIONS / rate
        self._lock = threading.Lock()
        self._failures: list[BaseException] = []
        self.acknowledged = 0
        self.seconds: list[float] = []

    def run(self, senders: list[Send], seconds: float) -> None:
        """Send for so long."""
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
                self.acknowledged += self._requests.spans


def measure(*, seconds: float, protocols: list[str], spans: list[int], rate: float | None = None) -> Table:
    """A row for each protocol and size of request, each on an empty store."""
    rows = []
    notes = []
    for size in spans:
        requests = Requests(spans=size)
        for protocol in protocols:
            with running() as server:
                idle = server.memory()
                connect = {"http": over_http, "grpc": over_grpc}[protocol]
                load = Load(requests, count(), rate=rate)
                begin, cpu, ours = time.monotonic(), server.cpu(), time.process_time()
                load.run([connect(server) for _ in range(CONNECTIONS)], seconds)
                accepted = time.monotonic() - begin
                ours = time.process_time() - ours
                server.get("/v1/sessions?limit=1")
                taken = time.monotonic() - begin
                stored = server.stored()
                assert stored == load.acknowledged, f"{stored} spans are stored, {load.acknowledged} were acknowledged"
                ordered = sorted(load.seconds)
                figures = (
                    f"{stored / taken:,.0f}",
                    f"{stored / accepted:,.0f}",
                    f"{median(ordered) * 1000:.0f}",
                    f"{ordered[int(len(ordered) * 0.99)] * 1000:.0f}",
                    f"{(server.cpu() - cpu) / stored * 1e6:.1f}",
                    f"{ours / stored * 1e6:.1f}",
                    f"{idle:.0f}",
                    f"{server.memory():.0f}",
                )
                target = ">= 40,000" if size <= 512 else ">= 50,000"
                if rate is not None:
                    target = "p99 < 150 ms"
                rows.append(Row(f"{protocol}, {requests.spans} spans a request", figures, target))
                notes.append(f"{protocol}, {requests.spans}: {stored:,} spans of {requests.bytes_a_span:.0f} bytes")
    paced = "" if rate is None else f", paced at {rate:,.0f} spans/s"
    columns = ("committed/s", "acknowledged/s", "p50 ms", "p99 ms", "us CPU", "us client", "idle MB", "MB")
    return Table(f"ingest, {CONNECTIONS} connections, {seconds:g} s each{paced}", columns, rows, tuple(notes))


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ingest", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--protocol", choices=["http", "grpc"], action="append")
    parser.add_argument("--spans", type=int, action="append", help="spans a request, a multiple of 512")
    parser.add_argument("--rate", type=float, help="spans a second; by default as fast as they are acknowledged")
    asked = parser.parse_args()
    print(
        measure(
            seconds=asked.seconds,
            protocols=asked.protocol or ["http", "grpc"],
            spans=asked.spans or [512, 8192],
            rate=asked.rate,
        )
    )


if __name__ == "__main__":
    main()
