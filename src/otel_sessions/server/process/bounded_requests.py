"""`BoundedRequests`: an HTTP protocol in which a client takes little of the server before its request is known.

uvicorn's protocol parses whatever has come: headers without end, and any number of requests ahead of their answers. This one
hands it what has come in pieces. A piece ends where the headers end, or the body; the next one follows when the request before
it is answered. Bytes that have to wait stop the connection from being read, so they wait at the client. In front of the
headers, the time runs (`WaitingClients`).
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Any, Final, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from otel_sessions.server.api.errors import RETRY_SECONDS, error_response
from otel_sessions.server.process.waiting_clients import HttpLimits, WaitingClients

_END_OF_HEAD: Final = b"\r\n\r\n"
_PIECE: Final = 4 << 10
"""The most bytes that are parsed at once where their content is not known: they can be many requests, or many chunks."""

_EVENTS_A_TURN: Final = 200
"""After these, other connections have their turn: a chunk can be a single byte, and to parse it takes a microsecond."""

_REST_SECONDS: Final = 0.05
"""Between two turns of a body that was answered before its end; it is of no use, so it must not take the time of others."""


class BoundedRequests(HttpToolsProtocol):
    """Reads one request at a time, within limits."""

    def __init__(self, *args: Any, clients: WaitingClients, limits: HttpLimits, **more: Any) -> None:
        super().__init__(*args, **more)
        self._clients = clients
        self._limits = limits
        self._unread = b""
        self._place = 0
        self._is_reading = True
        self._may_read = True
        self._is_idle = False
        self._is_in_message = False
        self._is_in_head = True
        self._answers_due = 0
        self._body_left = 0
        self._bytes_between = 0
        self._events = 0
        self._is_resting = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection, or refuse it if there are too many."""
        self._read_transport = transport
        super().connection_made(cast("asyncio.Transport", _Transport(transport, self)))
        if not self._clients.add(self):
            self._end(503, "too_many_connections", "there are too many connections; try again later", RETRY_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the transport when the connection has ended."""
        self._clients.remove(self)
        self._unread = b""
        self._place = 0
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what has come, and parse as much of it as its turn allows."""
        self._unread = self._unread[self._place :] + data if self._unread else data
        self._place = 0
        if self._is_idle:
            self._is_idle = False
            self._clients.idle.stop(self)
            self._clients.reading.start(self)
        self._parse()

    def _parse(self) -> None:
        has_parsed = False
        while self._may_parse():
            has_parsed = True
            piece = self._next_piece()
            self._place += len(piece)
            self._bytes_between += len(piece)
            super().data_received(piece)
            if self._bytes_between >= self._limits.head_bytes and not self.transport.is_closing():
                self._end(431, "headers_too_large", f"the headers have more than {self._limits.head_bytes} bytes")
            if self._events > _EVENTS_A_TURN:
                self._rest(0.0)
        if self._place == len(self._unread):
            self._unread = b""
            self._place = 0
        if has_parsed and self._is_finishing():
            self._rest(_REST_SECONDS)
        self._read_or_pause()

    def _rest(self, seconds: float) -> None:
        """Neither read nor parse for a while."""
        if not self._is_resting:
            self._is_resting = True
            self.loop.call_later(seconds, self._end_rest)

    def _end_rest(self) -> None:
        self._is_resting = False
        self._events = 0
        self._parse()

    def _is_finishing(self) -> bool:
        """Return True while a body comes that was answered before its end."""
        return self._is_in_message and not self._is_in_head and self._answers_due == 0

    def _may_parse(self) -> bool:
        """Return True if bytes wait to be parsed, and the request that they follow is answered."""
        return (
            self._place < len(self._unread)
            and self._may_read
            and not self._is_resting
            and (self._is_in_message or self._answers_due == 0)
            and not self.transport.is_closing()
        )

    def _next_piece(self) -> bytes:
        """What is parsed next."""
        begin, data = self._place, self._unread
        if self._body_left:
            end = begin + self._body_left
        else:
            most = min(_PIECE, self._limits.head_bytes - self._bytes_between)
            found = data.find(_END_OF_HEAD, begin, begin + most) if self._is_in_head else -1
            end = begin + most if found < 0 else found + len(_END_OF_HEAD)
        return data if begin == 0 and end >= len(data) else data[begin:end]

    def _read_or_pause(self) -> None:
        should_read = self._may_read and not self._is_resting and not self._unread
        if should_read == self._is_reading or self.transport.is_closing():
            return
        self._is_reading = should_read
        if should_read:
            self._read_transport.resume_reading()
        else:
            self._read_transport.pause_reading()

    def set_may_read(self, *, may_read: bool) -> None:
        """Called instead of pausing and resuming the transport: uvicorn does so when it has enough of a body."""
        self._may_read = may_read
        if may_read and self._unread:
            self.loop.call_soon(self._parse)
        else:
            self._read_or_pause()

    def on_message_begin(self) -> None:
        """Called by the parser at the first byte of a request."""
        super().on_message_begin()
        self._is_in_message = True

    def on_headers_complete(self) -> None:
        """Called by the parser at the end of the headers."""
        self._answers_due += 1
        self._is_in_head = False
        self._bytes_between = 0
        self._clients.reading.stop(self)
        for name, value in self.headers:
            if name == b"content-length":
                self._body_left = int(value)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Called by the parser with a part of a body."""
        self._events += 1
        self._bytes_between = 0
        self._body_left = max(0, self._body_left - len(body))
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Called by the parser at the end of a request."""
        super().on_message_complete()
        self._is_in_message = False
        self._is_in_head = True
        self._bytes_between = self._body_left = 0
        self._clients.finishing.stop(self)
        self._wait_for_next()

    def on_response_complete(self) -> None:
        """Called by uvicorn when a request is answered."""
        self._answers_due -= 1
        super().on_response_complete()
        if self._is_finishing():
            self._clients.finishing.start(self)
        self._wait_for_next()

    def _wait_for_next(self) -> None:
        if self._is_in_message or self._answers_due or self.transport.is_closing():
            return
        if self._place < len(self._unread):
            self._clients.reading.start(self)
            self.loop.call_soon(self._parse)
        else:
            self._is_idle = True
            self._clients.idle.start(self)

    def end_late(self) -> None:
        """Called when the headers, the rest of a body or another request do not come in time."""
        if self._is_in_head and self._bytes_between:
            seconds = self._limits.head_seconds
            self._end(408, "request_timeout", f"the headers did not come within {seconds:g} s")
        else:
            self.transport.close()

    def make_room(self) -> None:
        """Called when another client needs the connection."""
        self.transport.abort()

    def _end(self, status: int, code: str, message: str, retry_seconds: int | None = None) -> None:
        """Close the connection, after an answer if none is under way."""
        if self._answers_due == 0:
            retry = {} if retry_seconds is None else {"Retry-After": str(retry_seconds)}
            answer = error_response(status, code, message, headers={"Connection": "close", **retry})
            first = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}".encode()
            head = [first, *(name + b": " + value for name, value in answer.raw_headers)]
            self.transport.write(b"\r\n".join([*head, b"", bytes(answer.body)]))
        self.transport.close()


class _Transport:
    """A transport whose reading is paused and resumed by the protocol alone."""

    def __init__(self, transport: asyncio.Transport, protocol: BoundedRequests) -> None:
        self._transport = transport
        self._protocol = protocol

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def pause_reading(self) -> None:
        """Stop handing over what comes."""
        self._protocol.set_may_read(may_read=False)

    def resume_reading(self) -> None:
        """Hand over what has come meanwhile, and what comes."""
        self._protocol.set_may_read(may_read=True)
