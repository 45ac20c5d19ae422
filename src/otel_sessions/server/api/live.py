"""Live changes: a stream of server-sent events that name the sessions that changed.

Listeners run on the thread that commits, so they only record which sessions changed. Each client has a bounded record of its
own, which an event empties: a slow client gets fewer events, and takes no more memory.
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
from otel_sessions.server.api.errors import error_responses, unavailable
from otel_sessions.server.api.parameters import MAX_LENGTH

MAX_CHANGES: Final = 1_000
"""How many sessions an event names; if more changed since the last event, it says so."""

MAX_CLIENTS: Final = 100
HEARTBEAT_SECONDS: Final = 15.0
PAUSE_SECONDS: Final = 0.25
"""Changes within this time after an event are gathered in the next one."""

_HEARTBEAT: Final = ":\n\n"


class Subscription:
    """The sessions that changed since the last event of one client.

    It is made and read on the event loop; any thread may add changes.
    """

    def __init__(self, key: str | None) -> None:
        """Record changes of sessions with this key; `None` records all."""
        self._key = key
        self._lock = threading.Lock()
        self._loop = asyncio.get_running_loop()
        self._pairs: dict[Pair, None] = {}
        self._has_more = False
        self._changes_added = asyncio.Event()
        self._end = asyncio.Event()

    def add(self, pairs: frozenset[Pair]) -> None:
        """Record that sessions changed."""
        with self._lock:
            if len(pairs) > MAX_CHANGES:
                self._has_more = True
            else:
                self._pairs.update((pair, None) for pair in pairs if self._key in (None, pair[0]))
            while len(self._pairs) > MAX_CHANGES:
                self._pairs.popitem()
                self._has_more = True
            has_changes = bool(self._pairs) or self._has_more
        if has_changes:
            self._set(self._changes_added)

    def close(self) -> None:
        """End the stream."""
        self._set(self._end, self._changes_added)

    async def events(self, *, heartbeat: float, pause: float) -> AsyncIterator[str]:
        """The text of the stream until it is closed: events, and comments when nothing changes for a while.

        Args:
            heartbeat: seconds without an event after which a comment is sent.
            pause: seconds after an event in which changes are gathered.
        """
        while not self._end.is_set():
            if not await _is_set(self._changes_added, heartbeat):
                yield _HEARTBEAT
            elif event := self._take():
                yield event
                await _is_set(self._end, pause)

    def _take(self) -> str:
        self._changes_added.clear()
        with self._lock:
            changed, more = list(self._pairs), self._has_more
            self._pairs.clear()
            self._has_more = False
        if not changed and not more:
            return ""
        data = {"sessions": [{"key": key, "id": id_} for key, id_ in changed], "more": more}
        return f"event: changed\ndata: {json.dumps(data)}\n\n"

    def _set(self, *events: asyncio.Event) -> None:
        # A closed loop has no clients left.
        with contextlib.suppress(RuntimeError):
            for event in events:
                self._loop.call_soon_threadsafe(event.set)


class LiveFeed:
    """The clients that listen to changes."""

    def __init__(
        self,
        listen: Callable[[Callable[[frozenset[Pair]], object]], Callable[[], None]],
        *,
        heartbeat: float = HEARTBEAT_SECONDS,
        pause: float = PAUSE_SECONDS,
        max_clients: int = MAX_CLIENTS,
    ) -> None:
        """Listen to changes for each client.

        Args:
            listen: calls a listener with each change, until the function that it returns is called.
            heartbeat: seconds without an event after which a comment is sent.
            pause: seconds after an event in which changes are gathered.
            max_clients: how many clients can listen at once.
        """
        self._listen = listen
        self._heartbeat = heartbeat
        self._pause = pause
        self._max_clients = max_clients
        self._lock = threading.Lock()
        self._subscriptions: set[Subscription] = set()
        self._closed = False

    @property
    def full(self) -> bool:
        """Return True if no client can be added: there are too many, or the feed is closed."""
        return self._closed or len(self._subscriptions) >= self._max_clients

    async def stream(self, key: str | None) -> AsyncIterator[str]:
        """The stream of one client. It has all changes after its first text, which is a comment."""
        subscription = Subscription(key)
        with self._lock:
            self._subscriptions.add(subscription)
            closed = self._closed
        if closed:
            subscription.close()
        stop = self._listen(subscription.add)
        try:
            yield _HEARTBEAT
            async for text in subscription.events(heartbeat=self._heartbeat, pause=self._pause):
                yield text
        finally:
            stop()
            with self._lock:
                self._subscriptions.discard(subscription)

    def close(self) -> None:
        """End all streams, and those that are opened later as soon as they begin. Any thread may call this."""
        with self._lock:
            self._closed = True
            open_ = list(self._subscriptions)
        for subscription in open_:
            subscription.close()


router: Final = APIRouter(route_class=Endpoint, tags=["live"], responses=error_responses(400, 401, 403, 421, 503))

_STREAM: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "A stream of events, which ends when the client closes it or the server stops.",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    }
}


async def _feed(request: Request) -> LiveFeed:
    feed: LiveFeed = request.app.state.live
    return feed


@router.get(
    "/v1/live",
    operation_id="streamChanges",
    summary="Stream changes of sessions",
    response_class=StreamingResponse,
    responses=_STREAM,
)
async def stream_changes(
    feed: Annotated[LiveFeed, Depends(_feed)],
    key: Annotated[
        str | None, Query(description="Only sessions with this session key.", min_length=1, max_length=MAX_LENGTH)
    ] = None,
) -> Response:
    """Stream server-sent events that name the sessions that changed or were deleted.

    The events are called `changed`. Their data is `{"sessions": [{"key": ..., "id": ...}], "more": false}`, where `more` is
    true if other sessions changed too, as after a large import. Events are not repeated: after a lost connection, read again
    what you show.
    """
    if feed.full:
        raise unavailable("too_many_streams", "no more streams can be opened now")
    return StreamingResponse(feed.stream(key), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


async def _is_set(event: asyncio.Event, seconds: float) -> bool:
    waiting = asyncio.ensure_future(event.wait())
    try:
        await asyncio.wait({waiting}, timeout=seconds)
    finally:
        waiting.cancel()
    return event.is_set()
