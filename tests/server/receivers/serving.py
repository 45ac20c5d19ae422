"""A whole server in a test: a store, its backend, OTLP over HTTP and over gRPC on free ports."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Self

import grpc  # type: ignore[import-untyped]
import httpx
import pytest
from google.rpc import error_details_pb2, status_pb2  # type: ignore[import-untyped]
from starlette.applications import Starlette

from otel_sessions.server.backend import Backend
from otel_sessions.server.backlog import DEFAULT_BACKLOG_BYTES
from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.clickhouse.store_settings import StoreSettings
from otel_sessions.server.otlp.encodings import DEFAULT_SIZE_LIMITS, SizeLimits
from otel_sessions.server.process.http_server import HttpServer, listen
from otel_sessions.server.receivers.bodies import DEFAULT_PACE, Pace
from otel_sessions.server.receivers.grpc import grpc_server
from otel_sessions.server.receivers.http import otlp_routes

PROTOBUF = "application/x-protobuf"
JSON = "application/json"
TRACE_EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
LOGS_EXPORT = "/opentelemetry.proto.collector.logs.v1.LogsService/Export"
METRICS_EXPORT = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export"
DEADLINE = 30.0


@contextmanager
def opened(
    engine: Path, database: str, requests: Path, *, backlog_bytes: int = DEFAULT_BACKLOG_BYTES
) -> Iterator[Backend]:
    """A backend on a running engine. Only one at a time; with the same names it continues from the last one."""
    store = Store(StoreSettings(f"chdb://{engine}", database=database, readers=1))
    backend = Backend(store, requests, backlog_bytes=backlog_bytes)
    try:
        yield backend
    finally:
        backend.close(DEADLINE)


class Server:
    """A backend over HTTP and gRPC; starts with `with` and ends with it."""

    def __init__(
        self,
        backend: Backend,
        *,
        api_key: str | None = None,
        limits: SizeLimits = DEFAULT_SIZE_LIMITS,
        ports: tuple[int, int] = (0, 0),
        pace: Pace = DEFAULT_PACE,
        **grpc_limits: Any,
    ) -> None:
        self.backend = backend
        self._listening = listen("127.0.0.1", ports[0])
        self.http_port: int = self._listening.getsockname()[1]
        self._http = HttpServer(Starlette(routes=otlp_routes(backend, limits=limits, pace=pace)), self._listening)
        self._grpc, self.grpc_port = grpc_server(
            backend, "127.0.0.1", ports[1], api_key=api_key, limits=limits, **grpc_limits
        )

    def __enter__(self) -> Self:
        self._http.start()
        self._grpc.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        finished = self._grpc.stop(DEADLINE)
        self._http.close()
        finished.wait(2 * DEADLINE)

    @property
    def url(self) -> str:
        """The URL of the HTTP server."""
        return f"http://127.0.0.1:{self.http_port}"

    @property
    def target(self) -> str:
        """The address of the gRPC server."""
        return f"127.0.0.1:{self.grpc_port}"

    def post(self, path: str, content: Any, content_type: str | None = PROTOBUF, **headers: str) -> httpx.Response:
        """Send a body over HTTP."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if content_type is not None:
            named["content-type"] = content_type
        return httpx.post(self.url + path, content=content, headers=named, timeout=DEADLINE)

    def call(self, body: bytes, method: str = TRACE_EXPORT, **options: Any) -> bytes:
        """Send a message over gRPC."""
        sizes = [("grpc.max_send_message_length", -1)]
        with closing(grpc.insecure_channel(self.target, options=sizes)) as channel:
            answer: bytes = channel.unary_unary(method)(body, timeout=DEADLINE, **options)
        return answer

    def refusal(self, body: bytes, method: str = TRACE_EXPORT, **options: Any) -> grpc.RpcError:
        """The error of a call over gRPC that must fail."""
        with pytest.raises(grpc.RpcError) as failed:
            self.call(body, method, **options)
        return failed.value

    def rows(self, table: str = "otel_traces", where: str = "1") -> list[dict[str, Any]]:
        """The stored rows once everything acknowledged is stored, in the order of their ids; times in nanoseconds."""
        self.backend.settle(DEADLINE)
        query = f"SELECT * FROM {table} WHERE {where} ORDER BY TraceId, SpanId"
        with self.backend.store.reading() as client:
            return list(client.query(query, query_formats={"DateTime64*": "int"}).named_results())

    def spans(self, trace_id: bytes | str) -> list[dict[str, Any]]:
        """The stored spans of a trace."""
        wanted = trace_id if isinstance(trace_id, str) else trace_id.hex()
        return self.rows(where=f"TraceId = '{wanted}'")

    def refused(self) -> set[tuple[str, str]]:
        """The signals and reasons of the requests that were refused so far."""
        return {
            (sample.labels["signal"], sample.labels["reason"])
            for metric in self.backend.telemetry.refused.collect()
            for sample in metric.samples
        }


def details(error: grpc.RpcError) -> dict[str, bytes]:
    """The binary trailing metadata of a call that failed."""
    trailing: Iterable[tuple[str, bytes]] = error.trailing_metadata() or ()
    return {name: value for name, value in trailing if name.endswith("-bin")}


def retry_milliseconds(error: grpc.RpcError) -> set[int]:
    """The delays for a retry: the one where OTLP has it, and the one where Python's exporter looks."""
    binary = details(error)
    delay, of_python = error_details_pb2.RetryInfo(), error_details_pb2.RetryInfo()
    status = status_pb2.Status.FromString(binary["grpc-status-details-bin"])
    assert status.details[0].Unpack(delay)
    of_python.ParseFromString(binary["google.rpc.retryinfo-bin"])
    return {delay.retry_delay.ToMilliseconds(), of_python.retry_delay.ToMilliseconds()}
