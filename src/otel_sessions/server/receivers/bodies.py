"""The bodies of HTTP requests, read within limits of size, memory and time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import anyio
from starlette.requests import Request

from otel_sessions.server.otlp.errors import DEADLINE_EXCEEDED, RequestError, TooLargeError
from otel_sessions.server.receivers.large_requests import too_many_large_requests

BYTES_IN_FLIGHT: Final = 128 << 20
"""Bytes of bodies that are being received or worked on, of all requests together."""

IDLE_SECONDS: Final = 30.0
"""How long a client may send nothing in the middle of a body; its bytes are reserved meanwhile."""


class IdleError(RequestError):
    """The client stopped sending in the middle of the body."""

    http_status = 408
    grpc_status = DEADLINE_EXCEEDED


class InFlightBytes:
    """The bytes of bodies that are held at the same time, up to a size. For one event loop; no lock."""

    def __init__(self, size: int = BYTES_IN_FLIGHT) -> None:
        self._size = size
        self._reserved = 0

    def reserve(self, number: int) -> None:
        """Reserve bytes. While none are reserved, one request may have more than the size.

        Raises:
            BusyError: too few are left.
        """
        if self._reserved and self._reserved + number > self._size:
            raise too_many_large_requests()
        self._reserved += number

    def release(self, number: int) -> None:
        """Give back bytes that were reserved."""
        self._reserved -= number


@asynccontextmanager
async def received(
    request: Request, in_flight: InFlightBytes, *, limit: int, idle_seconds: float = IDLE_SECONDS
) -> AsyncIterator[bytes]:
    """The body of a request; its bytes are reserved until the context ends.

    If the request declares a size, all its bytes are reserved, or refused, before any of them is read.

    Raises:
        TooLargeError: it has more bytes than the limit.
        BusyError: too few bytes are left for it.
        IdleError: the client sent nothing for `idle_seconds`.
        ClientDisconnect: the client went away.
    """
    declared = declared_size(request)
    _check(declared, limit)
    in_flight.reserve(declared)
    reserved = declared
    try:
        chunks: list[bytes] = []
        size = 0
        async for chunk in _chunks(request, idle_seconds):
            size += len(chunk)
            _check(size, limit)
            if size > reserved:
                in_flight.reserve(size - reserved)
                reserved = size
            chunks.append(chunk)
        body = b"".join(chunks)
        chunks.clear()
        yield body
    finally:
        in_flight.release(reserved)


async def skimmed(request: Request, *, limit: int, idle_seconds: float = IDLE_SECONDS) -> None:
    """Read a body without keeping it.

    Raises:
        TooLargeError: it has more bytes than the limit.
        IdleError: the client sent nothing for `idle_seconds`.
        ClientDisconnect: the client went away.
    """
    _check(declared_size(request), limit)
    size = 0
    async for chunk in _chunks(request, idle_seconds):
        size += len(chunk)
        _check(size, limit)


def declared_size(request: Request) -> int:
    """The bytes that a request declares for its body; 0 if it declares none."""
    header = request.headers.get("content-length", "")
    return int(header) if header.isascii() and header.isdecimal() else 0


async def _chunks(request: Request, idle_seconds: float) -> AsyncIterator[bytes]:
    stream = request.stream()
    while True:
        try:
            with anyio.fail_after(idle_seconds):
                chunk = await anext(stream, None)
        except TimeoutError:
            raise IdleError(f"nothing came for {idle_seconds:g} s in the middle of the body; send it again") from None
        if chunk is None:
            return
        yield chunk


def _check(size: int, limit: int) -> None:
    if size > limit:
        raise TooLargeError(f"the body has more than the {limit} bytes that are accepted; send smaller batches")
