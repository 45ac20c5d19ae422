"""Dropped values: counted, warned about once per field and reason, never a reason to fail.

The counters are process-wide on purpose: a value that an app loses is of interest wherever it was lost.
"""

from __future__ import annotations

import logging
import os
from typing import Final

from otel_sessions import environment_variables
from otel_sessions.forking import ForkSafeLock

logger: Final = logging.getLogger("otel_sessions")


class SessionValueError(ValueError):
    """A value that the rules refuse, raised only in strict mode.

    Attributes:
        field: what was given, such as `session_id` or `tags`.
        reason: why it was refused, one word such as `too_long`.
    """

    def __init__(self, field: str, reason: str, message: str) -> None:
        """Keep the parts that the counters need beside the message."""
        super().__init__(message)
        self.field = field
        self.reason = reason

    def __reduce__(self) -> tuple[type[SessionValueError], tuple[str, str, str]]:
        """Survive a trip through a process pool."""
        return SessionValueError, (self.field, self.reason, str(self))


class DropCounter:
    """Counts drops by (field, reason) and logs the first of each."""

    def __init__(self, logger: logging.Logger = logger) -> None:
        """Start with nothing counted."""
        self._logger = logger
        self._lock = ForkSafeLock()
        self._counts: dict[tuple[str, str], int] = {}
        self.events = 0
        """How often anything was counted; never goes back."""

    def count(self, field: str, reason: str, message: str, *, amount: int = 1) -> None:
        """Add to (field, reason); warn with the message if it is the first."""
        with self._lock:
            known = self._counts.get((field, reason), 0)
            self._counts[field, reason] = known + amount
            self.events += 1
        if not known:
            self._logger.warning("%s (counted; said once)", message)

    def counts(self) -> dict[tuple[str, str], int]:
        """A copy of the counts."""
        with self._lock:
            return dict(self._counts)

    def reset(self) -> None:
        """Forget every count, so that the next drop warns again."""
        with self._lock:
            self._counts.clear()


drops: Final = DropCounter()


def dropped_values() -> dict[tuple[str, str], int]:
    """How many values this process dropped, by (field, reason), for example `{("session_id", "too_long"): 2}`."""
    return drops.counts()


def is_strict(strict: bool | None = None) -> bool:
    """Whether a refused value raises: the argument, else the environment variable `OTEL_SESSIONS_STRICT`."""
    if strict is not None:
        return strict
    return os.environ.get(environment_variables.STRICT, "").strip().lower() in {"1", "true", "yes", "on"}


def drop(error: SessionValueError, *, strict: bool | None = None) -> None:
    """Count and warn about a refused value, or raise it in strict mode.

    Raises:
        SessionValueError: in strict mode.
    """
    if is_strict(strict):
        raise error
    drops.count(error.field, error.reason, f"dropped {error}")
