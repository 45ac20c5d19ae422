"""`Listeners`: who is told of the sessions that change."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Final

from otel_sessions.counting.membership import Pair

logger: Final = logging.getLogger("otel_sessions.server")

Listener = Callable[[frozenset[Pair]], object]
"""Called with the (key, id) of the sessions that changed, on the thread that commits, so it must return at once."""


class Listeners:
    """Functions that are called with every change. Thread safe."""

    def __init__(self) -> None:
        self._listeners: list[Listener] = []
        self._lock = threading.Lock()

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call a listener with every change, until the function that is returned is called."""
        with self._lock:
            self._listeners.append(listener)

        def stop() -> None:
            with self._lock:
                self._listeners.remove(listener)

        return stop

    def tell(self, changed: frozenset[Pair]) -> None:
        """Call all listeners, unless nothing changed; one that raises is logged."""
        with self._lock:
            listeners = list(self._listeners)
        for listener in listeners if changed else ():
            try:
                listener(changed)
            except Exception:
                logger.exception("a listener to changes failed")
