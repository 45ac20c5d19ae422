"""`WaitingClients`: the connections that a server keeps for clients that have sent no whole request, within bounds.

All of it runs on the event loop of the server; no lock.
"""

from __future__ import annotations

import asyncio
from typing import Final, NamedTuple, Protocol

from otel_sessions.server.connections import DEFAULT_CONNECTIONS


class HttpLimits(NamedTuple):
    """What a client may take of a server before its request is known.

    Attributes:
        connections: at the same time.
        head_bytes: of the request line and all headers together, and of what stands between the bytes of a chunked body.
        head_seconds: from the connection, or from the first byte of a later request, to the end of the headers.
        idle_seconds: between two requests on one connection.
        rest_seconds: to send the rest of a body that was answered before its end.
    """

    connections: int = DEFAULT_CONNECTIONS
    head_bytes: int = 32 << 10
    head_seconds: float = 10.0
    idle_seconds: float = 75.0
    """Longer than exporters pause between two batches: sending on a connection that just closed costs them a retry."""
    rest_seconds: float = 30.0
    """A client that reads the answer only after its whole body should not find the connection closed."""


DEFAULT_HTTP_LIMITS: Final = HttpLimits()


class Client(Protocol):
    """A connection that can be told to end."""

    def end_late(self) -> None:
        """The time is over in which the client had to send."""

    def make_room(self) -> None:
        """Another client needs the connection."""


class Deadlines:
    """Clients that all have the same time, in the order in which it ends."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._ends: dict[Client, float] = {}
        self._timer: asyncio.TimerHandle | None = None

    def start(self, client: Client) -> None:
        """Begin the time of a client, once more if it had begun."""
        now = asyncio.get_running_loop().time()
        self._ends.pop(client, None)
        self._ends[client] = now + self._seconds
        if self._timer is None:
            self._wait(self._seconds)

    def stop(self, client: Client) -> None:
        """Forget a client."""
        self._ends.pop(client, None)

    def oldest(self) -> Client | None:
        """The client whose time ends first, `None` without any."""
        return next(iter(self._ends), None)

    def _wait(self, seconds: float) -> None:
        # One timer for all: to make one for each request would cost every request.
        self._timer = asyncio.get_running_loop().call_later(seconds, self._end_late_ones)

    def _end_late_ones(self) -> None:
        self._timer = None
        now = asyncio.get_running_loop().time()
        while (client := self.oldest()) is not None:
            left = self._ends[client] - now
            if left > 0:
                self._wait(left)
                return
            self.stop(client)
            client.end_late()


class WaitingClients:
    """All connections of a server. Those that wait for their client to send end late, or when another needs the room.

    Attributes:
        reading: clients that have not sent all headers of a request.
        finishing: clients that are still sending a body that was answered.
        idle: clients between two requests.
    """

    def __init__(self, limits: HttpLimits = DEFAULT_HTTP_LIMITS) -> None:
        """Keep connections within these limits."""
        self._most = limits.connections
        self._open: set[Client] = set()
        self.reading = Deadlines(limits.head_seconds)
        self.finishing = Deadlines(limits.rest_seconds)
        self.idle = Deadlines(limits.idle_seconds)

    def add(self, client: Client) -> bool:
        """Add a connection and return True, or return False if there is no room for it.

        If there are too many, the one ends that has waited longest for its client: for headers, for the rest of a body, or
        between two requests.
        """
        if len(self._open) >= self._most:
            waiting = self.reading.oldest() or self.finishing.oldest() or self.idle.oldest()
            if waiting is None:
                return False
            self.remove(waiting)
            waiting.make_room()
        self._open.add(client)
        self.reading.start(client)
        return True

    def remove(self, client: Client) -> None:
        """Forget a connection that has ended."""
        self._open.discard(client)
        for waiting in (self.reading, self.finishing, self.idle):
            waiting.stop(client)
