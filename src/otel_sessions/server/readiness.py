"""`CommitReadiness`: whether a commit would succeed now."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

from otel_sessions.server.clickhouse.errors import StoreAwayError
from otel_sessions.server.problems import Problems

FRESH_SECONDS: Final = 0.25
"""How long a row that was written counts, so that probes do not fill the store."""


class CommitReadiness:
    """Looks at what is known, and writes a row if that does not say enough. Any thread may ask."""

    def __init__(self, problems: Problems, write: Callable[[], object]) -> None:
        """Ask.

        Args:
            problems: of the server.
            write: writes a row; raises `StoreError` if it cannot be written.
        """
        self._problems = problems
        self._write = write
        self._writing = threading.Lock()
        self._written = -FRESH_SECONDS

    def check(self) -> None:
        """Return if a commit would succeed now.

        Raises:
            StoreError: it would not; the message says why.
        """
        for problem in self._problems.current():
            if problem.blocks:
                raise StoreAwayError(problem.message)
        asked = time.monotonic()
        with self._writing:
            if self._written <= asked - FRESH_SECONDS:
                self._write()
                self._written = time.monotonic()
