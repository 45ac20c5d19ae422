"""What is over its retention is dropped, whatever goes wrong."""

from __future__ import annotations

import logging

import pytest

from otel_sessions.server.process.retention_job import RetentionJob
from otel_sessions.server.process.sizes import Retention
from otel_sessions.timestamps import DAY_NS

NOW = 20_000 * DAY_NS


class Backend:
    """Notes what it is told to drop, and drops a given number of traces each time, or raises."""

    def __init__(self, traces: int = 1, fault: Exception | None = None) -> None:
        self.dropped: list[tuple[str, int]] = []
        self.held: str | None = None
        self.last: int | None = NOW
        self._traces = traces
        self._fault = fault

    def drop_older(self, before: int) -> int:
        """Note the time."""
        return self._drop("older", before)

    def drop_to_size(self, max_bytes: int) -> int:
        """Note the size."""
        return self._drop("size", max_bytes)

    @property
    def last_used(self) -> int | None:
        """When an earlier process last wrote."""
        return self.last

    def hold_retention(self, why: str | None) -> None:
        """Note why nothing is dropped."""
        self.held = why

    def _drop(self, what: str, bound: int) -> int:
        self.dropped.append((what, bound))
        if self._fault is not None:
            raise self._fault
        return self._traces


def run(backend: Backend, retention: Retention) -> None:
    """Run a job once, at a known time."""
    RetentionJob(backend, retention, now=lambda: NOW).run_once()


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
    """Traces that are too old go first, then what is still too much; without a bound nothing is dropped."""
    backend = Backend()
    run(backend, retention)
    assert backend.dropped == dropped


def test_what_was_dropped_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Each bound that something was over has a line."""
    with caplog.at_level(logging.INFO, "otel_sessions"):
        run(Backend(), Retention(30, 5))
    assert caplog.messages == [
        "retention dropped 1 traces that ended before 2024-09-04 00:00+00:00",
        "retention dropped 1 traces to keep the store below 5 bytes",
    ]


def test_a_run_that_drops_nothing_logs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """There is no line every hour."""
    with caplog.at_level(logging.INFO, "otel_sessions"):
        run(Backend(traces=0), Retention(30))
    assert caplog.messages == []


def test_a_fault_is_logged_and_the_other_bound_kept(caplog: pytest.LogCaptureFixture) -> None:
    """A store that is away for one bound is asked for the other all the same."""
    backend = Backend(fault=OSError("the store is away"))
    run(backend, Retention(30, 5))
    assert [what for what, _ in backend.dropped] == ["older", "size"]
    assert all("the store is away" in line for line in caplog.messages)
    assert len(caplog.messages) == 2


def test_nothing_is_dropped_by_age_while_the_clock_is_not_relied_on(caplog: pytest.LogCaptureFixture) -> None:
    """A clock that is a year ahead of all traces deletes nothing; the log and the health say so, and the size is kept all the same."""
    backend = Backend()
    backend.last = NOW - 365 * DAY_NS
    run(backend, Retention(30, 5))
    assert backend.dropped == [("size", 5)]
    assert backend.held is not None
    assert backend.held in caplog.text
