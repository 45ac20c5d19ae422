"""`python -m benchmarks.doors`: what clients without the API key cost a server, and the others who use it meanwhile.

For each kind of client, ten of them connect from a process of their own. Meanwhile one client with the key sends a request
and reads, over HTTP and gRPC, and its times are compared with those before. With `--open` the server has no key, so that all
of them are let in.
"""

from __future__ import annotations

import argparse
import http.client
import itertools
import multiprocessing
import selectors
import socket
import struct
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from statistics import median, quantiles
from typing import Final, NamedTuple

import grpc  # type: ignore[import-untyped]
from benchmarks.ingest import Server, running
from benchmarks.tables import Row, Table
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

CLIENTS: Final = 10
KEY: Final = "k" * 20
PAUSE: Final = 0.02
"""Seconds between one request of the others and the next."""

_EXPORT: Final = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
_MIB: Final = b"x" * (1 << 20)
_HOST: Final = b"Host: a\r\n"
_POST: Final = b"POST /v1/traces HTTP/1.1\r\n" + _HOST + b"Content-Type: application/x-protobuf\r\n"


class Stream(NamedTuple):
    """What one client sends: a beginning, and then the same again and again.

    Attributes:
        begin: bytes.
        again: more bytes; none end the sending, and the connection stays open.
        pause: seconds before each time.
    """

    begin: bytes
    again: bytes = b""
    pause: float = 0.0


def _frame(kind: int, flags: int, stream: int, body: bytes) -> bytes:
    """A frame of HTTP/2."""
    return struct.pack(">I", len(body))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + body


def _literal(name: bytes, value: bytes) -> bytes:
    """A header of HTTP/2, not compressed; both have fewer than 127 bytes."""
    return b"\0" + bytes([len(name)]) + name + bytes([len(value)]) + value


_PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + _frame(4, 0, 0, b"")
_CALL_HEADERS: Final = b"".join(
    _literal(name, value)
    for name, value in (
        (b":method", b"POST"),
        (b":scheme", b"http"),
        (b":path", _EXPORT.encode()),
        (b":authority", b"a"),
        (b"te", b"trailers"),
        (b"content-type", b"application/grpc"),
    )
)
_CALL: Final = _PREFACE + _frame(1, 4, 1, _CALL_HEADERS)
_PART: Final = _frame(0, 0, 1, b"\0" + struct.pack(">I", 60 << 20) + b"x" * 16_000)

HTTP: Final = {
    "silent connections": Stream(b""),
    "a header a byte at a time": Stream(b"GET /healthz HTTP/1.1\r\n" + _HOST + b"X-", b"a", 0.5),
    "headers without end": Stream(b"GET /healthz HTTP/1.1\r\n" + _HOST, b"X: " + b"a" * 8000 + b"\r\n"),
    "one header without end": Stream(b"GET /healthz HTTP/1.1\r\n" + _HOST + b"X: ", _MIB),
    "pipelined requests, unread": Stream(b"", (b"GET /v1/keys HTTP/1.1\r\n" + _HOST + b"\r\n") * 4000),
    "32 MiB declared, a byte at a time": Stream(_POST + b"Content-Length: 33554432\r\n\r\n", b"\0", 0.5),
    "bodies as fast as they are read": Stream(_POST + b"Content-Length: 33554432\r\n\r\n", _MIB),
    "chunks of one byte": Stream(_POST + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n\0\r\n" * 20_000),
    "trailers without end": Stream(
        _POST + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n", b"X: " + b"a" * 8000 + b"\r\n"
    ),
}
GRPC: Final = {
    "silent connections": Stream(b""),
    "calls without a message": Stream(_CALL),
    "a part of a message": Stream(_CALL + _PART),
    "a message a byte at a time": Stream(_CALL + _PART, _frame(0, 0, 1, b"x"), 0.5),
    "headers without end": Stream(
        _PREFACE + _frame(1, 0, 1, _CALL_HEADERS), _frame(9, 0, 1, _literal(b"x-a", b"y" * 120) * 100)
    ),
    "pings": Stream(_PREFACE, _frame(6, 0, 0, b"p" * 8) * 1000),
    "settings": Stream(_PREFACE, _frame(4, 0, 0, b"") * 1000),
}


def attack(address: tuple[str, int], stream: Stream, clients: int) -> None:
    """Send a stream from several connections, and read nothing; connect again when a connection is closed."""
    ready = selectors.DefaultSelector()

    def connect() -> None:
        connection = socket.create_connection(address)
        with suppress(OSError):
            connection.sendall(stream.begin)
        connection.settimeout(0)
        # One that only waits sees by this whether its connection is closed.
        ready.register(connection, selectors.EVENT_WRITE if stream.again else selectors.EVENT_READ)

    for _ in range(clients):
        connect()
    while True:
        for key, _ in ready.select(timeout=0.5):
            connection = key.fileobj
            assert isinstance(connection, socket.socket)
            try:
                if stream.again:
                    connection.send(stream.again)
                elif not connection.recv(1, socket.MSG_PEEK):
                    raise ConnectionResetError
            except BlockingIOError:
                pass
            except OSError:
                ready.unregister(connection)
                connection.close()
                time.sleep(0.01)
                connect()
        time.sleep(max(stream.pause, 0.001))


@contextmanager
def attacked(address: tuple[str, int], stream: Stream, clients: int) -> Iterator[None]:
    """Let clients send from a process of their own."""
    process = multiprocessing.get_context("spawn").Process(target=attack, args=(address, stream, clients), daemon=True)
    process.start()
    try:
        yield
    finally:
        process.kill()
        process.join()


def _request(number: int) -> bytes:
    """A request of one span."""
    request = ExportTraceServiceRequest()
    now = time.time_ns()
    request.resource_spans.add().scope_spans.add().spans.add(
        trace_id=number.to_bytes(16), span_id=number.to_bytes(8), start_time_unix_nano=now, end_time_unix_nano=now
    )
    body: bytes = request.SerializeToString()
    return body


class Others:
    """A client with the key: it sends a request over HTTP, one over gRPC, and reads, in turns."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._headers = {"Authorization": f"Bearer {KEY}"}
        self._bodies = map(_request, itertools.count(1))
        self._call = grpc.insecure_channel(server.grpc).unary_unary(_EXPORT)
        self.failures = 0

    def seconds(self, duration: float) -> list[float]:
        """The seconds that each request took, for as long as this."""
        end = time.monotonic() + duration
        taken: list[float] = []
        for request in itertools.cycle((self._post, self._export, self._get)):
            begin = time.monotonic()
            if begin >= end:
                return taken
            try:
                request()
            except (OSError, grpc.RpcError, http.client.HTTPException):
                self.failures += 1
            taken.append(time.monotonic() - begin)
            time.sleep(PAUSE)
        return taken

    def _post(self) -> None:
        self._request(
            "POST", "/v1/traces", next(self._bodies), {**self._headers, "Content-Type": "application/x-protobuf"}
        )

    def _get(self) -> None:
        self._request("GET", "/healthz", None, self._headers)

    def _export(self) -> None:
        self._call(next(self._bodies), timeout=30, metadata=[("authorization", KEY)])

    def _request(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> None:
        connection = http.client.HTTPConnection(self._server.host, self._server.port, timeout=30)
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        answer.read()
        connection.close()
        if answer.status != 200:
            raise ConnectionError(answer.status)


@contextmanager
def peak_memory(server: Server) -> Iterator[Callable[[], float]]:
    """Look at the memory of a server all the time; the function returns the most so far, in MB."""
    most = server.memory()
    stopping = threading.Event()

    def look() -> None:
        nonlocal most
        while not stopping.wait(0.05):
            most = max(most, server.memory())

    looking = threading.Thread(target=look)
    looking.start()
    try:
        yield lambda: most
    finally:
        stopping.set()
        looking.join()


def measure(*, seconds: float, clients: int, is_open: bool, only: str = "") -> Table:
    """A row for each kind of client."""
    rows = []
    with (
        tempfile.TemporaryDirectory(prefix="otel-sessions-benchmark-") as folder,
        running(Path(folder, "store"), *([] if is_open else ["--api-key", KEY])) as server,
    ):
        others = Others(server)
        others.seconds(1 + seconds)
        doors = {"http": (server.host, server.port), "grpc": (server.grpc.rpartition(":")[0], _port(server.grpc))}
        for door, kinds in (("http", HTTP), ("grpc", GRPC)):
            for name, stream in kinds.items():
                if only not in f"{door}, {name}":
                    continue
                before = others.seconds(seconds)
                memory, failures = server.memory(), others.failures
                with peak_memory(server) as peak, attacked(doors[door], stream, clients):
                    time.sleep(0.5)
                    during = others.seconds(seconds)
                figures = (
                    f"{peak() - memory:.0f}",
                    f"{median(before) * 1000:.0f}",
                    f"{median(during) * 1000:.0f}",
                    f"{_p95(during) * 1000:.0f}",
                    f"{others.failures - failures}",
                )
                rows.append(Row(f"{door}, {name}", figures, "< 50 MB, < 20 ms more"))
    columns = ("MB more", "p50 ms before", "p50 ms", "p95 ms", "failed")
    key = "a server without an API key" if is_open else "without the API key"
    return Table(f"{clients} clients of a kind, {key}, and others meanwhile", columns, rows)


def _port(address: str) -> int:
    return int(address.rpartition(":")[2])


def _p95(seconds: list[float]) -> float:
    return quantiles(seconds, n=20)[-1] if len(seconds) > 1 else max(seconds)


def main() -> None:
    """Measure with the options of the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.doors", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=5, help="how long each kind is there")
    parser.add_argument("--clients", type=int, default=CLIENTS)
    parser.add_argument("--open", action="store_true", help="the server has no API key")
    parser.add_argument("--only", default="", help="kinds whose name has this text")
    parser.add_argument("--quick", action="store_true", help="a moment only: shows that it runs, not what it costs")
    parsed = parser.parse_args()
    seconds = 0.1 if parsed.quick else parsed.seconds
    print(measure(seconds=seconds, clients=parsed.clients, is_open=parsed.open, only=parsed.only))


if __name__ == "__main__":
    main()
