"""`SlowReaders`: an HTTP protocol that closes connections whose clients do not read their answers.

What a client does not read stays in the memory of the server. The transport tells the protocol when bytes have to wait, and
when none do any more; with a limit of 0 for its buffer, it does so for every byte. If they wait for too long, the connection
is aborted, which frees them. A client that reads slowly is served on: what is written at once is small (`AnswersInParts`), and
the time begins again with each part that it has read.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

WRITE_SECONDS: Final = 20.0
"""How long a part of an answer may wait to be read."""

STOPPING_WRITE_SECONDS: Final = 1.0
"""The same while the server stops, so that a client that does not read does not hold it up."""

_NO_LINGERING: Final = struct.pack("ii", 1, 0)


class SlowReaders(HttpToolsProtocol):
    """Aborts a connection when bytes have waited to be read for `write_seconds`."""

    def __init__(self, *args: Any, write_seconds: float = WRITE_SECONDS, **more: Any) -> None:
        super().__init__(*args, **more)
        self._write_seconds = write_seconds
        self._waiting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Have the transport say of every byte whether it waits."""
        super().connection_made(transport)
        transport.set_write_buffer_limits(high=0)

    def pause_writing(self) -> None:
        """Called by the transport when bytes wait."""
        super().pause_writing()
        self._waiting = self.loop.call_later(self._write_seconds, self._give_up)

    def resume_writing(self) -> None:
        """Called by the transport when no byte waits any more."""
        self._stop_waiting()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the transport when the connection has ended."""
        self._stop_waiting()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """Called by the server when it stops."""
        super().shutdown()
        self._write_seconds = min(self._write_seconds, STOPPING_WRITE_SECONDS)
        if self._waiting is not None:
            self._stop_waiting()
            self._waiting = self.loop.call_later(self._write_seconds, self._give_up)

    def _give_up(self) -> None:
        # Without lingering, the system drops what it still holds for the client, too.
        self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGERING)
        self.transport.abort()

    def _stop_waiting(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None
