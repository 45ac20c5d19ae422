"""Bodies are read within limits of size, room and time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import anyio
import pytest
from starlette.requests import ClientDisconnect, Request

from otel_sessions.server.otlp.errors import BusyError, TooLargeError
from otel_sessions.server.receivers.bodies import IdleError, Room, received, skimmed

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


async def body_of(sent: Sent, room: Room) -> bytes:
    """The whole body."""
    async with received(sent.request, room, limit=LIMIT, idle_seconds=0.01) as body:
        return body


async def skim(sent: Sent, room: Room) -> bytes:
    """The same without keeping it."""
    await skimmed(sent.request, limit=LIMIT, idle_seconds=0.01)
    return b""


def run(read: Callable[[Sent, Room], Awaitable[bytes]], sent: Sent, room: Room) -> bytes:
    """In an event loop of its own."""

    async def reading() -> bytes:
        return await read(sent, room)

    return anyio.run(reading)


def is_empty(room: Room) -> bool:
    """Whether all of it was given back; then more than it has fits in, once."""
    room.take(1000)
    room.leave(1000)
    return True


@pytest.mark.parametrize("length", [None, "6", "nonsense", "2"])
def test_chunks_become_a_body(length: str | None) -> None:
    """Whether or not its size was said before, and right."""
    room = Room(LIMIT)
    assert run(body_of, Sent(b"ab", b"", b"cdef", length=length), room) == b"abcdef"
    assert is_empty(room)


@pytest.mark.parametrize("read", [body_of, skim])
def test_a_size_over_the_limit_is_refused_unread(read: Callable[[Sent, Room], Awaitable[bytes]]) -> None:
    """What says that it is too large is not read at all."""
    sent = Sent(b"x" * 11, length="11")
    with pytest.raises(TooLargeError, match="10"):
        run(read, sent, Room())
    assert sent.read == 0


@pytest.mark.parametrize("read", [body_of, skim])
def test_a_body_without_a_size_is_read_to_the_limit(read: Callable[[Sent, Room], Awaitable[bytes]]) -> None:
    """It is refused as soon as it has too much, not at its end."""
    sent = Sent(*[b"x" * 4] * 100)
    room = Room()
    with pytest.raises(TooLargeError):
        run(read, sent, room)
    assert sent.read == 3
    assert is_empty(room)


@pytest.mark.parametrize("read", [body_of, skim])
def test_a_silent_client_is_given_up(read: Callable[[Sent, Room], Awaitable[bytes]]) -> None:
    """It takes room from others."""
    room = Room()
    with pytest.raises(IdleError, match=r"0\.01 s"):
        run(read, Sent(b"ab", then="silence"), room)
    assert is_empty(room)


@pytest.mark.parametrize("read", [body_of, skim])
def test_a_client_that_goes_away(read: Callable[[Sent, Room], Awaitable[bytes]]) -> None:
    """It is told from one that is done."""
    with pytest.raises(ClientDisconnect):
        run(read, Sent(b"ab", then="gone"), Room())


def test_there_is_room_for_so_many_bytes() -> None:
    """A body that says its size is refused before it is read, another one while it is."""
    room = Room(LIMIT)
    room.take(8)
    declared, undeclared = Sent(b"abc", length="3"), Sent(b"a", b"bc")
    for sent in (declared, undeclared):
        with pytest.raises(BusyError) as refused:
            run(body_of, sent, room)
        assert refused.value.retry_after
    assert (declared.read, undeclared.read) == (0, 2)
    assert run(body_of, Sent(b"ab"), room) == b"ab"
    room.leave(8)
    assert run(body_of, Sent(b"abc", length="3"), room) == b"abc"


def test_the_first_one_always_fits() -> None:
    """A room that is smaller than what one request may have would refuse such a request for ever."""
    room = Room(2)
    assert run(body_of, Sent(b"abc", length="3"), room) == b"abc"
    with pytest.raises(BusyError):
        run(body_of, Sent(b"a", b"bcd"), room)
