"""`SwitchInterval`: threads take turns more often while an answer is computed.

An answer takes many turns, a few for each query, and while requests are decoded it waits for each of them as long as Python
lets a thread run (`sys.getswitchinterval`). Short turns all the time would cost ingest a tenth.
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
        self._asking = 0
        self._before = 0.0

    @contextmanager
    def shortened(self) -> Iterator[None]:
        """Keep the interval short until the last block that is entered ends."""
        with self._lock:
            if not self._asking:
                self._before = sys.getswitchinterval()
                sys.setswitchinterval(SECONDS)
            self._asking += 1
        try:
            yield
        finally:
            with self._lock:
                self._asking -= 1
                if not self._asking:
                    sys.setswitchinterval(self._before)
