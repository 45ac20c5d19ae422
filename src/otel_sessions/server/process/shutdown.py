"""`Stop`: the request to stop a server, by a signal or by a caller."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from types import FrameType
from typing import Final

SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)
BY_SIGNAL: Final = 128
"""What shells add to the number of a signal to get the exit status."""

LOOK_SECONDS: Final = 0.5
"""So often the main thread wakes. Any thread may be the one that takes a signal, and only the main thread handles it, which
sleeps on if it was not the one."""


class Stop:
    """Asked for from any thread or signal handler, waited for by one thread."""

    def __init__(self) -> None:
        """Nobody has asked."""
        # Unlike `threading.Event`, putting into it may interrupt waiting for it.
        self._asked: SimpleQueue[None] = SimpleQueue()
        self._signals = 0

    def ask(self) -> None:
        """Ask for it."""
        self._asked.put(None)

    def wait(self) -> None:
        """Wait until someone asks."""
        while True:
            try:
                return self._asked.get(timeout=LOOK_SECONDS)
            except Empty:
                # Python has seen now to what signals there were.
                continue

    @contextmanager
    def on_signals(self) -> Iterator[None]:
        """Have SIGTERM and SIGINT ask for it; a second one ends the process at once. Nothing off the main thread."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self._signalled) for number in SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _signalled(self, number: int, frame: FrameType | None) -> None:
        self._signals += 1
        if self._signals > 1:
            os._exit(BY_SIGNAL + number)
        self.ask()
