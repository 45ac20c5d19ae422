"""Dropped values: counted, and logged once per field and reason.

The counters are process-wide on purpose: an app that loses a value wants to know, whichever object dropped it.
"""

from __future__ import annotations

import logging
import os
from typing import Final

from otel_sessions import environment_variables
from otel_sessions.forking import ForkSafeLock

logger: Final = logging.getLogger("otel_sessions")


class SessionValueError(ValueError):
    """A value that the rules refuse; raised in strict mode only, else counted and logged.

    Attributes:
        field: the argument that was refused, such as `session_id` or `tags`.
        reason: why, as one word such as `too_long`.

    Example:
        >>> from otel_sessions import SessionValueError, propagate_sessions
        >>> try:
        ...     propagate_sessions("x" * 201, strict=True)
        ... except SessionValueError as error:
        ...     print(error.field, error.reason)
        session_id too_long
    """

    def __init__(self, field: str, reason: str, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.reason = reason

    def __reduce__(self) -> tuple[type[SessionValueError], tuple[str, str, str]]:
        """Pickle with all three parts, so that a process pool can raise it in the parent."""
        return SessionValueError, (self.field, self.reason, str(self))


class DropCounter:
    """Counts drops by (field, reason) and logs the first of each."""

    def __init__(self, logger: logging.Logger = logger) -> None:
        self._logger = logger
        self._lock = ForkSafeLock()
        self._counts: dict[tuple[str, str], int] = {}
        self.events = 0
        """The number of calls of `count`; `reset` does not change it."""

    def count(self, field: str, reason: str, message: str, *, amount: int = 1) -> None:
        """Add `amount` to (field, reason); log the message as a warning if it is the first."""
        with self._lock:
            known = self._counts.get((field, reason), 0)
            self._counts[field, reason] = known + amount
            self.events += 1
        if not known:
            self._logger.warning("%s (counted; logged once)", message)

    def counts(self) -> dict[tuple[str, str], int]:
        """A copy of the counts."""
        with self._lock:
            return dict(self._counts)

    def reset(self) -> None:
        """Set every count to 0, so that the next drop is logged again."""
        with self._lock:
            self._counts.clear()


drops: Final = DropCounter()


def dropped_values() -> dict[tuple[str, str], int]:
    """The number of values that this process dropped, by (field, reason).

    Example:
        >>> from otel_sessions import dropped_values, propagate_sessions
        >>> with propagate_sessions("x" * 201, session_name="kept"):
        ...     pass
        >>> dropped_values()
        {('session_id', 'too_long'): 1}
    """
    return drops.counts()


def is_strict(strict: bool | None = None) -> bool:
    """Return True if a refused value raises: the argument, else the environment variable `OTEL_SESSIONS_STRICT`."""
    if strict is not None:
        return strict
    return os.environ.get(environment_variables.STRICT, "").strip().lower() in {"1", "true", "yes", "on"}


def drop(error: SessionValueError, *, strict: bool | None = None) -> None:
    """Count and log a refused value, or raise it in strict mode.

    Raises:
        SessionValueError: in strict mode.
    """
    if is_strict(strict):
        raise error
    drops.count(error.field, error.reason, f"dropped {error}")
