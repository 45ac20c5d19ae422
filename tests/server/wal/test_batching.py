"""When a segment is taken, decided from a clock value and what is known of readers."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_sessions.server.wal.batching import BatchPolicy, ReaderDemand

POLICY = BatchPolicy(rows=10, linger=6.0, linger_for_readers=2.0, readers_expected=20.0)
NOW = 1000.0
READERS = ReaderDemand(last_wait=NOW - 1)


def left(
    *,
    rows: int = 1,
    age: float = 0.0,
    demand: ReaderDemand | None = None,
    rest: float = 0.0,
    policy: BatchPolicy = POLICY,
) -> float:
    """The seconds until a segment with this many rows, whose first request is this old, is taken."""
    return policy.seconds_left(rows, NOW - age, demand or ReaderDemand(), NOW, NOW + rest)


def test_a_segment_is_taken_when_it_has_enough_rows() -> None:
    """Enough rows end the wait, one row fewer does not."""
    assert left(rows=10) <= 0
    assert left(rows=9) == 6


@pytest.mark.parametrize(("age", "seconds"), [(0, 6), (5, 1), (6, 0)])
def test_a_segment_is_taken_when_it_is_old_enough(age: float, seconds: float) -> None:
    """A segment with few rows waits only for as long as its age leaves."""
    assert left(age=age) == seconds


def test_segments_are_taken_earlier_while_readers_are_expected() -> None:
    """Readers are expected for some time after the last one."""
    assert left(age=1.5, demand=READERS) == 0.5
    assert left(age=1.5, demand=ReaderDemand(last_wait=NOW - 20)) == 4.5


def test_segments_are_taken_as_without_readers_while_an_answer_is_made() -> None:
    """A commit would only slow the answer down."""
    assert left(age=1.5, demand=replace(READERS, answers=2)) == 4.5


def test_a_rest_delays_even_a_full_segment() -> None:
    """Neither rows nor age end the rest of the committer, and a rest that is over changes nothing."""
    assert left(rows=99, age=99, rest=3) == 3
    assert left(rest=3) == 6
    assert left(rest=-3) == 6


@given(rows=st.integers(1, 20), age=st.floats(0, 10), rest=st.floats(-10, 10), answers=st.integers(0, 2))
def test_a_reader_that_waits_is_served_at_once(rows: int, age: float, rest: float, answers: int) -> None:
    """No rest, no answer and no number of rows holds up a segment that a reader waits for."""
    demand = ReaderDemand(flush_requested=True, answers=answers)
    assert left(rows=rows, age=age, demand=demand, rest=rest) <= 0


def test_a_first_reader_is_not_expected() -> None:
    """Segments get as old as the policy allows if no reader has waited yet."""
    assert left(policy=BatchPolicy(), rows=31_999) == pytest.approx(0.6)
