"""OTLP over HTTP, as routes of an ASGI app.

The bytes of bodies that are being received are bounded (`bodies`), and so are the threads that work on them: large
requests go one after the other, and small ones past them. So a few large requests cost other clients neither the
memory nor the threads that theirs need.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

import anyio
import anyio.to_thread
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from otel_sessions.server.backend import Backend
from otel_sessions.server.otlp.encodings import DEFAULT_SIZE_LIMITS, Format, SizeLimits, decompress, format_of
from otel_sessions.server.otlp.errors import RequestError, TooLargeError
from otel_sessions.server.otlp.responses import error_response, logs_response, traces_response
from otel_sessions.server.receivers.bodies import Room, received, skimmed
from otel_sessions.server.signals import LOGS, TRACES

METRICS: Final = "metrics"
"""A signal that is taken and not kept."""

LARGE: Final = 4 << 20
"""A request of more decompressed bytes is a large one."""

SMALL_AT_ONCE: Final = 4
LARGE_AT_ONCE: Final = 1
"""Threads for small and for large requests: decoding is Python, more of them would only share the same processor."""

_GONE: Final = 499
"""For a client that does not read it, and for access logs."""

_ANSWERS: Final = {TRACES: traces_response, LOGS: logs_response}

_Take = Callable[[Request, Format], Awaitable[Response]]


def otlp_routes(backend: Backend, *, limits: SizeLimits = DEFAULT_SIZE_LIMITS) -> list[Route]:
    """`POST /v1/traces`, `/v1/logs` and `/v1/metrics`, protobuf and JSON.

    Metrics are taken with an empty answer and not kept, so that an SDK that sends all signals to one address has
    nothing to complain about.
    """
    doors = _Doors(backend, limits)
    takes: dict[str, _Take] = {signal: partial(doors.take, signal) for signal in _ANSWERS}
    takes[METRICS] = doors.take_metrics
    return [
        Route(f"/v1/{signal}", partial(doors.answer, signal, take), methods=["POST"], name=f"otlp_{signal}")
        for signal, take in takes.items()
    ]


class _Doors:
    """What the routes share."""

    def __init__(self, backend: Backend, limits: SizeLimits) -> None:
        self._backend = backend
        self._limits = limits
        self._small_limits = limits._replace(decompressed=min(LARGE, limits.decompressed))
        self._room = Room()
        self._small = anyio.CapacityLimiter(SMALL_AT_ONCE)
        self._large = anyio.CapacityLimiter(LARGE_AT_ONCE)

    async def answer(self, signal: str, take: _Take, request: Request) -> Response:
        """Answer a request in its own format; in JSON where it has none that is known."""
        format_ = Format.JSON
        try:
            format_ = format_of(request.headers.get("content-type"))
            # An unknown encoding is refused before the body comes.
            decompress(b"", request.headers.get("content-encoding"))
            return await take(request, format_)
        except RequestError as error:
            self._backend.count_refused(signal, error)
            return _refusal(error, format_)
        except ClientDisconnect:
            return Response(status_code=_GONE)

    async def take(self, signal: str, request: Request, format_: Format) -> Response:
        """Hand a request to the backend, on a thread for small or for large ones, whichever it turns out to be."""
        run = anyio.to_thread.run_sync
        async with received(request, self._room, limit=self._limits.compressed) as body:
            work = partial(self._work, signal, body, request.headers.get("content-encoding"), format_)
            if len(body) <= LARGE:
                try:
                    return await run(work, self._small_limits, limiter=self._small)
                except TooLargeError:
                    pass
            return await run(work, self._limits, limiter=self._large)

    async def take_metrics(self, request: Request, format_: Format) -> Response:
        """Read metrics to their end and forget them."""
        await skimmed(request, limit=self._limits.compressed)
        return _answer(b"{}" if format_ is Format.JSON else b"", format_)

    def _work(self, signal: str, body: bytes, encoding: str | None, format_: Format, limits: SizeLimits) -> Response:
        """What takes long.

        Raises:
            RequestError: it cannot be decompressed within the limits; what the backend refuses, and counts, is answered.
        """
        decompressed = decompress(body, encoding, limits=limits)
        try:
            rejected = self._backend.receive(signal, decompressed, format_)
        except RequestError as error:
            return _refusal(error, format_)
        return _answer(_ANSWERS[signal](rejected, format_), format_)


def _answer(body: bytes, format_: Format) -> Response:
    return Response(body, media_type=format_.value)


def _refusal(error: RequestError, format_: Format) -> Response:
    headers = {} if error.retry_after is None else {"Retry-After": str(math.ceil(error.retry_after))}
    return Response(error_response(error, format_), error.http_status, headers, media_type=format_.value)
