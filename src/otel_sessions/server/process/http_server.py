"""`HttpServer`: an ASGI app served on a thread; `listen`: its socket."""

from __future__ import annotations

import math
import socket
import threading
from collections.abc import Callable
from functools import partial
from typing import Any, Final, cast

import uvicorn

from otel_sessions.server.process.bad_requests import BadRequests
from otel_sessions.server.process.bounded_requests import BoundedRequests
from otel_sessions.server.process.slow_readers import WRITE_SECONDS, SlowReaders
from otel_sessions.server.process.waiting_clients import DEFAULT_HTTP_LIMITS, HttpLimits, WaitingClients

BACKLOG: Final = 2048
GRACE_SECONDS: Final = 10.0


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; connections queue until `HttpServer.start`.

    Args:
        host: a name or an address; `::` listens on IPv4 as well.
        port: 0 takes a free one.

    Raises:
        OSError: the address cannot be bound.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    # A name may have addresses of both kinds; more clients try IPv4 first.
    family, _, _, _, address = min(found, key=lambda one: one[0] != socket.AF_INET)
    both = family == socket.AF_INET6 and address[0] == "::" and socket.has_dualstack_ipv6()
    return socket.create_server((address[0], port), family=family, backlog=BACKLOG, dualstack_ipv6=both)


def shown_address(listening: socket.socket) -> str:
    """The address and port that a socket listens on, IPv6 in brackets."""
    host, port = listening.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class HttpServer:
    """Serves an app on a thread of its own, until it is closed."""

    def __init__(
        self,
        app: Any,
        listening: socket.socket,
        *,
        on_end: Callable[[], object] = lambda: None,
        write_seconds: float = WRITE_SECONDS,
        limits: HttpLimits = DEFAULT_HTTP_LIMITS,
    ) -> None:
        """Prepare the server without starting it.

        Args:
            app: an ASGI app.
            listening: from `listen`; closed with the server.
            on_end: called when it has ended, for any reason.
            write_seconds: how long a client may leave a part of its answer unread.
            limits: of each client before its request is known.
        """
        protocol = partial(_Protocol, clients=WaitingClients(limits), limits=limits, write_seconds=write_seconds)
        config = uvicorn.Config(
            app,
            # uvicorn calls it as it would call the class.
            http=cast("type[_Protocol]", protocol),
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=math.ceil(limits.idle_seconds),
            timeout_graceful_shutdown=int(GRACE_SECONDS),
        )
        self._listening = listening
        self._on_end = on_end
        self._has_ended = False
        self._startup_done = threading.Event()
        self._server = _Server(config, self._startup_done)
        self._thread = threading.Thread(target=self._run, name="otel-sessions-http", daemon=True)

    def start(self) -> None:
        """Start to serve; return when requests are answered.

        Raises:
            RuntimeError: the app did not start; the log says why.
        """
        self._thread.start()
        self._startup_done.wait()
        if not self._server.started:
            raise RuntimeError("the HTTP server did not start")

    @property
    def is_serving(self) -> bool:
        """True until the server has ended."""
        return not self._has_ended

    def request_stop(self) -> None:
        """Accept no more connections, and end when requests under way are answered, after `GRACE_SECONDS` at the latest."""
        self._server.should_exit = True

    def close(self) -> None:
        """Stop serving, wait until requests under way have ended, and close the socket."""
        self.request_stop()
        if self._thread.is_alive():
            self._thread.join()
        self._listening.close()

    def _run(self) -> None:
        try:
            self._server.run([self._listening])
        except SystemExit:
            pass  # uvicorn exits this way if the app does not start.
        finally:
            self._has_ended = True
            self._startup_done.set()
            self._on_end()


class _Protocol(BoundedRequests, SlowReaders, BadRequests):
    """One connection."""


class _Server(uvicorn.Server):
    """Sets an event when it has tried to start."""

    def __init__(self, config: uvicorn.Config, startup_done: threading.Event) -> None:
        super().__init__(config)
        self._startup_done = startup_done

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._startup_done.set()
