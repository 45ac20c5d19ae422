"""What is over its retention is dropped, at the start and every hour, whatever goes wrong."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

import pytest

from otel_sessions.server.process.retention_job import PAUSE_SECONDS, Pruner
from otel_sessions.server.process.sizes import Retention
from otel_sessions.timestamps import DAY_NS

NOW = 20_000 * DAY_NS


class Backend:
    """Notes what is dropped; has one trace to drop each time, or raises."""

    def __init__(self, fault: Exception | None = None) -> None:
        self.dropped: list[tuple[str, int]] = []
        self.fault = fault
        self.under_way = threading.Lock()

    def drop_older(self, before: int) -> int:
        """Note it."""
        return self._drop("older", before)

    def drop_to_size(self, max_bytes: int) -> int:
        """Note it."""
        return self._drop("size", max_bytes)

    def _drop(self, what: str, bound: int) -> int:
        assert self.under_way.acquire(blocking=False), "two drops overlap"
        try:
            self.dropped.append((what, bound))
            if self.fault is not None:
                raise self.fault
            return 1
        finally:
            self.under_way.release()


def run(backend: Backend, retention: Retention, wait: Callable[[float], Any]) -> None:
    """A pruner, from start to end."""
    pruner = Pruner(backend, retention, now=lambda: NOW, wait=wait)
    pruner.start()
    pruner.stop()


@pytest.mark.parametrize(
    ("retention", "dropped"),
    [
        (Retention(), []),
        (Retention(30), [("older", NOW - 30 * DAY_NS)]),
        (Retention(bytes=5), [("size", 5)]),
        (Retention(30, 5), [("older", NOW - 30 * DAY_NS), ("size", 5)]),
        (Retention(99_999), [("older", 0)]),
    ],
)
def test_both_bounds_are_kept(retention: Retention, dropped: list[tuple[str, int]]) -> None:
    """Days first, then what is still too much; no bound drops nothing."""
    backend = Backend()
    Pruner(backend, retention, now=lambda: NOW).prune()
    assert backend.dropped == dropped


def test_it_drops_at_the_start_and_after_every_pause() -> None:
    """An hour apart, until it is told to stop."""
    waits: list[float] = []
    backend = Backend()

    def wait(seconds: float) -> bool:
        waits.append(seconds)
        return len(waits) == 3

    run(backend, Retention(1), wait)
    assert waits == [PAUSE_SECONDS] * 3
    assert len(backend.dropped) == 3


def test_without_a_bound_there_is_nothing_to_wait_for() -> None:
    """No thread is started."""

    def wait(seconds: float) -> bool:
        raise AssertionError

    run(Backend(), Retention(), wait)


def test_stopping_ends_the_pause() -> None:
    """The server does not wait an hour for it."""
    backend = Backend()
    dropped = threading.Event()
    backend.drop_older = lambda before: int(dropped.set() is not None)  # type: ignore[method-assign, func-returns-value]
    pruner = Pruner(backend, Retention(1))
    pruner.start()
    assert dropped.wait(30)
    pruner.stop()
    assert not [thread for thread in threading.enumerate() if thread.name == "otel-sessions-pruner"]


def test_what_was_dropped_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """A line for each bound that something was over."""
    with caplog.at_level(logging.INFO, "otel_sessions"):
        Pruner(Backend(), Retention(30, 5), now=lambda: NOW).prune()
    assert caplog.messages == [
        "retention dropped 1 traces that ended before 2024-09-04 00:00+00:00",
        "retention dropped 1 traces to keep the store below 5 bytes",
    ]


def test_nothing_dropped_says_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """No line every hour."""
    backend = Backend()
    backend.drop_older = lambda before: 0  # type: ignore[method-assign]
    with caplog.at_level(logging.INFO, "otel_sessions"):
        Pruner(backend, Retention(30), now=lambda: NOW).prune()
    assert caplog.messages == []


def test_a_fault_is_logged_and_the_other_bound_kept(caplog: pytest.LogCaptureFixture) -> None:
    """A store that is away ends nothing."""
    backend = Backend(OSError("the store is away"))
    run(backend, Retention(30, 5), lambda seconds: True)
    assert [what for what, _ in backend.dropped] == ["older", "size"]
    assert all("the store is away" in line for line in caplog.messages)
    assert len(caplog.messages) == 2
