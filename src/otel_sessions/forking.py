"""Locks that are free again in a forked child, and a hook for other state that must be reset there."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable
from types import TracebackType
from typing import Any


def on_fork(method: Callable[[], Any]) -> None:
    """Call a bound method in every forked child as long as its object is alive; does nothing on systems without fork."""
    if not hasattr(os, "register_at_fork"):
        return
    reference = weakref.WeakMethod(method)

    def call() -> None:
        alive = reference()
        if alive is not None:
            alive()

    os.register_at_fork(after_in_child=call)


class ForkSafeLock:
    """A re-entrant lock; in a forked child it is free, also if a thread of the parent held it."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        on_fork(self._release_in_child)

    def __enter__(self) -> None:
        """Acquire the lock."""
        self._lock.acquire()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Release the lock."""
        self._lock.release()

    def _release_in_child(self) -> None:
        self._lock = threading.RLock()
