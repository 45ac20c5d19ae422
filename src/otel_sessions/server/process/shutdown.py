"""`ShutdownSignal`: the request to stop a server, by a signal or by a caller."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from types import FrameType
from typing import Final

SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)
STATUS_OF_SIGNAL: Final = 128
"""Shells add this to the number of a signal to get the exit status of a process that it ended."""

WAKE_SECONDS: Final = 0.5
"""How often the main thread wakes while it waits. The system may deliver a signal to any thread, but Python handles it on
the main thread, which sleeps on if another one got it."""


class ShutdownSignal:
    """Requested from any thread or signal handler; one thread waits for it."""

    def __init__(self, *, exit_now: Callable[[int], object] = os._exit) -> None:
        """Start without a request.

        Args:
            exit_now: ends the process with a status, without cleaning up; called at the second signal.
        """
        # Unlike setting a `threading.Event`, putting into it may interrupt the same thread while that waits.
        self._requests: SimpleQueue[None] = SimpleQueue()
        self._signals = 0
        self._exit_now = exit_now

    def request(self) -> None:
        """Request the shutdown."""
        self._requests.put(None)

    def wait(self) -> None:
        """Return when the shutdown has been requested."""
        while True:
            try:
                return self._requests.get(timeout=WAKE_SECONDS)
            except Empty:
                # Python has run the handlers of all signals by now.
                continue

    @contextmanager
    def on_signals(self) -> Iterator[None]:
        """Within, SIGTERM and SIGINT request the shutdown, and a second signal ends the process at once.

        This holds also if the process was started with SIGINT ignored, as shells start background jobs. Outside the main
        thread nothing changes: Python handles signals there only.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self._handle) for number in SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self._signals += 1
        if self._signals > 1:
            self._exit_now(STATUS_OF_SIGNAL + number)
        self.request()
