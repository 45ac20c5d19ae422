"""`PeriodicThread`: something that is done again and again in the background."""

from __future__ import annotations

import threading
from collections.abc import Callable


class PeriodicThread:
    """Calls a function at the start and after every pause, on one thread, so that calls never overlap."""

    def __init__(self, run_once: Callable[[], object], *, name: str, pause_seconds: float) -> None:
        """Prepare the thread without starting it.

        Args:
            run_once: must not raise.
            name: of the thread, as debuggers and logs show it.
            pause_seconds: between the end of a call and the next one.
        """
        self._run_once = run_once
        self._pause_seconds = pause_seconds
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self, timeout: float) -> bool:
        """End the pause and wait for a call under way, at most `timeout` seconds; return True if the thread has ended."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._run_once()
            self._stopping.wait(self._pause_seconds)
