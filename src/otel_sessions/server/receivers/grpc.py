"""OTLP over gRPC."""

from __future__ import annotations

import errno
import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import grpc  # type: ignore[import-untyped]
from google.rpc import error_details_pb2, status_pb2  # type: ignore[import-untyped]

from otel_sessions.server.api_key import allows
from otel_sessions.server.backend import Backend
from otel_sessions.server.otlp.encodings import DEFAULT_SIZE_LIMITS, SizeLimits
from otel_sessions.server.otlp.errors import BusyError, RequestError, UnauthenticatedError
from otel_sessions.server.otlp.partial_success import Rejected
from otel_sessions.server.otlp.responses import error_response, logs_response, traces_response
from otel_sessions.server.signals import LOGS, TRACES

LARGE: Final = 4 << 20
"""A request of more bytes is a large one."""

WORKERS: Final = 8
LARGE_AT_ONCE: Final = 4
"""Of the threads, so many may be busy with a large request: one decodes it, the others wait for that one."""

MOST_CALLS: Final = 512
"""Calls at the same time; more are refused by grpcio, without a delay for a retry."""

_SERVICE: Final = "opentelemetry.proto.collector.{0}.v1.{1}Service"
_RETRY_SECONDS: Final = 1.0
_CODES: Final = {code.value[0]: code for code in grpc.StatusCode}


def grpc_server(
    backend: Backend,
    host: str,
    port: int,
    *,
    api_key: str | None = None,
    limits: SizeLimits = DEFAULT_SIZE_LIMITS,
) -> tuple[grpc.Server, int]:
    """A server for traces and logs, and its port; it has the port and takes requests once it is started.

    Metrics are taken and not kept, as over HTTP. Of the limits the one for decompressed bytes holds; grpcio
    decompresses no further.

    Args:
        backend: what takes the requests; close it after the server has stopped.
        host: a name or an address, IPv6 without brackets.
        port: 0 for any that is free.
        api_key: what the `authorization` metadata has to say, `None` if it need not.
        limits: bytes of one request.

    Raises:
        OSError: the port cannot be had; its text says why and what to do.
    """
    _try_to_bind(host, port)
    exports = _Exports(backend)
    handlers = (
        ("trace", "Trace", exports.handler(TRACES, traces_response)),
        ("logs", "Logs", exports.handler(LOGS, logs_response)),
        ("metrics", "Metrics", lambda _body, _context: b""),
    )
    server = grpc.server(
        ThreadPoolExecutor(WORKERS, thread_name_prefix="otel-sessions-grpc"),
        handlers=[
            grpc.method_handlers_generic_handler(
                _SERVICE.format(package, service), {"Export": grpc.unary_unary_rpc_method_handler(handle)}
            )
            for package, service, handle in handlers
        ],
        interceptors=[_Keys(api_key)],
        options=[
            ("grpc.max_receive_message_length", limits.decompressed),
            # Two servers on one port would each get some of the requests.
            ("grpc.so_reuseport", 0),
            # A client that is gone without a word holds a thread until this finds out.
            ("grpc.keepalive_time_ms", 30_000),
            ("grpc.keepalive_timeout_ms", 10_000),
        ],
        maximum_concurrent_rpcs=MOST_CALLS,
    )
    try:
        return server, server.add_insecure_port(_address(host, port))
    except RuntimeError as error:
        raise _no_port(host, port, OSError(errno.EADDRINUSE, str(error))) from None


class _Exports:
    """What the methods share."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._places = threading.BoundedSemaphore(LARGE_AT_ONCE)
        self._turn = threading.Lock()

    def handler(self, signal: str, respond: Callable[[Rejected], bytes]) -> Callable[[bytes, Any], Any]:
        """The method that takes a signal."""

        def export(body: bytes, context: Any) -> Any:
            try:
                return respond(self._take(signal, body))
            except RequestError as error:
                return _abort(context, error)

        return export

    def _take(self, signal: str, body: bytes) -> Rejected:
        if len(body) <= LARGE:
            return self._backend.receive(signal, body)
        if not self._places.acquire(blocking=False):
            error = BusyError("too many large requests at once; send again later", retry_after=_RETRY_SECONDS)
            self._backend.count_refused(signal, error)
            raise error
        try:
            with self._turn:
                return self._backend.receive(signal, body)
        finally:
            self._places.release()


class _Keys(grpc.ServerInterceptor):  # type: ignore[misc]
    """Refuses calls without the API key, before their message is received."""

    def __init__(self, api_key: str | None) -> None:
        self._api_key = api_key
        # A handler of this kind is called without having its message read.
        self._refusal = grpc.stream_unary_rpc_method_handler(_refuse)

    def intercept_service(self, continuation: Callable[[Any], Any], details: Any) -> Any:
        """Called by grpcio."""
        said = dict(details.invocation_metadata).get("authorization")
        return continuation(details) if allows(self._api_key, said) else self._refusal


def _refuse(_messages: object, context: Any) -> None:
    _abort(context, UnauthenticatedError("the API key is missing or wrong; send it as metadata `authorization`"))


def _abort(context: Any, error: RequestError) -> Any:
    """End a call with an error, by an exception that grpcio knows.

    Its details go where OTLP has them, and the delay for a retry also where Python's exporter looks for it.
    """
    details = error_response(error)
    metadata = [("grpc-status-details-bin", details)]
    if error.retry_after is not None:
        retry = error_details_pb2.RetryInfo()
        status_pb2.Status.FromString(details).details[0].Unpack(retry)
        metadata.append(("google.rpc.retryinfo-bin", retry.SerializeToString()))
    context.set_trailing_metadata(metadata)
    return context.abort(_CODES[error.grpc_status], str(error))


def _try_to_bind(host: str, port: int) -> None:
    """Find out why a port cannot be had, which grpcio does not say."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tried.bind(address)
    except OSError as error:
        raise _no_port(host, port, error) from None


def _no_port(host: str, port: int, error: OSError) -> OSError:
    step = "choose another port with --grpc-port (OTEL_SESSIONS_GRPC_PORT), or end the process that has this one"
    return OSError(error.errno, f"cannot take OTLP over gRPC on {_address(host, port)}: {error.strerror}; {step}")


def _address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
