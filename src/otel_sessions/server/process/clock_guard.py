"""`ClockGuard`: whether the clock of the machine can be relied on to delete what is old.

A clock that jumps ahead makes everything old at once. The jump is seen in two ways: while the process runs, the clock goes further than
the time that has passed; when it starts, the clock is far ahead of the time at which an earlier process last wrote. Either may also be
true, after a machine slept or a server was off. So nothing is deleted by age until the clock has gone on steadily for a day, which leaves time to correct it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

SECOND: Final = 10**9
JUMP: Final = 3_600 * SECOND
"""How much further than the time that passed a clock may go between two looks at it."""

AHEAD: Final = 7 * 86_400 * SECOND
"""How long a server may have been off, by the clock at its start."""

STEADY: Final = 86_400 * SECOND
"""How long a clock that jumped has to go on steadily before it is relied on."""


class ClockGuard:
    """Watches a clock; look at it at least once an hour."""

    def __init__(
        self,
        last_used: int | None,
        *,
        now: Callable[[], int] = time.time_ns,
        passed: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        """Watch a clock.

        Args:
            last_used: when an earlier process last wrote, in nanoseconds UTC; `None` if there was none.
            now: the clock, in nanoseconds UTC.
            passed: a clock that does not jump, in nanoseconds.
        """
        self._last_used = last_used
        self._now = now
        self._passed = passed
        self._last: tuple[int, int] | None = None
        self._steady_from: int | None = None

    def look(self) -> str | None:
        """Why the clock is not relied on; `None` if it is."""
        now, passed = self._now(), self._passed()
        if self._last is None:
            jumped = self._last_used is not None and now - self._last_used > AHEAD
        else:
            jumped = (now - self._last[0]) - (passed - self._last[1]) > JUMP
        self._last = now, passed
        if jumped:
            self._steady_from = passed
        if self._steady_from is not None and passed - self._steady_from >= STEADY:
            self._steady_from = None
        if self._steady_from is None:
            return None
        shown = datetime.fromtimestamp(now // SECOND, UTC).isoformat(" ", "minutes")
        return (
            f"the clock says {shown} UTC, far ahead of when the server last ran or of the time that passed; nothing is deleted by age "
            "until it has gone on steadily for a day: correct the clock and restart the server, or wait"
        )
