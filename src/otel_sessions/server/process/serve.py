"""`serve`: a whole server in one process, from its settings to its exit status."""

from __future__ import annotations

import errno
import logging
import socket
import sys
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, Final, NamedTuple

from fastapi import FastAPI

from otel_sessions.counting.prices.pricer import Pricer
from otel_sessions.server.api.app import create_app
from otel_sessions.server.backend import Backend
from otel_sessions.server.clickhouse.errors import StoreError
from otel_sessions.server.process.bootstrap import StartError, load_pricer, open_store
from otel_sessions.server.process.compaction_job import Tidier
from otel_sessions.server.process.gc_tuning import collecting_rarely
from otel_sessions.server.process.http_server import GRACE_SECONDS, HttpServer, listen, shown_address
from otel_sessions.server.process.retention_job import Pruner
from otel_sessions.server.process.settings import Settings
from otel_sessions.server.process.shutdown import Stop
from otel_sessions.server.receivers.grpc import grpc_server
from otel_sessions.server.receivers.http import otlp_routes

logger: Final = logging.getLogger("otel_sessions.server")

COMMIT_SECONDS: Final = 30.0
"""How long the end waits for what was acknowledged to be committed; the next start would do it as well."""


class Addresses(NamedTuple):
    """Where a server can be reached: `http` as a URL, `grpc` as host and port, `store` as a URL without a password."""

    http: str
    grpc: str
    store: str

    @property
    def line(self) -> str:
        """What is said when the server is ready."""
        return f"otel-sessions ready http={self.http} grpc={self.grpc} store={self.store}"


def announce(addresses: Addresses) -> None:
    """Say on stdout that the server is ready."""
    print(addresses.line, flush=True)  # noqa: T201 - a program that starts this one reads it


def serve(settings: Settings, *, stop: Stop | None = None, ready: Callable[[Addresses], object] = announce) -> int:
    """Serve until it is to stop; what was acknowledged is then committed.

    Args:
        settings: what to serve, and where.
        stop: asks for the end; signals do as well, if this is the main thread.
        ready: told when requests are answered.

    Returns:
        The exit status: 0, or 1 if it could not start or did not end by itself; stderr says why in one line.
    """
    stop = stop or Stop()
    with stop.on_signals(), ExitStack() as running:
        try:
            http, addresses = _start(settings, running, stop)
        except (StartError, StoreError) as error:
            print("otel-sessions:", " ".join(str(error).split()), file=sys.stderr)  # noqa: T201
            return 1
        running.enter_context(collecting_rarely())
        ready(addresses)
        stop.wait()
        if not http.is_serving:
            logger.error("the HTTP server ended by itself")
            return 1
        logger.info("stopping: requests under way are finished, what was acknowledged is committed")
    return 0


def _start(settings: Settings, running: ExitStack, stop: Stop) -> tuple[HttpServer, Addresses]:
    """Start all parts; `running` ends them, last one first."""
    listening = running.enter_context(_listen(settings))
    pricer = load_pricer(settings)
    backend = _backend(settings, pricer, running)
    pruner = Pruner(backend, settings.retention)
    running.callback(pruner.stop)
    tidier = Tidier(backend)
    running.callback(tidier.stop)
    app = create_app(backend, api_key=settings.secret, extra_routes=otlp_routes(backend))
    host = listening.getsockname()[0]
    try:
        grpc, grpc_port = grpc_server(backend, host, settings.grpc_port, api_key=settings.secret)
    except OSError as error:
        raise StartError(str(error.strerror)) from error
    http = HttpServer(app, listening, ended=stop.ask)
    running.callback(_close_doors, app, http, grpc)
    try:
        grpc.start()
        http.start()
    except RuntimeError as error:
        raise StartError(str(error)) from error
    pruner.start()
    tidier.start()
    shown = f"[{host}]" if ":" in host else host
    return http, Addresses(f"http://{shown_address(listening)}", f"{shown}:{grpc_port}", backend.store.shown)


def _listen(settings: Settings) -> socket.socket:
    host, port = settings.host, settings.port
    try:
        return listen(host, port)
    except OSError as error:
        why = "is in use" if error.errno == errno.EADDRINUSE else f"cannot be had ({error.strerror})"
        raise StartError(f"port {port} of {host} {why}; choose another with --port, 0 takes a free one") from error


def _backend(settings: Settings, pricer: Pricer, running: ExitStack) -> Backend:
    store = open_store(settings, running)
    try:
        backend = Backend(
            store, settings.requests_folder, pricer=pricer, backlog_bytes=settings.backlog, sync=settings.sync
        )
    except BaseException as error:
        store.close()
        if isinstance(error, OSError | ValueError):
            raise StartError(f"the folder {settings.requests_folder} cannot be used: {error}") from error
        raise

    def close() -> None:
        if not backend.close(COMMIT_SECONDS):
            logger.warning(
                "the store could not take all that was acknowledged; it is kept in %s for the next start",
                settings.requests_folder,
            )

    running.callback(close)
    return backend


def _close_doors(app: FastAPI, http: HttpServer, grpc: Any) -> None:
    """Accept no more requests, of either kind; those under way have the same time to end."""
    app.state.live.close()
    http.ask_to_stop()
    finished = grpc.stop(GRACE_SECONDS)
    http.close()
    finished.wait()
