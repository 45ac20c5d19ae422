"""`SwitchInterval`: threads take turns more often while an answer is being computed.

An answer needs the interpreter lock many times, a few for each query. While requests are decoded, it waits each time for as
long as Python lets a thread run. Short intervals all the time would cost ingest a tenth.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

SECONDS: Final = 0.0005
"""How long a thread runs while another one waits. Python's default is ten times as long."""


class SwitchInterval:
    """Shortens the switch interval of the process while any thread asks for it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = 0
        self._before = 0.0

    @contextmanager
    def shortened(self) -> Iterator[None]:
        """Shorten the interval until this context and all others that overlap it have ended."""
        with self._lock:
            if not self._users:
                self._before = sys.getswitchinterval()
                sys.setswitchinterval(SECONDS)
            self._users += 1
        try:
            yield
        finally:
            with self._lock:
                self._users -= 1
                if not self._users:
                    sys.setswitchinterval(self._before)
