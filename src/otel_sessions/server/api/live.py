"""Changes as they happen: server-sent events of which sessions changed.

Listeners are called on the thread that commits, so they only note what changed. Each client has a bounded note of its
own, which an event empties: a slow client gets fewer events, not more memory.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response, StreamingResponse

from otel_sessions.counting.membership import Pair
from otel_sessions.server.api.endpoints import Endpoint
from otel_sessions.server.api.errors import RETRY_SECONDS, ApiError, documented

MOST_CHANGES: Final = 1_000
"""More sessions than this between two events are not named: the event says that there are more."""

MOST_CLIENTS: Final = 100
HEARTBEAT_SECONDS: Final = 15.0
PAUSE_SECONDS: Final = 0.25
"""Changes within this time after an event come together in the next."""

_BEAT: Final = ":\n\n"


class Subscription:
    """What changed since a client was last told. Made and read on the event loop, added to by any thread."""

    def __init__(self, key: str | None) -> None:
        """Start with nothing; `key` is the session key of interest, `None` for all."""
        self._key = key
        self._lock = threading.Lock()
        self._loop = asyncio.get_running_loop()
        self._changed: dict[Pair, None] = {}
        self._more = False
        self._news = asyncio.Event()
        self._end = asyncio.Event()

    def add(self, pairs: frozenset[Pair]) -> None:
        """Note that sessions changed."""
        with self._lock:
            if len(pairs) > MOST_CHANGES:
                self._more = True
            else:
                self._changed.update((pair, None) for pair in pairs if self._key in (None, pair[0]))
            while len(self._changed) > MOST_CHANGES:
                self._changed.popitem()
                self._more = True
            anything = bool(self._changed) or self._more
        if anything:
            self._tell(self._news)

    def close(self) -> None:
        """End the stream."""
        self._tell(self._end, self._news)

    async def events(self, *, heartbeat: float, pause: float) -> AsyncIterator[str]:
        """The text of the stream until it is closed: events, and a comment where nothing happens for a while."""
        while not self._end.is_set():
            if not await _is_set(self._news, heartbeat):
                yield _BEAT
            elif event := self._taken():
                yield event
                await _is_set(self._end, pause)

    def _taken(self) -> str:
        self._news.clear()
        with self._lock:
            changed, more = list(self._changed), self._more
            self._changed.clear()
            self._more = False
        if not changed and not more:
            return ""
        data = {"sessions": [{"key": key, "id": id_} for key, id_ in changed], "more": more}
        return f"event: changed\ndata: {json.dumps(data)}\n\n"

    def _tell(self, *events: asyncio.Event) -> None:
        # A loop that is closed has no client left to tell.
        with contextlib.suppress(RuntimeError):
            for event in events:
                self._loop.call_soon_threadsafe(event.set)


class LiveFeed:
    """All clients that are told of changes."""

    def __init__(
        self,
        listen: Callable[[Callable[[frozenset[Pair]], object]], Callable[[], None]],
        *,
        heartbeat: float = HEARTBEAT_SECONDS,
        pause: float = PAUSE_SECONDS,
        most: int = MOST_CLIENTS,
    ) -> None:
        """Start without clients.

        Args:
            listen: what has a listener told of changes, and returns what stops it.
            heartbeat: seconds without an event after which a comment is sent.
            pause: seconds after an event in which changes are gathered.
            most: how many clients there can be.
        """
        self._listen = listen
        self._heartbeat = heartbeat
        self._pause = pause
        self._most = most
        self._lock = threading.Lock()
        self._subscriptions: set[Subscription] = set()
        self._closed = False

    @property
    def full(self) -> bool:
        """Whether there is no room for a client: there are too many, or the server is shutting down."""
        return self._closed or len(self._subscriptions) >= self._most

    async def stream(self, key: str | None) -> AsyncIterator[str]:
        """The stream of one client, from the moment its first text is there."""
        subscription = Subscription(key)
        with self._lock:
            self._subscriptions.add(subscription)
            closed = self._closed
        if closed:
            subscription.close()
        stop = self._listen(subscription.add)
        try:
            yield _BEAT
            async for text in subscription.events(heartbeat=self._heartbeat, pause=self._pause):
                yield text
        finally:
            stop()
            with self._lock:
                self._subscriptions.discard(subscription)

    def close(self) -> None:
        """End all streams, now and from now on; from any thread."""
        with self._lock:
            self._closed = True
            open_ = list(self._subscriptions)
        for subscription in open_:
            subscription.close()


router: Final = APIRouter(route_class=Endpoint, tags=["live"], responses=documented(400, 401, 503))

_STREAM: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "A stream of events until the client closes it or the server stops.",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    }
}


async def _feed(request: Request) -> LiveFeed:
    feed: LiveFeed = request.app.state.live
    return feed


@router.get(
    "/v1/live",
    operation_id="streamChanges",
    summary="Be told of changes",
    response_class=StreamingResponse,
    responses=_STREAM,
)
async def stream_changes(
    feed: Annotated[LiveFeed, Depends(_feed)],
    key: Annotated[str | None, Query(description="Only sessions of this key.", min_length=1, max_length=1_000)] = None,
) -> Response:
    """Server-sent events of which sessions were added to, or deleted.

    Events are named `changed`; their data is `{"sessions": [{"key": ..., "id": ...}], "more": false}`. `more` is true
    if others changed too, as after a large import. Nothing is repeated after a break: read what is shown anew.
    """
    if feed.full:
        raise ApiError(
            503, "too_many_streams", "no more streams can be opened now", headers={"Retry-After": str(RETRY_SECONDS)}
        )
    return StreamingResponse(feed.stream(key), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


async def _is_set(event: asyncio.Event, seconds: float) -> bool:
    waiting = asyncio.ensure_future(event.wait())
    try:
        await asyncio.wait({waiting}, timeout=seconds)
    finally:
        waiting.cancel()
    return event.is_set()
