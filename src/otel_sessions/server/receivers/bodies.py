"""The bodies of HTTP requests: read as they come, over a limit not to their end, and only as many as memory allows."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import anyio
from starlette.requests import Request

from otel_sessions.server.otlp.errors import BusyError, RequestError, TooLargeError

BYTES_IN_FLIGHT: Final = 128 << 20
"""Bytes of bodies that are being received or worked on, of all requests together."""

IDLE_SECONDS: Final = 30.0
"""How long a client may say nothing in the middle of a body; it takes room from others meanwhile."""

_RETRY_SECONDS: Final = 1.0
_DEADLINE_EXCEEDED: Final = 4


class IdleError(RequestError):
    """The client stopped sending in the middle of the body."""

    http_status = 408
    grpc_status = _DEADLINE_EXCEEDED


class Room:
    """Bytes that may be held at the same time. For one event loop; no lock."""

    def __init__(self, size: int = BYTES_IN_FLIGHT) -> None:
        """Start with all of it free."""
        self._size = size
        self._taken = 0

    def take(self, size: int) -> None:
        """Take some of it; whoever comes into an empty room may take more than it has.

        Raises:
            BusyError: there is too little left.
        """
        if self._taken and self._taken + size > self._size:
            raise BusyError("too many large requests at once; send again later", retry_after=_RETRY_SECONDS)
        self._taken += size

    def leave(self, size: int) -> None:
        """Give back what was taken."""
        self._taken -= size


@asynccontextmanager
async def received(
    request: Request, room: Room, *, limit: int, idle_seconds: float = IDLE_SECONDS
) -> AsyncIterator[bytes]:
    """The body of a request; its bytes count as taken until the context ends.

    A body that says its size has its room, or is refused, before any of it is read.

    Raises:
        TooLargeError: it has more bytes than the limit.
        BusyError: there is no room for it.
        IdleError: nothing came for so long.
        ClientDisconnect: the client went away.
    """
    declared = declared_size(request)
    _check(declared, limit)
    room.take(declared)
    taken = declared
    try:
        chunks: list[bytes] = []
        size = 0
        async for chunk in _chunks(request, idle_seconds):
            size += len(chunk)
            _check(size, limit)
            if size > taken:
                room.take(size - taken)
                taken = size
            chunks.append(chunk)
        body = b"".join(chunks)
        chunks.clear()
        yield body
    finally:
        room.leave(taken)


async def skimmed(request: Request, *, limit: int, idle_seconds: float = IDLE_SECONDS) -> None:
    """Read a body without keeping it.

    Raises:
        TooLargeError: it has more bytes than the limit.
        IdleError: nothing came for so long.
        ClientDisconnect: the client went away.
    """
    size = declared_size(request)
    _check(size, limit)
    size = 0
    async for chunk in _chunks(request, idle_seconds):
        size += len(chunk)
        _check(size, limit)


def declared_size(request: Request) -> int:
    """The bytes that a request says its body has; 0 if it does not say."""
    said = request.headers.get("content-length", "")
    return int(said) if said.isascii() and said.isdecimal() else 0


async def _chunks(request: Request, idle_seconds: float) -> AsyncIterator[bytes]:
    stream = request.stream()
    while True:
        try:
            with anyio.fail_after(idle_seconds):
                chunk = await anext(stream, None)
        except TimeoutError:
            raise IdleError(f"nothing came for {idle_seconds:g} s in the middle of the body") from None
        if chunk is None:
            return
        yield chunk


def _check(size: int, limit: int) -> None:
    if size > limit:
        raise TooLargeError(f"the body has more than the {limit} bytes that are accepted")
