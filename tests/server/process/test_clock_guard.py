"""A clock is relied on unless it jumped, and again when it has gone on steadily for a day."""

from __future__ import annotations

import pytest

from otel_sessions.server.process.clock_guard import AHEAD, JUMP, STEADY, ClockGuard

NOW = 1_795_000_000 * 10**9
HOUR = 3600 * 10**9


class Clocks:
    """A clock that can jump and one that cannot."""

    def __init__(self) -> None:
        self.wall, self.passed = NOW, 0

    def go(self, time: int, jump: int = 0) -> None:
        """Let time pass, and the clock jump."""
        self.passed += time
        self.wall += time + jump

    def guard(self, last: int | None) -> ClockGuard:
        """A guard that watches these clocks, after an earlier process last wrote at this time."""
        return ClockGuard(last, now=lambda: self.wall, passed=lambda: self.passed)


@pytest.mark.parametrize(
    ("last", "relied_on"), [(None, True), (NOW, True), (NOW - AHEAD, True), (NOW - AHEAD - 1, False)]
)
def test_at_the_start(last: int | None, relied_on: bool) -> None:
    """A clock that is more than a week ahead of the last use is not relied on; at the first start there is nothing to lose."""
    assert (Clocks().guard(last).look() is None) == relied_on


@pytest.mark.parametrize(("jump", "relied_on"), [(-365 * 24 * HOUR, True), (JUMP, True), (JUMP + 1, False)])
def test_while_it_runs(jump: int, relied_on: bool) -> None:
    """A clock that goes more than an hour further than the time that passed is not relied on; one that goes back deletes less."""
    clocks = Clocks()
    guard = clocks.guard(NOW)
    guard.look()
    clocks.go(HOUR, jump)
    assert (guard.look() is None) == relied_on


def test_until_it_was_steady_for_a_day() -> None:
    """A day without another jump makes the clock reliable again; another jump begins a new day."""
    clocks = Clocks()
    guard = clocks.guard(NOW - 2 * AHEAD)
    assert guard.look() is not None
    clocks.go(STEADY // 2, 2 * JUMP)
    assert guard.look() is not None
    clocks.go(STEADY - 1)
    assert guard.look() is not None
    clocks.go(1)
    assert guard.look() is None
