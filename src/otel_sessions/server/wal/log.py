"""`WriteAheadLog`: requests are acknowledged here, and the committer takes them from here."""

from __future__ import annotations

import errno
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final

from otel_sessions.server.wal.batching import BatchPolicy
from otel_sessions.server.wal.disk import sync_folder
from otel_sessions.server.wal.numbering import Numbering
from otel_sessions.server.wal.progress import Progress
from otel_sessions.server.wal.segments import (
    Segment,
    record_of,
    remove_half_deleted,
    remove_segment,
    segment_bytes,
    segment_numbers,
)

_PASSING: Final = (errno.ENOSPC, errno.EDQUOT, errno.EIO)
"""Why a file may not be written now, and may be later."""


class BackloggedError(Exception):
    """More waits to be committed than the bound allows; the sender may send again after `retry_seconds`."""

    retry_seconds: ClassVar[float] = 1.0


@dataclass(slots=True)
class Request:
    """An acknowledged request: its signal, its bytes, and the batch that was decoded from them."""

    signal: str
    payload: bytes
    batch: Any


@dataclass(frozen=True, slots=True)
class SealedSegment:
    """A segment that nothing is appended to any more, with its requests in order; or a part of one.

    Attributes:
        logs_before: the number of log records in the segment before this part.
        awaited: True if a reader waits for it.
        given_identity: what identifies it in the store; `None` if its number does.
    """

    number: int
    requests: list[Request]
    logs_before: int = 0
    awaited: bool = False
    given_identity: int | None = None

    @property
    def identity(self) -> int:
        """What identifies it in the store, among the segments of all logs that were ever written there."""
        return self.number if self.given_identity is None else self.given_identity

    @property
    def size(self) -> int:
        """The bytes of its requests."""
        return sum(len(request.payload) for request in self.requests)


class WriteAheadLog:
    """A log of requests on disk. Any thread appends; one thread takes segments and deletes each when it is stored.

    A request is acknowledged when `append` returns: it is then in a file, and stays there until its rows are stored.

    The log and its `progress` share one condition, because the committer waits for both at once: for requests, and for
    readers that want them committed. A change notifies only if it can end a wait.
    """

    def __init__(
        self, folder: Path, *, backlog_bytes: int, first: int = 1, sync: bool = False, policy: BatchPolicy | None = None
    ) -> None:
        """Open a log; the caller replays the segments that earlier processes left.

        Args:
            folder: created if it is missing.
            backlog_bytes: how much may wait to be committed.
            first: the lowest number for a new segment; above all that the store has seen, in case the folder was lost.
            sync: let a request survive the death of the machine too, until its segment is deleted.
            policy: when a segment is taken.
        """
        folder.mkdir(parents=True, exist_ok=True)
        if sync:
            sync_folder(folder.parent)
        self.folder = folder
        self._policy = policy or BatchPolicy()
        self._bound = backlog_bytes
        self._sync = sync
        remove_half_deleted(folder)
        self._numbering = Numbering(folder, first)
        self._left = {number: segment_bytes(folder, number) for number in segment_numbers(folder)}
        self._open = Segment(folder, self._numbering.first, sync=sync)
        self._requests: list[Request] = []
        self._rows = 0
        self._since = 0.0
        self._waiting = sum(self._left.values())
        self._closed = False
        self._changed = threading.Condition()
        oldest = min(self._left, default=self._open.number)
        self.progress = Progress(self._changed, oldest - 1)
        try:
            self._numbering.reserve()
        except OSError as error:
            # A disk that is full refuses requests; what is there can be read.
            if error.errno not in _PASSING:
                raise

    def append(self, signal: str, payload: bytes, batch: Any) -> int:
        """Write a request and return the number of its segment, to wait for in `progress`.

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
                raise BackloggedError(
                    f"{self._waiting} bytes wait to be stored, {self._bound} are allowed; send again later"
                )
            self._numbering.reserve()
            self._open.append(signal, payload, record)
            is_first, was_full = not self._requests, self._rows >= self._policy.rows
            if is_first:
                self._since = time.monotonic()
            self._requests.append(Request(signal, payload, batch))
            self._rows += len(batch)
            self._waiting += len(payload)
            # Any other request does not change when the segment is taken.
            if is_first or (self._rows >= self._policy.rows and not was_full):
                self._changed.notify_all()
            return self._open.number

    def take(self, *, not_before: float = 0.0) -> SealedSegment | None:
        """Wait until the policy says so, then seal the open segment and return it; `None` when the log is closed and empty.

        Args:
            not_before: no segment is taken before this moment of `time.monotonic()`, unless a reader waits.
        """
        with self._changed:
            while not self._closed:
                seconds = None
                if self._requests:
                    now, demand = time.monotonic(), self.progress.demand
                    seconds = self._policy.seconds_left(self._rows, self._since, demand, now, not_before)
                    if seconds <= 0:
                        break
                self._changed.wait(seconds)
            return self._seal() if self._requests else None

    def delete(self, segment: SealedSegment) -> None:
        """Delete a segment whose rows are stored, and release all that wait for it."""
        remove_segment(self.folder, segment.number)
        with self._changed:
            self._waiting -= segment.size
            self.progress.committed(segment.number)

    def left_numbers(self) -> list[int]:
        """The numbers of the segments that earlier processes left and that are not done yet, oldest first."""
        return sorted(self._left)

    def identity(self, number: int) -> int:
        """What identifies a segment in the store."""
        return self._numbering.identity(number)

    def replayed(self, number: int) -> None:
        """Delete a segment that an earlier process left and whose rows are stored, and release all that wait for it."""
        remove_segment(self.folder, number)
        with self._changed:
            self._waiting -= self._left.pop(number)
            self.progress.committed(number if self._left else self._numbering.first - 1)

    @property
    def newest(self) -> int:
        """The number of the newest segment that holds an acknowledged request."""
        with self._changed:
            return self._open.number if self._requests else self._open.number - 1

    @property
    def waiting_bytes(self) -> int:
        """The bytes of the requests that are not committed. Waits for no lock, since a probe asks."""
        return self._waiting

    def close(self) -> None:
        """Refuse more requests; those that are there can still be taken, and at once."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def release(self) -> None:
        """Close the files; requests that were not taken stay in them for the next start."""
        with self._changed:
            self._open.close()

    def _seal(self) -> SealedSegment:
        demand = self.progress.demand
        number = self._open.number
        identity = self._numbering.identity(number)
        sealed = SealedSegment(number, self._requests, awaited=demand.flush_requested, given_identity=identity)
        self._open.close()
        self._open = Segment(self.folder, sealed.number + 1, sync=self._sync)
        self._requests, self._rows = [], 0
        demand.flush_requested = False
        return sealed
