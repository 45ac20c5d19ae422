"""Bodies are read within limits of size, memory and time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import anyio
import pytest
from starlette.requests import ClientDisconnect, Request

from otel_sessions.server.otlp.errors import BusyError, TooLargeError
from otel_sessions.server.receivers.bodies import InFlightBytes, Pace, TooSlowError, received, skimmed

LIMIT = 10
QUICK = Pace(window_seconds=0.01)


class Sent:
    """A request whose body comes in these chunks; after them the client is silent, or gone."""

    def __init__(self, *chunks: bytes, length: str | None = None, then: str = "end") -> None:
        self._messages = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks]
        if then == "end":
            self._messages.append({"type": "http.request", "body": b"", "more_body": False})
        if then == "gone":
            self._messages.append({"type": "http.disconnect"})
        headers = [] if length is None else [(b"content-length", length.encode())]
        self.read = 0
        self.request = Request({"type": "http", "method": "POST", "headers": headers}, self._receive)

    async def _receive(self) -> dict[str, object]:
        if not self._messages:
            await anyio.sleep_forever()
        self.read += 1
        return self._messages.pop(0)


async def body_of(sent: Sent, in_flight: InFlightBytes, pace: Pace = QUICK) -> bytes:
    """Receive a whole body."""
    async with received(sent.request, in_flight, limit=LIMIT, pace=pace) as body:
        return body


async def skim(sent: Sent, in_flight: InFlightBytes, pace: Pace = QUICK) -> bytes:
    """Read a whole body without keeping it."""
    await skimmed(sent.request, limit=LIMIT, pace=pace)
    return b""


def run(read: Callable[[Sent, InFlightBytes], Awaitable[bytes]], sent: Sent, in_flight: InFlightBytes) -> bytes:
    """Run one of these two in an event loop."""

    async def reading() -> bytes:
        return await read(sent, in_flight)

    return anyio.run(reading)


def is_empty(in_flight: InFlightBytes) -> bool:
    """Return True if no bytes are reserved: then even more than the size may be."""
    in_flight.reserve(1000)
    in_flight.release(1000)
    return True


@pytest.mark.parametrize("length", [None, "6", "nonsense", "2"])
def test_chunks_become_a_body(length: str | None) -> None:
    """A body is its chunks together, whatever size was declared."""
    in_flight = InFlightBytes(LIMIT)
    assert run(body_of, Sent(b"ab", b"", b"cdef", length=length), in_flight) == b"abcdef"
    assert is_empty(in_flight)


@pytest.mark.parametrize("read", [body_of, skim])
def test_a_size_over_the_limit_is_refused_unread(read: Callable[[Sent, InFlightBytes], Awaitable[bytes]]) -> None:
    """A body that declares a size over the limit is not read at all."""
    sent = Sent(b"x" * 11, length="11")
    with pytest.raises(TooLargeError, match="10"):
        run(read, sent, InFlightBytes())
    assert sent.read == 0


@pytest.mark.parametrize("read", [body_of, skim])
def test_a_body_without_a_size_is_read_to_the_limit(read: Callable[[Sent, InFlightBytes], Awaitable[bytes]]) -> None:
    """A body of unknown size is refused as soon as it has too many bytes, not at its end."""
    sent = Sent(*[b"x" * 4] * 100)
    in_flight = InFlightBytes()
    with pytest.raises(TooLargeError):
        run(read, sent, in_flight)
    assert sent.read == 3
    assert is_empty(in_flight)


@pytest.mark.parametrize("read", [body_of, skim])
def test_a_silent_client(read: Callable[[Sent, InFlightBytes], Awaitable[bytes]]) -> None:
    """A client that sends nothing for too long is refused, and its bytes are released."""
    in_flight = InFlightBytes()
    with pytest.raises(TooSlowError, match="8000 bytes a second"):
        run(read, Sent(b"ab", then="silence"), in_flight)
    assert is_empty(in_flight)


class Steady(Sent):
    """A request whose body never ends: a byte comes whenever one is read, at a time of its own clock."""

    def __init__(self, clock: list[float], seconds: float) -> None:
        super().__init__()
        self._clock, self._seconds = clock, seconds

    async def _receive(self) -> dict[str, object]:
        await anyio.lowlevel.checkpoint()
        self._clock[0] += self._seconds
        self.read += 1
        return {"type": "http.request", "body": b"x", "more_body": True}


@pytest.mark.parametrize("read", [body_of, skim])
@pytest.mark.parametrize(
    ("pace", "chunks"),
    [
        # A byte comes every 2 s: too few for 8 in a window of 8 s, enough for 2 until all of the time is over.
        (Pace(window_seconds=8.0, bytes_a_second=1.0, seconds=1e9), 4),
        (Pace(window_seconds=8.0, bytes_a_second=0.25, seconds=16.0), 8),
    ],
)
def test_a_slow_client(
    monkeypatch: pytest.MonkeyPatch,
    read: Callable[[Sent, InFlightBytes, Pace], Awaitable[bytes]],
    pace: Pace,
    chunks: int,
) -> None:
    """A client that sends a byte now and then is refused, as is one that is fast enough and takes too long for the whole."""
    clock = [0.0]
    monkeypatch.setattr("anyio.current_time", lambda: clock[0])
    in_flight = InFlightBytes()
    sent = Steady(clock, 2.0)

    async def reading() -> bytes:
        return await read(sent, in_flight, pace)

    with pytest.raises(TooSlowError):
        anyio.run(reading)
    assert sent.read == chunks
    assert is_empty(in_flight)


@pytest.mark.parametrize("read", [body_of, skim])
def test_a_client_that_goes_away(read: Callable[[Sent, InFlightBytes], Awaitable[bytes]]) -> None:
    """A client that goes away is not taken for one whose body has ended."""
    with pytest.raises(ClientDisconnect):
        run(read, Sent(b"ab", then="gone"), InFlightBytes())


def test_what_is_declared_and_not_sent_takes_no_room() -> None:
    """Clients that declare large bodies and send a byte leave the room to others."""
    in_flight = InFlightBytes(24)

    async def reading() -> bytes:
        async with anyio.create_task_group() as tasks:
            for _ in range(8):
                silent = Sent(b"a", length="10", then="silence")
                tasks.start_soon(body_of, silent, in_flight, Pace())
                while not silent.read:
                    await anyio.lowlevel.checkpoint()
            body = await body_of(Sent(b"ab", length="2"), in_flight)
            tasks.cancel_scope.cancel()
        return body

    assert anyio.run(reading) == b"ab"
    assert is_empty(in_flight)


def test_the_bytes_in_flight_are_bounded() -> None:
    """Without bytes left, a body that declares its size is refused before it is read, any other while it is."""
    in_flight = InFlightBytes(LIMIT)
    in_flight.reserve(8)
    declared, undeclared = Sent(b"abc", length="3"), Sent(b"a", b"bc")
    for sent in (declared, undeclared):
        with pytest.raises(BusyError) as refused:
            run(body_of, sent, in_flight)
        assert refused.value.retry_after
    assert (declared.read, undeclared.read) == (0, 2)
    assert run(body_of, Sent(b"ab"), in_flight) == b"ab"
    in_flight.release(8)
    assert run(body_of, Sent(b"abc", length="3"), in_flight) == b"abc"


@pytest.mark.parametrize("length", ["3", None])
def test_the_first_one_always_fits(length: str | None) -> None:
    """A request larger than the whole size is taken while no other is, or it would be refused for ever."""
    assert run(body_of, Sent(b"a", b"bc", length=length), InFlightBytes(2)) == b"abc"
