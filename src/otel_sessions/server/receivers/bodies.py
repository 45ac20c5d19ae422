"""The bodies of HTTP requests, read within limits of size, memory and time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, NamedTuple

import anyio
from starlette.requests import Request

from otel_sessions.server.otlp.errors import DEADLINE_EXCEEDED, RequestError, TooLargeError
from otel_sessions.server.receivers.large_requests import too_many_large_requests

BYTES_IN_FLIGHT: Final = 128 << 20
"""Bytes of bodies that are being received or worked on, of all requests together."""


class Pace(NamedTuple):
    """How fast a body must come; its bytes are held meanwhile, and others may need the room.

    Attributes:
        window_seconds: in each such time, as many bytes must come as the rate says; so a client may be silent for some time.
        bytes_a_second: a slow mobile connection has 64 kB/s.
        seconds: for the whole body; 64 kB/s are 38 MB in 600 s, which is more than the largest body.
    """

    window_seconds: float = 30.0
    bytes_a_second: float = 8_000
    seconds: float = 600.0


DEFAULT_PACE: Final = Pace()


class TooSlowError(RequestError):
    """The body came too slowly."""

    http_status = 408
    grpc_status = DEADLINE_EXCEEDED


class InFlightBytes:
    """The bytes of bodies that are held at the same time, up to a size. For one event loop; no lock."""

    def __init__(self, size: int = BYTES_IN_FLIGHT) -> None:
        self._size = size
        self._reserved = 0

    def check(self, number: int, *, held: int = 0) -> None:
        """Check that a request, which holds some bytes already, can have more. While no other has any, it always can.

        Raises:
            BusyError: too few are left.
        """
        if self._reserved > held and self._reserved + number > self._size:
            raise too_many_large_requests()

    def reserve(self, number: int, *, held: int = 0) -> None:
        """Reserve bytes.

        Raises:
            BusyError: too few are left.
        """
        self.check(number, held=held)
        self._reserved += number

    def release(self, number: int) -> None:
        """Give back bytes that were reserved."""
        self._reserved -= number


@asynccontextmanager
async def received(
    request: Request, in_flight: InFlightBytes, *, limit: int, pace: Pace = DEFAULT_PACE
) -> AsyncIterator[bytes]:
    """The body of a request; its bytes are reserved until the context ends.

    Bytes are reserved when they have come. A request that declares more than are left is refused before any is read; those
    that it declares are not reserved, or a client could keep others from sending without sending anything itself.

    Raises:
        TooLargeError: it has more bytes than the limit.
        BusyError: too few bytes are left for it.
        TooSlowError: it came too slowly.
        ClientDisconnect: the client went away.
    """
    declared = declared_size(request)
    _check(declared, limit)
    in_flight.check(declared)
    reserved = 0
    try:
        chunks: list[bytes] = []
        async for chunk in _chunks(request, pace):
            _check(reserved + len(chunk), limit)
            in_flight.reserve(len(chunk), held=reserved)
            reserved += len(chunk)
            chunks.append(chunk)
        body = b"".join(chunks)
        chunks.clear()
        yield body
    finally:
        in_flight.release(reserved)


async def skimmed(request: Request, *, limit: int, pace: Pace = DEFAULT_PACE, kept: int = 0) -> bytes:
    """Read a body without keeping more than its first bytes.

    Args:
        request: the request.
        limit: how many bytes it may have.
        pace: how fast they must come.
        kept: how many of them are returned.

    Raises:
        TooLargeError: it has more bytes than the limit.
        TooSlowError: it came too slowly.
        ClientDisconnect: the client went away.
    """
    _check(declared_size(request), limit)
    size = 0
    first = b""
    async for chunk in _chunks(request, pace):
        size += len(chunk)
        _check(size, limit)
        if len(first) < kept:
            first += chunk[: kept - len(first)]
    return first


def declared_size(request: Request) -> int:
    """The bytes that a request declares for its body; 0 if it declares none."""
    header = request.headers.get("content-length", "")
    return int(header) if header.isascii() and header.isdecimal() else 0


async def _chunks(request: Request, pace: Pace) -> AsyncIterator[bytes]:
    stream = request.stream()
    seconds, enough = pace.window_seconds, pace.window_seconds * pace.bytes_a_second
    now = anyio.current_time()
    end, window_end, came = now + pace.seconds, now + seconds, 0
    while True:
        # If enough has come, all of the next window may pass: to wait for less and then go on is not possible.
        last = min(end, window_end if came < enough else window_end + seconds)
        try:
            with anyio.fail_after(last - now):
                chunk = await anext(stream, None)
        except TimeoutError:
            raise _too_slow(pace) from None
        if chunk is None:
            return
        yield chunk
        now = anyio.current_time()
        if now >= window_end:
            if came < enough:
                raise _too_slow(pace)
            window_end, came = window_end + seconds, 0
        came += len(chunk)


def _check(size: int, limit: int) -> None:
    if size > limit:
        raise TooLargeError(f"the body has more than the {limit} bytes that are accepted; send smaller batches")


def _too_slow(pace: Pace) -> TooSlowError:
    return TooSlowError(
        f"the body came too slowly: send at least {pace.bytes_a_second:g} bytes a second and all within {pace.seconds:g} s"
    )
