"""OTLP over gRPC."""

from __future__ import annotations

import errno
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import grpc  # type: ignore[import-untyped]
from google.rpc import status_pb2  # type: ignore[import-untyped]

from otel_sessions.server.api_key import WRONG_KEY, allows
from otel_sessions.server.backend import Backend
from otel_sessions.server.connections import DEFAULT_CONNECTIONS
from otel_sessions.server.otlp.encodings import DEFAULT_SIZE_LIMITS, SizeLimits
from otel_sessions.server.otlp.errors import RequestError, UnauthenticatedError
from otel_sessions.server.otlp.metrics_services import BEGINNING, service_of_metrics
from otel_sessions.server.otlp.partial_success import Rejected
from otel_sessions.server.otlp.responses import error_response, logs_response, traces_response
from otel_sessions.server.receivers.large_requests import LARGE_REQUEST, too_many_large_requests
from otel_sessions.server.receivers.waiting_calls import (
    DEFAULT_MESSAGE_LIMITS,
    MessageLimits,
    SlowCallError,
    WaitingCalls,
)
from otel_sessions.server.signals import LOGS, METRICS, TRACES

DECODING_CALLS: Final = 8
"""Small requests that are decoded at the same time."""

LARGE_CALLS: Final = 4
"""Large requests that are held at the same time. One of them is decoded; the others wait for it."""

THREADS: Final = 256
"""A call has a thread from its first byte on. A thread that waits for a message takes some KB."""

MOST_CALLS: Final = 512
"""Calls at the same time; more are refused by grpcio, without a delay for a retry."""

_OPTIONS: Final = (
    # Otherwise two servers could bind one port, and each would get some of the requests.
    ("grpc.so_reuseport", 0),
    # A client that vanished holds a thread until a keepalive ping fails.
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    # From the connection to the client's HTTP/2 preface.
    ("grpc.server_handshake_timeout_ms", 10_000),
    # Without a call; a client that has another one connects again by itself.
    ("grpc.max_connection_idle_ms", 75_000),
    ("grpc.max_concurrent_streams", 100),
    # What is read at once. Without this bound one connection with a flood of headers took up to 500 MB, with it about 30.
    ("grpc.experimental.tcp_max_read_buffer_size", 1 << 20),
    # The same as over HTTP; below the first of them no call is refused, between them some are.
    ("grpc.max_metadata_size", 16 << 10),
    ("grpc.absolute_max_metadata_size", 32 << 10),
)

_SERVICE: Final = "opentelemetry.proto.collector.{0}.v1.{1}Service"
_CODES: Final = {code.value[0]: code for code in grpc.StatusCode}


def grpc_server(
    backend: Backend,
    host: str,
    port: int,
    *,
    api_key: str | None = None,
    limits: SizeLimits = DEFAULT_SIZE_LIMITS,
    connections: int = DEFAULT_CONNECTIONS,
    message_limits: MessageLimits = DEFAULT_MESSAGE_LIMITS,
) -> tuple[grpc.Server, int]:
    """A server for traces and logs, and its port. The port is bound; the server takes requests once it is started.

    Metrics are taken and not kept, as over HTTP. Only the limit for decompressed bytes applies; grpcio decompresses no
    further.

    Args:
        backend: takes the requests; close it after the server has stopped.
        host: a name or an address, IPv6 without brackets.
        port: 0 for any free one.
        api_key: the key that the `authorization` metadata must hold; `None` if calls need none.
        limits: bytes of one request.
        connections: at the same time; more are closed by grpcio.
        message_limits: how long a call may take to send its message.

    Raises:
        OSError: the port cannot be bound; the message says why and what to do.
    """
    _try_to_bind(host, port)
    exports = _Exports(backend, message_limits)
    handlers = (
        ("trace", "Trace", exports.handler(TRACES, lambda body: traces_response(exports.take(TRACES, body)))),
        ("logs", "Logs", exports.handler(LOGS, lambda body: logs_response(exports.take(LOGS, body)))),
        ("metrics", "Metrics", exports.handler(METRICS, exports.count_metrics)),
    )
    server = grpc.server(
        ThreadPoolExecutor(THREADS, thread_name_prefix="otel-sessions-grpc"),
        handlers=[
            grpc.method_handlers_generic_handler(
                _SERVICE.format(package, service), {"Export": grpc.stream_unary_rpc_method_handler(handle)}
            )
            for package, service, handle in handlers
        ],
        interceptors=[_ApiKeyGuard(api_key)],
        options=[
            ("grpc.max_receive_message_length", limits.decompressed),
            ("grpc.max_allowed_incoming_connections", connections),
            *_OPTIONS,
        ],
        maximum_concurrent_rpcs=MOST_CALLS,
    )
    try:
        return server, server.add_insecure_port(_address(host, port))
    except RuntimeError as error:
        raise _bind_error(host, port, OSError(errno.EADDRINUSE, str(error))) from None


class _Exports:
    """The `Export` methods, and the bounds that they share.

    A method is one of a stream of messages, so that it is called before the message has come: `WaitingCalls` waits for it.
    """

    def __init__(self, backend: Backend, message_limits: MessageLimits) -> None:
        self._backend = backend
        self._waiting = WaitingCalls(message_limits)
        self._decoding = threading.BoundedSemaphore(DECODING_CALLS)
        self._large_calls = threading.BoundedSemaphore(LARGE_CALLS)
        self._decoding_large = threading.Lock()

    def handler(self, signal: str, answer: Callable[[bytes], bytes]) -> Callable[[Iterator[bytes], Any], Any]:
        """The `Export` method of a signal, which answers each message."""

        def count_late() -> None:
            self._backend.count_refused(signal, SlowCallError())

        def export(messages: Iterator[bytes], context: Any) -> Any:
            try:
                return answer(self._message(signal, messages, context, count_late))
            except RequestError as error:
                return _abort(context, error)

        return export

    def _message(self, signal: str, messages: Iterator[bytes], context: Any, on_late: Callable[[], object]) -> bytes:
        try:
            return self._waiting.message(messages, context, on_late=on_late)
        except RequestError as error:
            self._backend.count_refused(signal, error)
            raise

    def count_metrics(self, body: bytes) -> bytes:
        """Count a request with metrics for the service that sends it; the answer is empty."""
        self._backend.telemetry.count_metrics(service_of_metrics(body[:BEGINNING]))
        return b""

    def take(self, signal: str, body: bytes) -> Rejected:
        """Hand a request to the backend, within the bounds."""
        if len(body) <= LARGE_REQUEST:
            with self._decoding:
                return self._backend.receive(signal, body)
        if not self._large_calls.acquire(blocking=False):
            error = too_many_large_requests()
            self._backend.count_refused(signal, error)
            raise error
        try:
            with self._decoding_large:
                return self._backend.receive(signal, body)
        finally:
            self._large_calls.release()


class _ApiKeyGuard(grpc.ServerInterceptor):  # type: ignore[misc]
    """Refuses calls without the API key, before their message is received."""

    def __init__(self, api_key: str | None) -> None:
        self._api_key = api_key
        # A handler of this kind is called before the message is read.
        self._refusal = grpc.stream_unary_rpc_method_handler(_refuse)

    def intercept_service(self, continuation: Callable[[Any], Any], details: Any) -> Any:
        """Called by grpcio."""
        header = dict(details.invocation_metadata).get("authorization")
        return continuation(details) if allows(self._api_key, header) else self._refusal


def _refuse(_messages: object, context: Any) -> None:
    _abort(context, UnauthenticatedError(WRONG_KEY))


def _abort(context: Any, error: RequestError) -> Any:
    """End a call with an error, by raising the exception that grpcio expects.

    The details go where OTLP has them, and the delay for a retry also where Python's exporter looks for it.
    """
    details = error_response(error)
    metadata = [("grpc-status-details-bin", details)]
    if error.retry_after is not None:
        metadata.append(("google.rpc.retryinfo-bin", status_pb2.Status.FromString(details).details[0].value))
    context.set_trailing_metadata(metadata)
    return context.abort(_CODES[error.grpc_status], str(error))


def _try_to_bind(host: str, port: int) -> None:
    """Raise the reason why a port cannot be bound, which grpcio does not tell."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise _bind_error(host, port, error) from None


def _bind_error(host: str, port: int, error: OSError) -> OSError:
    step = "choose another port with --grpc-port (OTEL_SESSIONS_GRPC_PORT), or end the process that holds this one"
    return OSError(error.errno, f"cannot take OTLP over gRPC on {_address(host, port)}: {error.strerror}; {step}")


def _address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
