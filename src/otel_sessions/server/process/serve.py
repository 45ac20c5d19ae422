"""`serve`: a whole server in one process, from its settings to its exit status."""

from __future__ import annotations

import errno
import logging
import socket
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final, NamedTuple

from fastapi import FastAPI

from otel_sessions.server.api.app import create_app
from otel_sessions.server.backend import Backend
from otel_sessions.server.clickhouse.errors import StoreError
from otel_sessions.server.process import compaction_job, retention_job
from otel_sessions.server.process.bootstrap import StartError, open_backend
from otel_sessions.server.process.compaction_job import CompactionJob
from otel_sessions.server.process.compiled import log_if_uncompiled
from otel_sessions.server.process.gc_tuning import collecting_rarely
from otel_sessions.server.process.http_server import GRACE_SECONDS, HttpServer, listen, shown_address
from otel_sessions.server.process.log_lines import escaped
from otel_sessions.server.process.periodic_thread import PeriodicThread
from otel_sessions.server.process.retention_job import RetentionJob
from otel_sessions.server.process.settings import Settings
from otel_sessions.server.process.shutdown import ShutdownSignal
from otel_sessions.server.process.sizes import Retention
from otel_sessions.server.process.waiting_clients import HttpLimits
from otel_sessions.server.receivers.grpc import grpc_server
from otel_sessions.server.receivers.http import otlp_routes

logger: Final = logging.getLogger("otel_sessions.server")

COMMIT_SECONDS: Final = 30.0
"""How long a shutdown waits until acknowledged requests are committed; the next start commits the rest."""


class Addresses(NamedTuple):
    """Where a server can be reached: `http` as a URL, `grpc` as host and port, `store` as a URL without a password."""

    http: str
    grpc: str
    store: str

    @property
    def line(self) -> str:
        """The line that says that the server is ready."""
        return f"otel-sessions ready http={self.http} grpc={self.grpc} store={self.store}"


class Parts(NamedTuple):
    """The functions that make the parts of a server; a test replaces one to see what a server does when a part fails."""

    open_backend: Callable[[Settings, ExitStack, Callable[[], object]], Backend] = open_backend
    create_app: Callable[..., FastAPI] = create_app
    http_server: Callable[..., HttpServer] = HttpServer


DEFAULT_PARTS: Final = Parts()


def announce(addresses: Addresses) -> None:
    """Print on stdout that the server is ready."""
    print(addresses.line, flush=True)  # noqa: T201 - a program that starts this one reads it


def serve(
    settings: Settings,
    *,
    shutdown: ShutdownSignal | None = None,
    ready: Callable[[Addresses], object] = announce,
    parts: Parts = DEFAULT_PARTS,
) -> int:
    """Serve until the shutdown is requested, then commit what was acknowledged.

    Args:
        settings: what to serve, and where.
        shutdown: ends the server; signals do as well, if this is the main thread.
        ready: called when requests are answered.
        parts: make the backend, the app and the HTTP server.

    Returns:
        The exit status: 0, or 1 if it could not start or ended by itself; stderr says why in one line.
    """
    shutdown = shutdown or ShutdownSignal()
    with shutdown.on_signals(), ExitStack() as running:
        try:
            listening = running.enter_context(_listen(settings))
            backend = parts.open_backend(settings, running, shutdown.request)
            running.callback(_commit_and_close, backend, settings.requests_folder)
            app = parts.create_app(
                backend, api_key=settings.secret, hosts=settings.hosts, extra_routes=otlp_routes(backend)
            )
            limits = HttpLimits(connections=settings.connections)
            http = parts.http_server(app, listening, on_end=shutdown.request, limits=limits)
            backend.state_retention(settings.retention.shown)
            jobs = _jobs(backend, settings.retention, running)
            addresses = _start_receiving(settings, running, listening, backend, app, http)
        except (StartError, StoreError) as error:
            print("otel-sessions:", escaped(" ".join(str(error).split())), file=sys.stderr)  # noqa: T201
            return 1
        for job in jobs:
            job.start()
        log_if_uncompiled()
        running.enter_context(collecting_rarely())
        ready(addresses)
        shutdown.wait()
        if not http.is_serving:
            logger.error("the HTTP server ended by itself")
            return 1
        if backend.lease is not None and backend.lease.is_lost:
            logger.error("stopping: another server works on the database")
            return 1
        logger.info("stopping: requests under way are finished, what was acknowledged is committed")
    return 0


def _listen(settings: Settings) -> socket.socket:
    host, port = settings.host, settings.port
    try:
        return listen(host, port)
    except OSError as error:
        why = "is in use" if error.errno == errno.EADDRINUSE else f"cannot be bound ({error.strerror})"
        raise StartError(f"port {port} of {host} {why}; choose another with --port, 0 takes a free one") from error


def _jobs(backend: Backend, retention: Retention, running: ExitStack) -> list[PeriodicThread]:
    """The threads of what is done in the background; `running` ends them before it closes the backend."""
    compact = CompactionJob(backend).run_once
    compacting = PeriodicThread(compact, name="otel-sessions-compaction", pause_seconds=compaction_job.PAUSE_SECONDS)
    running.callback(compacting.stop, compaction_job.STOP_SECONDS)
    if retention == Retention():
        return [compacting]
    drop = RetentionJob(backend, retention).run_once
    dropping = PeriodicThread(drop, name="otel-sessions-retention", pause_seconds=retention_job.PAUSE_SECONDS)
    running.callback(dropping.stop, retention_job.STOP_SECONDS)
    return [compacting, dropping]


def _start_receiving(
    settings: Settings,
    running: ExitStack,
    listening: socket.socket,
    backend: Backend,
    app: FastAPI,
    http: HttpServer,
) -> Addresses:
    """Start to answer over HTTP and gRPC; `running` ends both at the same time."""
    host = listening.getsockname()[0]
    try:
        grpc, grpc_port = grpc_server(
            backend, host, settings.grpc_port, api_key=settings.secret, connections=settings.connections
        )
    except OSError as error:
        raise StartError(str(error.strerror)) from error
    running.callback(_stop_receiving, app, http, grpc)
    try:
        grpc.start()
        http.start()
    except RuntimeError as error:
        raise StartError(str(error)) from error
    shown = f"[{host}]" if ":" in host else host
    return Addresses(f"http://{shown_address(listening)}", f"{shown}:{grpc_port}", backend.store.shown)


def _stop_receiving(app: FastAPI, http: HttpServer, grpc: Any) -> None:
    """Accept no more requests over HTTP or gRPC; those under way have the same time to end."""
    app.state.live.close()
    http.request_stop()
    finished = grpc.stop(GRACE_SECONDS)
    http.close()
    finished.wait()


def _commit_and_close(backend: Backend, requests: Path) -> None:
    if not backend.close(COMMIT_SECONDS):
        logger.warning(
            "the store could not take all that was acknowledged; it is kept in %s for the next start", requests
        )
