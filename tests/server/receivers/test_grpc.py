"""OTLP over gRPC: requests, responses, limits and the API key."""

from __future__ import annotations

import errno
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc  # type: ignore[import-untyped]
import pytest
from google.rpc import status_pb2  # type: ignore[import-untyped]
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest, ExportLogsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from tests.server.otlp.building import traces
from tests.server.receivers.serving import (
    LOGS_EXPORT,
    METRICS_EXPORT,
    TRACE_EXPORT,
    Server,
    details,
    retry_milliseconds,
)

from otel_sessions.server.backend import Backend
from otel_sessions.server.otlp.encodings import SizeLimits
from otel_sessions.server.otlp.partial_success import Rejected
from otel_sessions.server.receivers.grpc import LARGE_CALLS, grpc_server
from otel_sessions.server.receivers.large_requests import LARGE_REQUEST

METHODS = [TRACE_EXPORT, LOGS_EXPORT, METRICS_EXPORT]
COMPRESSIONS = [grpc.Compression.NoCompression, grpc.Compression.Gzip, grpc.Compression.Deflate]


def request_of(trace_id: bytes) -> bytes:
    """A request of one span."""
    body: bytes = traces({"trace_id": trace_id}).SerializeToString()
    return body


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_spans_are_taken(shared: Server, compression: Any) -> None:
    """Spans are taken with each compression that the library has, with an empty response."""
    trace_id = bytes([compression.value]) * 15 + b"g"
    assert shared.call(request_of(trace_id), compression=compression) == b""
    assert len(shared.spans(trace_id)) == 1


def test_log_records_are_taken(shared: Server) -> None:
    """Log records are taken by a service of their own."""
    request = ExportLogsServiceRequest()
    request.resource_logs.add().scope_logs.add().log_records.add(trace_id=b"l" * 16)
    answer = ExportLogsServiceResponse.FromString(shared.call(request.SerializeToString(), LOGS_EXPORT))
    assert answer == ExportLogsServiceResponse()
    assert len(shared.rows("otel_logs", f"TraceId = '{(b'l' * 16).hex()}'")) == 1


def test_metrics_are_not_kept(shared: Server) -> None:
    """Metrics get an empty response and are not kept."""
    assert shared.call(b"whatever", METRICS_EXPORT) == b""


def test_spans_that_are_left_out_are_counted(shared: Server) -> None:
    """The response tells how many spans were left out."""
    body = traces({"trace_id": b"p" * 16}, {"trace_id": bytes(16)}).SerializeToString()
    assert ExportTraceServiceResponse.FromString(shared.call(body)).partial_success.rejected_spans == 1


def test_broken_messages_are_refused(shared: Server) -> None:
    """A broken message is refused with a status that its details repeat, without a delay for a retry."""
    error = shared.refusal(b"\x07")
    assert error.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert "not a valid protobuf message" in error.details()
    binary = details(error)
    assert set(binary) == {"grpc-status-details-bin"}
    status = status_pb2.Status.FromString(binary["grpc-status-details-bin"])
    assert (status.code, status.message) == (3, error.details())


def test_other_methods_are_not_there(shared: Server) -> None:
    """A service that the server does not have is unimplemented, so that clients do not send again."""
    method = "/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export"
    assert shared.refusal(b"", method).code() == grpc.StatusCode.UNIMPLEMENTED


@pytest.fixture
def keyed(backend: Backend) -> Iterator[Server]:
    """A server with an API key and low limits."""
    with Server(backend, api_key="secret", limits=SizeLimits(1000, 2000)) as server:
        yield server


@pytest.mark.parametrize("method", METHODS)
def test_without_the_key_nothing_is_taken(keyed: Server, method: str) -> None:
    """A call without the key is UNAUTHENTICATED, even if its message is too large, since it is not received."""
    for metadata in (None, [("authorization", "Bearer wrong")], [("authorization", "")]):
        for body in (b"", bytes(3000)):
            error = keyed.refusal(body, method, metadata=metadata)
            assert error.code() == grpc.StatusCode.UNAUTHENTICATED
            assert "authorization" in error.details()
    for header in ("Bearer secret", "secret"):
        assert keyed.call(b"", method, metadata=[("authorization", header)]) == b""


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_large_messages_are_refused(keyed: Server, method: str, compression: Any) -> None:
    """A message over the limit after decompression is RESOURCE_EXHAUSTED, without a delay for a retry."""
    error = keyed.refusal(bytes(2001), method, compression=compression, metadata=[("authorization", "secret")])
    assert error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "larger than max" in error.details()
    assert details(error) == {}


def test_large_requests_leave_threads_for_others(shared: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Large requests are decoded one after the other, few may wait, and small ones are taken meanwhile."""
    receive, working, go_on = shared.backend.receive, threading.Semaphore(0), threading.Event()
    at_once: list[int] = []
    most = 0

    def slow(signal: str, body: bytes) -> Rejected:
        nonlocal most
        if len(body) > LARGE_REQUEST:
            at_once.append(1)
            most = max(most, len(at_once))
            working.release()
            go_on.wait(30)
            at_once.pop()
        return receive(signal, body)

    monkeypatch.setattr(shared.backend, "receive", slow)
    large = traces({"trace_id": b"w" * 16, "attributes": {"x": "x" * LARGE_REQUEST}}).SerializeToString()
    with ThreadPoolExecutor(LARGE_CALLS + 1) as clients:
        calls = [clients.submit(shared.call, large) for _ in range(LARGE_CALLS + 1)]
        assert working.acquire(timeout=30)
        refused = next(iter(_failed(calls)))
        assert refused.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
        assert retry_milliseconds(refused) == {1000}
        assert shared.call(request_of(b"s" * 16)) == b""
        go_on.set()
        assert sorted(call.exception() is None for call in calls) == [False, *[True] * LARGE_CALLS]
    assert most == 1
    assert ("traces", "Busy") in shared.refused()


def _failed(calls: list[Any]) -> Iterator[Any]:
    from concurrent.futures import as_completed

    for call in as_completed(calls):
        error = call.exception()
        if error is not None:
            yield error


def test_a_port_in_use(shared: Server) -> None:
    """A port in use raises an error that names it and the next step."""
    with pytest.raises(OSError, match=rf"127\.0\.0\.1:{shared.grpc_port}.*in use.*--grpc-port") as failed:
        grpc_server(shared.backend, "127.0.0.1", shared.grpc_port)
    assert failed.value.errno == errno.EADDRINUSE


def test_a_host_of_another_machine(shared: Server) -> None:
    """A host of another machine raises an error that tells so."""
    with pytest.raises(OSError, match=r"192\.0\.2\.1:0: Cannot assign"):
        grpc_server(shared.backend, "192.0.2.1", 0)


def test_a_port_that_is_taken_at_the_last_moment(shared: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A port that is taken between the check and the binding raises the same error."""
    free = socket.getaddrinfo("127.0.0.1", 0, type=socket.SOCK_STREAM)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: free)
    with pytest.raises(OSError, match=f"127.0.0.1:{shared.grpc_port}.*--grpc-port"):
        grpc_server(shared.backend, "127.0.0.1", shared.grpc_port)


@pytest.mark.skipif(not socket.has_ipv6, reason="there is no IPv6 here")
def test_ipv6(shared: Server) -> None:
    """An IPv6 address is given without brackets."""
    try:
        server, port = grpc_server(shared.backend, "::1", 0)
    except OSError as error:
        pytest.skip(str(error))
    server.start()
    try:
        with grpc.insecure_channel(f"[::1]:{port}") as channel:
            assert channel.unary_unary(METRICS_EXPORT)(b"", timeout=10) == b""
    finally:
        server.stop(None).wait(30)
