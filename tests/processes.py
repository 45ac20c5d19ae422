"""Processes that a test starts never outlive it, and never make it wait without end."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def killed_after(seconds: float, process: subprocess.Popen[Any]) -> Iterator[None]:
    """Kill a process that is still at what the block waits for after `seconds`: reads from it and waits for it then end."""
    timer = threading.Timer(seconds, process.kill)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


@contextmanager
def killed_at_end(process: subprocess.Popen[Any]) -> Iterator[subprocess.Popen[Any]]:
    """Kill a process when the block ends, however it ends, and wait for it."""
    try:
        yield process
    finally:
        process.kill()
        process.communicate()
