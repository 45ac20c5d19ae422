"""Scores of a session, added up by name and by what they are on."""

from __future__ import annotations

from fractions import Fraction
from statistics import mean
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from otel_sessions.counting.score import OF_SESSION, OF_SPAN, OF_TRACE
from otel_sessions.counting.score_summary import NAMES_KEPT, Told, mean_of, summaries

NOTHING: dict[str, Any] = {"count": 0, "mean": None, "last": None, "labels": {}}

told = st.builds(
    Told,
    st.sampled_from([OF_SESSION, OF_TRACE, OF_SPAN]),
    st.sampled_from(["a", "b"]),
    st.none() | st.floats(allow_nan=False, allow_infinity=False),
    st.none() | st.sampled_from(["good", "bad"]),
    st.integers(1, 3),
    st.tuples(st.integers(0, 9), st.integers(0, 2**100)),
)


def test_what_scores_are_on_stays_apart() -> None:
    """Each level has its own count, mean, last value and labels."""
    found = summaries(
        [
            Told(OF_SESSION, "a", 0.5, "x", 1, (1, 1)),
            Told(OF_TRACE, "a", 0.1, None, 2, (3, 1)),
            Told(OF_TRACE, "a", 0.4, "x", 1, (2, 1)),
            Told(OF_TRACE, "a", None, "y", 1, (4, 1)),
        ]
    )
    assert found == {
        "a": {
            "session": {"count": 1, "mean": 0.5, "last": 0.5, "labels": {"x": 1}},
            "traces": {"count": 4, "mean": 0.2, "last": "y", "labels": {"x": 1, "y": 1}},
            "spans": NOTHING,
        }
    }


@given(st.lists(told, max_size=8, unique_by=lambda one: one.latest), st.randoms(use_true_random=False))
def test_the_order_of_scores_changes_nothing(some: list[Told], random: object) -> None:
    """Sums, means, last values and labels are those of the set of scores."""
    shuffled = list(some)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert summaries(shuffled) == summaries(some)


@given(st.lists(st.decimals(-1000, 1000, places=3).map(float), min_size=1, max_size=20))
def test_a_mean_is_that_of_the_decimals(values: list[float]) -> None:
    """No rounding of binary fractions adds up: the mean of 0.1, 0.1 and 0.1 is 0.1."""
    exact = mean(Fraction(repr(value)) for value in values)
    assert mean_of((value, 1) for value in values) == float(exact)
    assert mean_of([(values[0], 3)]) == values[0]


def test_the_mean_of_the_largest_numbers_is_a_number() -> None:
    """A sum beyond the largest float does no harm, and no value has no mean."""
    assert mean_of([(1.7976931348623157e308, 5)]) == 1.7976931348623157e308
    assert mean_of([]) is None


def test_names_are_bounded() -> None:
    """Of more names than are kept, the first in alphabetical order are shown."""
    found = summaries(Told(OF_SESSION, f"{number:04}", 1.0, None, 1, (1, 1)) for number in range(NAMES_KEPT + 5))
    assert list(found) == [f"{number:04}" for number in range(NAMES_KEPT)]
