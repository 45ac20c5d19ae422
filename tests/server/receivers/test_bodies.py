"""Bodies are read within limits of size, memory and time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import anyio
import pytest
from starlette.requests import ClientDisconnect, Request

from otel_sessions.server.otlp.errors import BusyError, TooLargeError
from otel_sessions.server.receivers.bodies import IdleError, InFlightBytes, received, skimmed

LIMIT = 10


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


async def body_of(sent: Sent, in_flight: InFlightBytes) -> bytes:
    """Receive a whole body."""
    async with received(sent.request, in_flight, limit=LIMIT, idle_seconds=0.01) as body:
        return body


async def skim(sent: Sent, in_flight: InFlightBytes) -> bytes:
    """Read a whole body without keeping it."""
    await skimmed(sent.request, limit=LIMIT, idle_seconds=0.01)
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
    with pytest.raises(IdleError, match=r"0\.01 s"):
        run(read, Sent(b"ab", then="silence"), in_flight)
    assert is_empty(in_flight)


@pytest.mark.parametrize("read", [body_of, skim])
def test_a_client_that_goes_away(read: Callable[[Sent, InFlightBytes], Awaitable[bytes]]) -> None:
    """A client that goes away is not taken for one whose body has ended."""
    with pytest.raises(ClientDisconnect):
        run(read, Sent(b"ab", then="gone"), InFlightBytes())


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


def test_the_first_one_always_fits() -> None:
    """A request larger than the whole size is taken while no other is, or it would be refused for ever."""
    in_flight = InFlightBytes(2)
    assert run(body_of, Sent(b"abc", length="3"), in_flight) == b"abc"
    with pytest.raises(BusyError):
        run(body_of, Sent(b"a", b"bcd"), in_flight)
