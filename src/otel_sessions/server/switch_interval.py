"""`ShortTurns`: while somebody waits for an answer, threads take turns more often.

An answer takes many turns, a few for each query, and while requests are decoded it waits for each of them as long as Python
lets a thread run. Short turns all the time would cost ingest a tenth.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

SECONDS: Final = 0.0005
"""How long a thread runs while another one waits. Python's own choice is ten times as long."""


class ShortTurns:
    """Turns are short while anybody is inside."""

    def __init__(self) -> None:
        """Nobody is inside."""
        self._lock = threading.Lock()
        self._inside = 0
        self._before = 0.0

    @contextmanager
    def wanted(self) -> Iterator[None]:
        """Be inside."""
        with self._lock:
            if not self._inside:
                self._before = sys.getswitchinterval()
                sys.setswitchinterval(SECONDS)
            self._inside += 1
        try:
            yield
        finally:
            with self._lock:
                self._inside -= 1
                if not self._inside:
                    sys.setswitchinterval(self._before)
