"""`Deadlines`: one timer for all clients that have the same time."""

from __future__ import annotations

import asyncio

from otel_sessions.server.process.waiting_clients import Deadlines


class Client:
    """A client that tells when its time was over."""

    def __init__(self) -> None:
        self.is_late = asyncio.Event()

    def end_late(self) -> None:
        """Note that the time is over."""
        self.is_late.set()

    def make_room(self) -> None:
        """Nothing to note."""


def test_a_client_that_came_later_has_its_whole_time() -> None:
    """When the time of an earlier client would be over, that of a later one goes on."""

    async def run() -> None:
        loop, deadlines, first, second = asyncio.get_running_loop(), Deadlines(0.1), Client(), Client()
        deadlines.start(first)

        def change() -> None:
            deadlines.stop(first)
            deadlines.start(second)

        loop.call_later(0.03, change)
        begun = loop.time()
        async with asyncio.timeout(10):
            await second.is_late.wait()
        assert loop.time() - begun >= 0.1
        assert not first.is_late.is_set()
        assert deadlines.oldest() is None

    asyncio.run(run())
