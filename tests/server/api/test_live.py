"""Streams of changes: what is told, how much is kept, and how they end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient
from tests.server.api.sending import a_span, send

from otel_sessions.server.api.app import create_app
from otel_sessions.server.api.live import MOST_CHANGES, LiveFeed, Subscription
from otel_sessions.server.backend import Backend

Pairs = frozenset[tuple[str, str]]

BEAT = ":\n\n"


class Changes:
    """What a backend tells its listeners, told by hand."""

    def __init__(self) -> None:
        self.listeners: list[Callable[[Pairs], object]] = []

    def listen(self, listener: Callable[[Pairs], object]) -> Callable[[], None]:
        """Add a listener."""
        self.listeners.append(listener)
        return lambda: self.listeners.remove(listener)

    def tell(self, *pairs: tuple[str, str]) -> None:
        """Tell all of them."""
        for listener in self.listeners:
            listener(frozenset(pairs))


def run(story: Coroutine[Any, Any, None]) -> None:
    """Play a story to its end, which must come soon."""
    asyncio.run(asyncio.wait_for(story, 20))


def told(text: str) -> tuple[set[tuple[str, str]], bool]:
    """The sessions of an event, and whether there are more."""
    name, data, *rest = text.split("\n")
    assert (name, rest) == ("event: changed", ["", ""])
    event = json.loads(data.removeprefix("data: "))
    return {(one["key"], one["id"]) for one in event["sessions"]}, event["more"]


def feed_of(changes: Changes, **more: Any) -> LiveFeed:
    """A feed that beats rarely and never pauses."""
    return LiveFeed(changes.listen, **{"heartbeat": 10, "pause": 0, **more})


async def opened(feed: LiveFeed, key: str | None = None) -> AsyncIterator[str]:
    """A stream that listens."""
    stream = feed.stream(key)
    assert await anext(stream) == BEAT
    return stream


def test_changes_are_told() -> None:
    """Each once, however often it changed since the last event."""

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
    """Others wake nobody."""

    async def story() -> None:
        changes = Changes()
        stream = await opened(feed_of(changes, heartbeat=0.01), "ticket")
        changes.tell(("id", "a"))
        assert await anext(stream) == BEAT
        changes.tell(("id", "a"), ("ticket", "1"))
        assert told(await anext(stream)) == ({("ticket", "1")}, False)

    run(story())


def test_a_slow_client_costs_no_memory() -> None:
    """So many sessions are named, in one change or in many; of others it is said that there are some."""

    async def story() -> None:
        changes = Changes()
        stream = await opened(feed_of(changes))
        changes.tell(*(("id", str(number)) for number in range(MOST_CHANGES + 1)))
        assert told(await anext(stream)) == (set(), True)
        for number in range(MOST_CHANGES + 5):
            changes.tell(("id", str(number)))
        named, more = told(await anext(stream))
        assert (len(named), more) == (MOST_CHANGES, True)

    run(story())


def test_silence() -> None:
    """A comment now and then, so that what is between does not close the connection."""

    async def story() -> None:
        stream = await opened(feed_of(Changes(), heartbeat=0.01))
        assert [await anext(stream) for _ in range(2)] == [BEAT, BEAT]

    run(story())


def test_changes_soon_after_an_event_come_together() -> None:
    """One event tells all of a pause."""

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


def test_a_wake_without_news() -> None:
    """What an earlier event told already is not told again."""

    async def story() -> None:
        subscription = Subscription(None)
        subscription.add(frozenset({("id", "a")}))
        events = subscription.events(heartbeat=10, pause=0)
        assert told(await anext(events)) == ({("id", "a")}, False)
        subscription._news.set()
        waiting = asyncio.ensure_future(anext(events))
        while subscription._news.is_set():  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0)
        subscription.add(frozenset({("id", "b")}))
        assert told(await waiting) == ({("id", "b")}, False)

    run(story())


def test_the_end() -> None:
    """Closing ends all streams, from any thread, also those that are opened later; nobody listens any more."""

    async def story() -> None:
        changes = Changes()
        feed = feed_of(changes)
        streams = [await opened(feed), await opened(feed)]
        assert len(changes.listeners) == 2
        await asyncio.to_thread(feed.close)
        for stream in streams:
            assert [text async for text in stream] == []
        assert [text async for text in feed.stream(None)] == [BEAT]
        assert (changes.listeners, feed.full) == ([], True)

    run(story())


def test_a_client_that_went() -> None:
    """Is forgotten; a change that is told after its loop ended harms nobody."""
    kept: list[Subscription] = []

    async def story() -> None:
        changes = Changes()
        feed = feed_of(changes, most=1)
        stream = feed.stream(None)
        await anext(stream)
        assert feed.full
        await stream.aclose()  # type: ignore[attr-defined]
        assert (changes.listeners, feed.full) == ([], False)
        kept.append(Subscription(None))

    run(story())
    kept[0].add(frozenset({("id", "a")}))
    kept[0].close()


def test_too_many_streams(client: TestClient, app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    """Are refused for now."""
    monkeypatch.setattr(app.state.live, "_most", 0)
    answer = client.get("/v1/live")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert answer.json()["error"]["code"] == "too_many_streams"
    assert client.get("/v1/live", params={"key": ""}).status_code == 400


@pytest.mark.parametrize("leaves", ["client", "server"])
def test_over_http(backend: Backend, leaves: str) -> None:
    """A commit reaches the client; either side can end it, and nothing listens any more."""

    async def story() -> None:
        app = create_app(backend)
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
        assert (await sent.get())["body"] == BEAT.encode()
        send(backend, a_span(1, session="a/b", attributes={"session.key.ticket": 1}))
        assert told((await sent.get())["body"].decode()) == ({("id", "a/b")}, False)
        await asyncio.to_thread(backend.delete_session, "a/b")
        assert told((await sent.get())["body"].decode()) == ({("id", "a/b")}, False)
        if leaves == "client":
            gone.set()
        else:
            app.state.live.close()
        await request
        assert backend._listeners == []

    run(story())
