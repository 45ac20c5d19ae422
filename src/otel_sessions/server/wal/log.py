"""`RequestLog`: where requests are acknowledged, and where the committer takes them from."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from otel_sessions.server.wal.segments import Segment, numbers, record_of, remove_segment

logger: Final = logging.getLogger("otel_sessions.server.ingest")

RETRY_SECONDS: Final = 1.0

READERS_SECONDS: Final = 2.0
"""So long after one reader another one is expected."""

_BLOCK: Final = 1_000_000
"""Numbers reserved at each start: far more than a process uses, so that no number is ever used twice."""


class BackloggedError(Exception):
    """More is waiting to be committed than the bound allows; the sender is to come again after `retry_seconds`."""

    def __init__(self, waiting: int, bound: int) -> None:
        """Say how much is waiting."""
        super().__init__(f"{waiting} bytes wait to be stored, {bound} are allowed; send again later")
        self.retry_seconds = RETRY_SECONDS


@dataclass(slots=True)
class Request:
    """An acknowledged request: its signal, its bytes, and what was decoded of it."""

    signal: str
    payload: bytes
    batch: Any


@dataclass(slots=True)
class Sealed:
    """A segment that nothing is appended to any more, with its requests in order; or a part of one.

    Attributes:
        awaited: whether a reader waits for it.
        logs_before: how many log records the segment has before this part.
    """

    number: int
    requests: list[Request] = field(default_factory=list)
    logs_before: int = 0
    awaited: bool = False


class RequestLog:
    """A log of requests on disk. Any thread appends; one thread takes, commits and tells when it is done.

    A request is acknowledged when `append` returns: it is then in a file, and stays there until its rows are stored.
    """

    def __init__(self, folder: Path, *, backlog_bytes: int, first: int = 1, sync: bool = False) -> None:
        """Open a log; segments of earlier processes that are still there are the caller's to replay.

        Args:
            folder: made if it is missing.
            backlog_bytes: how much may wait to be committed.
            first: the lowest number for a new segment; above all that the store has seen, should the folder be lost.
            sync: let a request survive the death of the machine too, while it waits to be committed.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._bound = backlog_bytes
        self._sync = sync
        self._changed = threading.Condition()
        self._open = Sealed(_reserve(folder, first))
        self._segment = Segment(folder, self._open.number, sync=sync)
        self._rows = 0
        self._wanted = 0
        self._waiting = 0
        self._sizes: dict[int, int] = {}
        self._committed = self._grouped = self._open.number - 1
        self._waiting_for: list[Callable[[], bool]] = []
        self._since = 0.0
        self._read = -READERS_SECONDS
        self._hurry = False
        self._answering = 0
        self._closed = False

    def append(self, signal: str, payload: bytes, batch: Any) -> int:
        """Write a request and return the number of its segment, to wait for with `wait_for`.

        Raises:
            BackloggedError: too much is waiting.
            OSError: it could not be written.
            RuntimeError: the log is closed.
        """
        record = record_of(payload)
        with self._changed:
            if self._closed:
                raise RuntimeError("the log is closed; the server is shutting down")
            if self._waiting and self._waiting + len(payload) > self._bound:
                raise BackloggedError(self._waiting, self._bound)
            self._segment.append(signal, payload, record)
            is_first = not self._open.requests
            if is_first:
                self._since = time.monotonic()
            self._open.requests.append(Request(signal, payload, batch))
            self._rows += len(batch)
            self._waiting += len(payload)
            # Nobody is woken for what changes nothing.
            if is_first or self._rows >= self._wanted:
                self._changed.notify_all()
            return self._open.number

    def take(
        self,
        *,
        rows: int,
        linger: float,
        linger_for_readers: float | None = None,
        not_before: float = 0.0,
    ) -> Sealed | None:
        """The next segment to commit; `None` when the log is closed and empty.

        Args:
            rows: it is taken when it has so many,
            linger: or when its first request is so many seconds old.
            linger_for_readers: instead, while there are readers, who wait for the commit that is under way; but not while
                one is being answered.
            not_before: all this not before a moment of `time.monotonic()`. A reader who waits gets it at once.
        """
        with self._changed:
            while True:
                self._wanted = rows
                if self._open.requests:
                    now = time.monotonic()
                    full = self._rows >= rows
                    age = linger
                    if linger_for_readers is not None and now - self._read < READERS_SECONDS and not self._answering:
                        age = linger_for_readers
                    remaining = max(not_before, 0.0 if full else self._since + age) - now
                    if self._hurry or self._closed or remaining <= 0:
                        return self._seal()
                    self._changed.wait(remaining)
                elif self._closed:
                    return None
                else:
                    self._changed.wait()

    def grouped(self, number: int) -> None:
        """A segment's trace groups are written, though not all of its rows: wake who waits for these."""
        with self._changed:
            self._grouped = number
            self._changed.notify_all()

    def done(self, number: int) -> None:
        """A segment's rows are stored: delete it and wake who waits for it."""
        remove_segment(self.folder, number)
        with self._changed:
            self._waiting -= self._sizes.pop(number, 0)
            self._committed = self._grouped = number
            self._changed.notify_all()

    def wait_for(self, number: int, timeout: float | None = None) -> bool:
        """Wait until a segment is committed, and hurry the committer; whether it is."""
        return self._wait(lambda: self._committed >= number, timeout)

    def wait_for_groups(self, number: int, timeout: float | None = None) -> bool:
        """Wait until a segment's trace groups are written, and hurry the committer; whether they are."""
        return self._wait(lambda: self._grouped >= number, timeout)

    def let_answer(self, seconds: float) -> bool:
        """Wait at most so long until no answer is made any more, or one that waits for a commit; whether it is so."""

        def answered() -> bool:
            return not self._answering or not all(is_there() for is_there in self._waiting_for)

        with self._changed:
            return self._changed.wait_for(answered, seconds)

    @contextmanager
    def answering(self) -> Iterator[None]:
        """While anybody is inside, segments that nobody waits for are taken later."""
        with self._changed:
            self._answering += 1
        try:
            yield
        finally:
            with self._changed:
                self._answering -= 1
                if not self._answering:
                    self._changed.notify_all()

    @property
    def newest(self) -> int:
        """The number of the newest segment that holds an acknowledged request."""
        with self._changed:
            return self._open.number if self._open.requests else self._open.number - 1

    @property
    def waiting_bytes(self) -> int:
        """How much waits to be committed."""
        with self._changed:
            return self._waiting

    def close(self) -> None:
        """Take no more requests; what is there can still be taken."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def release(self) -> None:
        """Close the files; what was not taken stays in them for the next start."""
        with self._changed:
            self._segment.close()

    def _wait(self, is_there: Callable[[], bool], timeout: float | None) -> bool:
        with self._changed:
            if is_there():
                return True
            self._hurry = True
            self._read = time.monotonic()
            self._waiting_for.append(is_there)
            self._changed.notify_all()
            try:
                return self._changed.wait_for(is_there, timeout)
            finally:
                self._waiting_for.remove(is_there)

    def _seal(self) -> Sealed:
        sealed = self._open
        sealed.awaited = self._hurry
        self._segment.close()
        self._sizes[sealed.number] = sum(len(request.payload) for request in sealed.requests)
        self._open = Sealed(sealed.number + 1)
        self._segment = Segment(self.folder, self._open.number, sync=self._sync)
        self._hurry = False
        self._rows = 0
        return sealed


def _reserve(folder: Path, first: int) -> int:
    """The first of a block of segment numbers that no process before had: a store drops what repeats a number."""
    file = folder / "next-segment"
    try:
        reserved = int(file.read_text()) if file.exists() else 1
    except ValueError:
        # Milliseconds are always ahead of what was counted.
        reserved = time.time_ns() // 1_000_000
        logger.warning("%s is broken; segments are numbered from %d", file, reserved)
    number = max([first, reserved, *(used + 1 for used in numbers(folder))])
    draft = folder / "next-segment.new"
    draft.write_text(str(number + _BLOCK))
    draft.replace(file)
    return number
