"""`LiveChanges`: the sessions of a server that change, across the end and the return of the server."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from typing import Any, Final, NamedTuple

from otel_sessions.cli.client import Client, NotFoundError, UnreachableError, session_path

Item = Mapping[str, Any]

NEW: Final = "new"
CHANGED: Final = "changed"
DELETED: Final = "deleted"

SESSIONS: Final = 100
"""How many sessions, those last active, are compared after a time without news."""

KEPT: Final = 100_000
"""How many sessions are remembered."""

QUIET_SECONDS: Final = 45.0
"""After this time without a line the connection is taken for lost; a server sends one every 15 seconds."""

FIRST_PAUSE: Final = 0.25
LONGEST_PAUSE: Final = 5.0


class _Seen(NamedTuple):
    """What is remembered of a session: enough to tell whether it changed."""

    start: str
    digest: int

    @classmethod
    def of(cls, session: Item) -> _Seen:
        """What is remembered of a session as the API answers with it."""
        # The status changes by itself as time passes.
        told = {name: value for name, value in session.items() if name != "status"}
        return cls(str(session.get("start")), hash(json.dumps(told, sort_keys=True)))


class LiveChanges:
    """What happens to the sessions of one key from now on.

    A stream of a server tells of no change twice. So when it was lost, the sessions that were last active are compared with
    what they were.
    """

    def __init__(
        self,
        client: Client,
        key: str,
        *,
        told: Callable[[str], object],
        pause: Callable[[float], object] = time.sleep,
    ) -> None:
        """Follow a server.

        Args:
            client: the server; it should wait for `QUIET_SECONDS` at least.
            key: the session key.
            told: gets a message when the server goes away, and when it is back.
            pause: waits for some seconds.
        """
        self._client = client
        self._key = key
        self._told = told
        self._pause = pause
        self._known: dict[str, _Seen] = {}

    def follow(self, *, last: int) -> Iterator[dict[str, Any]]:
        """Sessions as they are, with `change`: first the given number of those last active, then each that is new or has changed.

        Raises:
            CommandError: the server cannot be reached at the start, or it refuses to answer.
        """
        is_first = True
        waits = _pauses()
        while True:
            try:
                for text in self._events():
                    if text is not None:
                        yield from self._changed(text)
                        continue
                    # The stream has begun: what changes from here on is told in it.
                    if is_first:
                        yield from self._shown_at_start(last)
                    else:
                        self._told(f"connected again to {self._client.url}")
                        yield from self._missed()
                    is_first, waits = False, _pauses()
                reason = f"{self._client.url} ended the connection"
            except UnreachableError as error:
                if is_first:
                    raise
                reason = str(error).partition(";")[0]
            wait = next(waits)
            if wait == FIRST_PAUSE:
                self._told(f"{reason}; trying again until it answers, Ctrl-C ends")
            self._pause(wait * random.uniform(0.5, 1))  # noqa: S311 - spreads clients, keeps no secret

    def _events(self) -> Iterator[str | None]:
        """`None` when the stream has begun, then the data of each event."""
        lines = self._client.lines("/v1/live", {"key": self._key})
        with closing(lines):  # type: ignore[type-var]
            has_begun = False
            for line in lines:
                if not has_begun:
                    has_begun = True
                    yield None
                if line.startswith("data:"):
                    yield line.removeprefix("data:")

    def _changed(self, text: str) -> Iterator[dict[str, Any]]:
        event = json.loads(text)
        for named in event.get("sessions") or ():
            if named.get("key") == self._key:
                yield from self._now(str(named["id"]))
        if event.get("more"):
            yield from self._missed()

    def _now(self, session_id: str) -> Iterator[dict[str, Any]]:
        try:
            session = self._client.get(session_path(session_id), {"key": self._key})["data"]
        except NotFoundError:
            if self._known.pop(session_id, None) is not None:
                yield {"id": session_id, "key": self._key, "change": DELETED}
            return
        session.pop("traces", None)
        yield from self._noted(session)

    def _noted(self, session: dict[str, Any]) -> Iterator[dict[str, Any]]:
        before, now = self._known.pop(session["id"], None), _Seen.of(session)
        if before != now:
            yield {"change": NEW if before is None and not self._was_there(now) else CHANGED, **session}
        self._known[session["id"]] = now
        if len(self._known) > KEPT:
            del self._known[next(iter(self._known))]

    def _was_there(self, seen: _Seen) -> bool:
        """Whether a session that was not among those last active began before all of them, so that it is not new."""
        return len(self._known) >= SESSIONS and seen.start < min(one.start for one in self._known.values())

    def _last_active(self) -> list[dict[str, Any]]:
        wanted = {"key": self._key, "sort": "last_active"}
        return list(self._client.items("/v1/sessions", wanted, most=SESSIONS))[::-1]

    def _shown_at_start(self, last: int) -> Iterator[dict[str, Any]]:
        found = self._last_active()
        self._known = {session["id"]: _Seen.of(session) for session in found}
        yield from ({"change": None, **session} for session in found[len(found) - min(last, len(found)) :])

    def _missed(self) -> Iterator[dict[str, Any]]:
        for session in self._last_active():
            yield from self._noted(session)


def _pauses() -> Iterator[float]:
    pause = FIRST_PAUSE
    while True:
        yield pause
        pause = min(2 * pause, LONGEST_PAUSE)
