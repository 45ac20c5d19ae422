"""`Tidier`: when nothing has come for a while, what is stored is put in order, so that lists are fastest."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Final, Protocol

logger: Final = logging.getLogger("otel_sessions.server.process.compaction_job")

PAUSE_SECONDS: Final = 15.0
STOP_SECONDS: Final = 30.0


class Tidiable(Protocol):
    """What a tidier needs of a backend."""

    @property
    def commits(self) -> int:
        """How many there were."""
        ...

    def tidy(self) -> bool:
        """Merge what is in many parts; whether there was anything to do."""
        ...


class Tidier:
    """Looks every few seconds, on one thread, whether anything was committed; if not, but before, it tidies up."""

    def __init__(self, backend: Tidiable, *, wait: Callable[[float], object] | None = None) -> None:
        """Get ready; `wait` waits so many seconds, and ends it all by returning something true."""
        self._backend = backend
        self._stopping = threading.Event()
        self._wait = wait or self._stopping.wait
        self._thread = threading.Thread(target=self._run, name="otel-sessions-tidier", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self, timeout: float = STOP_SECONDS) -> None:
        """End it; what it is at is waited for, for so many seconds."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout)

    def _run(self) -> None:
        seen, tidied = self._backend.commits, -1
        while not self._wait(PAUSE_SECONDS):
            now = self._backend.commits
            if now == seen != tidied:
                tidied = now
                self._tidy()
            seen = now

    def _tidy(self) -> None:
        try:
            if self._backend.tidy():
                logger.info("merged the parts of the tables")
        except Exception as error:
            logger.warning("the tables could not be merged: %s", error)
