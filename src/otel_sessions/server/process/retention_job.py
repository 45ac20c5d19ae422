"""`Pruner`: drops what is over its retention, again and again."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, Protocol

from otel_sessions.server.process.sizes import Retention
from otel_sessions.timestamps import DAY_NS

logger: Final = logging.getLogger("otel_sessions.server")

PAUSE_SECONDS: Final = 3600.0
STOP_SECONDS: Final = 10.0


class Prunable(Protocol):
    """What a pruner needs of a backend."""

    def drop_older(self, before: int) -> int:
        """Drop the traces that ended before a moment; how many."""
        ...

    def drop_to_size(self, max_bytes: int) -> int:
        """Drop the oldest traces until so many bytes are left; how many."""
        ...


class Pruner:
    """Drops what is over its retention: at the start and every hour, on one thread, so that it never overlaps."""

    def __init__(
        self,
        backend: Prunable,
        retention: Retention,
        *,
        now: Callable[[], int] = time.time_ns,
        wait: Callable[[float], object] | None = None,
    ) -> None:
        """Get ready.

        Args:
            backend: where from.
            retention: what is kept.
            now: the clock, in nanoseconds UTC.
            wait: waits between two times, in seconds; ends it all by returning something true.
        """
        self._backend = backend
        self._retention = retention
        self._now = now
        self._stopping = threading.Event()
        self._wait = wait or self._stopping.wait
        self._thread = threading.Thread(target=self._run, name="otel-sessions-pruner", daemon=True)

    def start(self) -> None:
        """Start the thread, if there is a bound at all."""
        if self._retention != Retention():
            self._thread.start()

    def stop(self, timeout: float = STOP_SECONDS) -> None:
        """End it; what is being dropped is waited for, for so many seconds."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout)

    def prune(self) -> None:
        """Drop what is over either bound now. Never raises: what fails is logged, and tried again an hour later."""
        days, size = self._retention
        if days is not None:
            before = max(self._now() - days * DAY_NS, 0)
            shown = datetime.fromtimestamp(before / 1e9, UTC).isoformat(" ", "minutes")
            self._drop(lambda: self._backend.drop_older(before), f"that ended before {shown}")
        if size is not None:
            self._drop(lambda: self._backend.drop_to_size(size), f"to keep the store below {size} bytes")

    def _run(self) -> None:
        self.prune()
        while not self._wait(PAUSE_SECONDS):
            self.prune()

    @staticmethod
    def _drop(drop: Callable[[], int], why: str) -> None:
        try:
            dropped = drop()
        except Exception as error:
            logger.warning("retention could not drop traces %s: %s", why, error)
            return
        if dropped:
            logger.info("retention dropped %d traces %s", dropped, why)
