"""`Progress`: which segments are stored, and who waits for that."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from otel_sessions.server.wal.batching import ReaderDemand


class Progress:
    """Readers wait here for the committer, and the committer waits here for the readers that it just released.

    Segments are committed in the order of their numbers, so one number says how far each kind of progress has come. What
    readers ask of the committer is in `demand`, under the same lock.
    """

    def __init__(self, changed: threading.Condition, last: int) -> None:
        """Share the (reentrant) condition of a log, all of whose segments up to `last` are stored."""
        self.demand = ReaderDemand()
        self._changed = changed
        self._committed = self._grouped = last
        self._awaited: list[Callable[[], bool]] = []

    def groups_written(self, number: int) -> None:
        """Release readers that wait for the trace groups of a segment, whose other rows may not be stored yet."""
        with self._changed:
            self._grouped = number
            self._changed.notify_all()

    def committed(self, number: int) -> None:
        """Release all readers that wait for a segment."""
        with self._changed:
            self._committed = self._grouped = number
            self._changed.notify_all()

    def wait_for_commit(self, number: int, timeout: float | None = None) -> bool:
        """Have a segment committed at once, and wait for it; return True if all its rows are stored."""
        return self._wait(lambda: self._committed >= number, timeout)

    def wait_for_groups(self, number: int, timeout: float | None = None) -> bool:
        """Have a segment committed at once, and wait; return True if its trace groups are written."""
        return self._wait(lambda: self._grouped >= number, timeout)

    def wait_for_readers(self, seconds: float) -> bool:
        """Wait until no answer is being made; return True if that is so.

        Also ends, with True, when a reader waits for a commit: its answer cannot be made before the committer goes on.
        """

        def answered() -> bool:
            return not self.demand.answers or not all(is_reached() for is_reached in self._awaited)

        with self._changed:
            return self._changed.wait_for(answered, seconds)

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Count one more answer that is being made, for as long as the block runs."""
        with self._changed:
            self.demand.answers += 1
        try:
            yield
        finally:
            with self._changed:
                self.demand.answers -= 1
                if not self.demand.answers:
                    self._changed.notify_all()

    def _wait(self, is_reached: Callable[[], bool], timeout: float | None) -> bool:
        with self._changed:
            if is_reached():
                return True
            self.demand.flush_requested = True
            self.demand.last_wait = time.monotonic()
            self._awaited.append(is_reached)
            self._changed.notify_all()
            try:
                return self._changed.wait_for(is_reached, timeout)
            finally:
                self._awaited.remove(is_reached)
