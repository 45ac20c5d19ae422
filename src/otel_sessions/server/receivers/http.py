"""OTLP over HTTP, as routes of an ASGI app.

The bytes of bodies that are being received are bounded (`bodies`), and so are the threads that work on them. Large
requests are decoded one after the other, on a thread of their own, while others decode small ones: a few large requests
take neither the memory nor the threads that other clients need.
"""

from __future__ import annotations

import math
import re
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Final

import anyio
import anyio.to_thread
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from otel_sessions.server.backend import Backend
from otel_sessions.server.otlp.encodings import (
    DEFAULT_SIZE_LIMITS,
    Format,
    SizeLimits,
    beginning,
    decompress,
    encoding_of,
    format_of,
)
from otel_sessions.server.otlp.errors import MalformedError, RequestError, TooLargeError
from otel_sessions.server.otlp.metrics_services import BEGINNING, service_of_metrics
from otel_sessions.server.otlp.responses import error_response, logs_response, traces_response
from otel_sessions.server.receivers.bodies import DEFAULT_PACE, InFlightBytes, Pace, TooSlowError, received, skimmed
from otel_sessions.server.receivers.large_requests import LARGE_REQUEST
from otel_sessions.server.signals import LOGS, METRICS, OTLP_PATHS, TRACES

SMALL_REQUEST_THREADS: Final = 4
LARGE_REQUEST_THREADS: Final = 1
"""Decoding is Python, so more threads would only share the same processor. A large request that waits for this thread holds
none itself, unlike over gRPC: only its bytes in flight bound how many may wait."""

_CLIENT_CLOSED_REQUEST: Final = 499
"""The client does not read this status; it is for access logs."""

_RESPONSES: Final = {TRACES: traces_response, LOGS: logs_response}

COPIES: Final = "otel-sessions-copies"
"""A header of requests with log records of a file: those that are stored already are left out. It says which records came before in the
file, and how often, as `<place>=<number>` with commas between; it may be empty."""

_COPIES: Final = re.compile(r"[0-9]{1,9}=[0-9]{1,9}")

_Take = Callable[[Request, Format, str], Awaitable[Response]]
"""Takes a request in a format and an encoding."""


def otlp_routes(
    backend: Backend, *, limits: SizeLimits = DEFAULT_SIZE_LIMITS, pace: Pace = DEFAULT_PACE
) -> list[Route]:
    """`POST /v1/traces`, `/v1/logs` and `/v1/metrics`, protobuf and JSON.

    Metrics get an empty response, are counted by service and not kept, so that an SDK that sends all signals to one address reports no errors.
    """
    endpoints = _OtlpEndpoints(backend, limits, pace)
    takes: dict[str, _Take] = {signal: partial(endpoints.take, signal) for signal in _RESPONSES}
    takes[METRICS] = endpoints.take_metrics
    return [
        Route(OTLP_PATHS[signal], partial(endpoints.respond, signal, take), methods=["POST"], name=f"otlp_{signal}")
        for signal, take in takes.items()
    ]


class _OtlpEndpoints:
    """The endpoints, and the limits that they share."""

    def __init__(self, backend: Backend, limits: SizeLimits, pace: Pace) -> None:
        self._backend = backend
        self._pace = pace
        self._limits = limits
        self._small_limits = limits._replace(decompressed=min(LARGE_REQUEST, limits.decompressed))
        self._in_flight = InFlightBytes()
        self._small = anyio.CapacityLimiter(SMALL_REQUEST_THREADS)
        self._large = anyio.CapacityLimiter(LARGE_REQUEST_THREADS)

    async def respond(self, signal: str, take: _Take, request: Request) -> Response:
        """Respond to a request in its own format, or in JSON if that is unknown."""
        format_ = Format.JSON
        try:
            format_ = format_of(request.headers.get("content-type"))
            encoding = encoding_of(request.headers.get("content-encoding"))
            return await take(request, format_, encoding)
        except RequestError as error:
            self._backend.count_refused(signal, error)
            return _refusal(error, format_)
        except ClientDisconnect:
            return Response(status_code=_CLIENT_CLOSED_REQUEST)

    async def take(self, signal: str, request: Request, format_: Format, encoding: str) -> Response:
        """Hand a request to the backend, on a thread for small or for large ones, which its decompressed size decides."""
        run = anyio.to_thread.run_sync
        async with received(request, self._in_flight, limit=self._limits.compressed, pace=self._pace) as body:
            work = partial(self._work, signal, body, encoding, format_, _copies(request.headers.get(COPIES)))
            if len(body) <= LARGE_REQUEST:
                try:
                    return await run(work, self._small_limits, limiter=self._small)
                except TooLargeError:
                    pass
            return await run(work, self._limits, limiter=self._large)

    async def take_metrics(self, request: Request, format_: Format, encoding: str) -> Response:
        """Read metrics to their end without keeping them, and count them for the service that sends them."""
        sent = await skimmed(request, limit=self._limits.compressed, pace=self._pace, kept=BEGINNING)
        self._backend.telemetry.count_metrics(service_of_metrics(beginning(sent, encoding, BEGINNING)))
        return _response(b"{}" if format_ is Format.JSON else b"", format_)

    def _work(
        self,
        signal: str,
        body: bytes,
        encoding: str,
        format_: Format,
        copies: Mapping[int, int] | None,
        limits: SizeLimits,
    ) -> Response:
        """Decompress a request and hand it to the backend; a refusal by the backend, which counts it, is a response too.

        Raises:
            RequestError: it cannot be decompressed within the limits.
        """
        decompressed = decompress(body, encoding, limits=limits)
        try:
            rejected = self._backend.receive(signal, decompressed, format_, copies=copies)
        except RequestError as error:
            return _refusal(error, format_)
        return _response(_RESPONSES[signal](rejected, format_), format_)


def _copies(header: str | None) -> Mapping[int, int] | None:
    """By place of a record, how many equal ones came before in a file; `None` without the header.

    Raises:
        MalformedError: the header is not valid.
    """
    if header is None:
        return None
    pairs = [pair for pair in header.split(",") if pair]
    if not all(_COPIES.fullmatch(pair) for pair in pairs):
        raise MalformedError(f"the header {COPIES}: <place>=<number> with commas between expected")
    return dict(_pair(pair) for pair in pairs)


def _pair(text: str) -> tuple[int, int]:
    place, _, number = text.partition("=")
    return int(place), int(number)


def _response(body: bytes, format_: Format) -> Response:
    return Response(body, media_type=format_.value)


def _refusal(error: RequestError, format_: Format) -> Response:
    headers = {} if error.retry_after is None else {"Retry-After": str(math.ceil(error.retry_after))}
    if isinstance(error, TooSlowError):
        headers["Connection"] = "close"  # Or the rest of the body would be waited for.
    return Response(error_response(error, format_), error.http_status, headers, media_type=format_.value)
