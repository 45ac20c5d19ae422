"""Streams of changes: what events name, how much is kept for a client, and how streams end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.server.api.sending import a_span, send

from otel_sessions.server.api.app import create_app
from otel_sessions.server.api.live import MAX_CHANGES, LiveFeed, Subscription
from otel_sessions.server.backend import Backend

Pairs = frozenset[tuple[str, str]]
Listen = Callable[[Callable[[Pairs], object]], Callable[[], None]]

HEARTBEAT = ":\n\n"


class Changes:
    """The changes of a backend, made by hand; or those of a real backend, if its `listen` is given."""

    def __init__(self, listen: Listen | None = None) -> None:
        self._listen = listen
        self.listeners: list[Callable[[Pairs], object]] = []

    def listen(self, listener: Callable[[Pairs], object]) -> Callable[[], None]:
        """Add a listener."""
        self.listeners.append(listener)
        stop = self._listen(listener) if self._listen else lambda: None

        def stop_both() -> None:
            self.listeners.remove(listener)
            stop()

        return stop_both

    def tell(self, *pairs: tuple[str, str]) -> None:
        """Call all listeners."""
        for listener in self.listeners:
            listener(frozenset(pairs))


def run(story: Coroutine[Any, Any, None]) -> None:
    """Run a story to its end, which must come soon."""
    asyncio.run(asyncio.wait_for(story, 20))


def told(text: str) -> tuple[set[tuple[str, str]], bool]:
    """The sessions that an event names, and its `more`."""
    name, data, *rest = text.split("\n")
    assert (name, rest) == ("event: changed", ["", ""])
    event = json.loads(data.removeprefix("data: "))
    return {(one["key"], one["id"]) for one in event["sessions"]}, event["more"]


def feed_of(changes: Changes, **more: Any) -> LiveFeed:
    """A feed that rarely sends comments and never pauses."""
    return LiveFeed(changes.listen, **{"heartbeat": 10, "pause": 0, **more})


async def opened(feed: LiveFeed, key: str | None = None) -> AsyncIterator[str]:
    """A stream that has begun to listen."""
    stream = feed.stream(key)
    assert await anext(stream) == HEARTBEAT
    return stream


def test_changes_are_told() -> None:
    """An event names each session once, however often it changed since the last event."""

    async def story() -> None:
        changes = Changes()
        stream = await opened(feed_of(changes))
        changes.tell(("id", "a"), ("ticket", "1"))
        changes.tell(("id", "a"))
        assert told(await anext(stream)) == ({("id", "a"), ("ticket", "1")}, False)
        changes.tell(("id", "b\n\ndata: <script>"))
        assert told(await anext(stream)) == ({("id", "b\n\ndata: <script>")}, False)

    run(story())


def test_changes_of_one_key() -> None:
    """A stream for one key has no events for other keys."""

    async def story() -> None:
        changes = Changes()
        stream = await opened(feed_of(changes, heartbeat=0.01), "ticket")
        changes.tell(("id", "a"))
        assert await anext(stream) == HEARTBEAT
        changes.tell(("id", "a"), ("ticket", "1"))
        assert told(await anext(stream)) == ({("ticket", "1")}, False)

    run(story())


def test_a_slow_client_costs_no_memory() -> None:
    """An event names a limited number of sessions, changed at once or one by one, and says if there are more."""

    async def story() -> None:
        changes = Changes()
        stream = await opened(feed_of(changes))
        changes.tell(*(("id", str(number)) for number in range(MAX_CHANGES + 1)))
        assert told(await anext(stream)) == (set(), True)
        for number in range(MAX_CHANGES + 5):
            changes.tell(("id", str(number)))
        named, more = told(await anext(stream))
        assert (len(named), more) == (MAX_CHANGES, True)

    run(story())


def test_silence() -> None:
    """A stream without changes has comments now and then, so that no proxy closes the connection."""

    async def story() -> None:
        stream = await opened(feed_of(Changes(), heartbeat=0.01))
        assert [await anext(stream) for _ in range(2)] == [HEARTBEAT, HEARTBEAT]

    run(story())


def test_changes_soon_after_an_event_come_together() -> None:
    """One event names everything that changed during a pause."""

    async def story() -> None:
        changes = Changes()
        stream = await opened(feed_of(changes, pause=0.05))
        changes.tell(("id", "a"))
        await anext(stream)
        event = asyncio.ensure_future(anext(stream))
        for name in "bcd":
            await asyncio.sleep(0)
            changes.tell(("id", name))
        assert told(await event) == ({("id", "b"), ("id", "c"), ("id", "d")}, False)

    run(story())


def test_changes_while_an_event_is_made() -> None:
    """A change is named by an event whenever it comes, and no event is empty."""

    async def story() -> None:
        changes = Changes()
        stream = await opened(feed_of(changes))
        sent = {("id", "0")}
        changes.tell(*sent)
        event = asyncio.ensure_future(anext(stream))
        while not event.done():
            sent.add(("id", str(len(sent))))
            changes.tell(*sent)
            await asyncio.sleep(0)
        events = [told(await event)[0]]
        event = asyncio.ensure_future(anext(stream))
        for _ in range(10):
            await asyncio.sleep(0)
        changes.tell(("id", "last"))
        events.append(told(await event)[0])
        if ("id", "last") not in events[-1]:
            events.append(told(await anext(stream))[0])
        assert all(events)
        assert set().union(*events) == {*sent, ("id", "last")}

    run(story())


def test_the_end() -> None:
    """Closing a feed from any thread ends all streams, also those that are opened later, and stops all listeners."""

    async def story() -> None:
        changes = Changes()
        feed = feed_of(changes)
        streams = [await opened(feed), await opened(feed)]
        assert len(changes.listeners) == 2
        await asyncio.to_thread(feed.close)
        for stream in streams:
            assert [text async for text in stream] == []
        assert [text async for text in feed.stream(None)] == [HEARTBEAT]
        assert (changes.listeners, feed.full) == ([], True)

    run(story())


def test_a_client_that_went() -> None:
    """The stream of a client that left no longer listens; a change that comes after its event loop ended does no harm."""
    kept: list[Subscription] = []

    async def story() -> None:
        changes = Changes()
        feed = feed_of(changes, max_clients=1)
        stream = feed.stream(None)
        await anext(stream)
        assert feed.full
        await stream.aclose()  # type: ignore[attr-defined]
        assert (changes.listeners, feed.full) == ([], False)
        kept.append(Subscription(None))

    run(story())
    kept[0].add(frozenset({("id", "a")}))
    kept[0].close()


def test_too_many_streams(backend: Backend) -> None:
    """A stream too many answers 503, and when to try again; a wrong parameter is still an error of its own."""
    app = create_app(backend)
    app.state.live = LiveFeed(backend.listen, max_clients=0)
    client = TestClient(app)
    answer = client.get("/v1/live")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert answer.json()["error"]["code"] == "too_many_streams"
    assert client.get("/v1/live", params={"key": ""}).status_code == 400


@pytest.mark.parametrize("leaves", ["client", "server"])
def test_over_http(backend: Backend, leaves: str) -> None:
    """A commit and a deletion reach the client; either side can end the stream, which then no longer listens."""

    async def story() -> None:
        app = create_app(backend)
        changes = Changes(backend.listen)
        app.state.live = LiveFeed(changes.listen)
        sent: asyncio.Queue[Any] = asyncio.Queue()
        gone = asyncio.Event()

        async def receive() -> dict[str, Any]:
            await gone.wait()
            return {"type": "http.disconnect"}

        path = {"path": "/v1/live", "raw_path": b"/v1/live", "query_string": b"key=id", "headers": []}
        scope = {"type": "http", "method": "GET", "http_version": "1.1", "asgi": {"spec_version": "2.3"}, **path}
        request = asyncio.ensure_future(app(scope, receive, sent.put))
        head = await sent.get()
        headers = dict(head["headers"])
        assert (head["status"], headers[b"cache-control"]) == (200, b"no-store")
        assert headers[b"content-type"].startswith(b"text/event-stream")
        assert (await sent.get())["body"] == HEARTBEAT.encode()
        send(backend, a_span(1, session="a/b", attributes={"session.key.ticket": 1}))
        assert told((await sent.get())["body"].decode()) == ({("id", "a/b")}, False)
        await asyncio.to_thread(backend.delete_session, "a/b")
        assert told((await sent.get())["body"].decode()) == ({("id", "a/b")}, False)
        if leaves == "client":
            gone.set()
        else:
            app.state.live.close()
        await request
        assert changes.listeners == []

    run(story())
