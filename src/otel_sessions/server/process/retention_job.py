"""`RetentionJob`: drops what is over its retention."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, Protocol

from otel_sessions.server.process.clock_guard import ClockGuard
from otel_sessions.server.process.sizes import Retention
from otel_sessions.timestamps import DAY_NS

logger: Final = logging.getLogger("otel_sessions.server")

PAUSE_SECONDS: Final = 3600.0
STOP_SECONDS: Final = 10.0


class Droppable(Protocol):
    """The part of a backend that a retention job uses."""

    def drop_older(self, before: int) -> int:
        """Drop the traces that ended before a moment in nanoseconds UTC; return their number."""
        ...

    def drop_to_size(self, max_bytes: int) -> int:
        """Drop the oldest traces until the store has at most `max_bytes`; return their number."""
        ...

    @property
    def last_used(self) -> int | None:
        """When an earlier process last wrote, in nanoseconds UTC."""
        ...

    def hold_retention(self, why: str | None) -> None:
        """Show why nothing is dropped by age; `None` ends that."""
        ...


class RetentionJob:
    """Keeps a backend within both bounds of its retention."""

    def __init__(
        self,
        backend: Droppable,
        retention: Retention,
        *,
        now: Callable[[], int] = time.time_ns,
        passed: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        """Prepare the job.

        Args:
            backend: the traces.
            retention: the bounds; without any, a run does nothing.
            now: the clock, in nanoseconds UTC.
            passed: a clock that does not jump, in nanoseconds.
        """
        self._backend = backend
        self._retention = retention
        self._now = now
        self._clock = ClockGuard(backend.last_used, now=now, passed=passed)

    def run_once(self) -> None:
        """Drop what is over either bound now. A failure is logged; the next run tries again."""
        days, size = self._retention
        if days is not None and self._may_rely_on_the_clock():
            before = max(self._now() - days * DAY_NS, 0)
            shown = datetime.fromtimestamp(before / 1e9, UTC).isoformat(" ", "minutes")
            _drop(lambda: self._backend.drop_older(before), f"that ended before {shown}")
        if size is not None:
            _drop(lambda: self._backend.drop_to_size(size), f"to keep the store below {size} bytes")

    def _may_rely_on_the_clock(self) -> bool:
        why = self._clock.look()
        self._backend.hold_retention(why)
        if why is not None:
            logger.warning("retention waits: %s", why)
        return why is None


def _drop(drop: Callable[[], int], why: str) -> None:
    try:
        dropped = drop()
    except Exception as error:
        logger.warning("retention could not drop traces %s: %s", why, error)
        return
    if dropped:
        logger.info("retention dropped %d traces %s", dropped, why)
