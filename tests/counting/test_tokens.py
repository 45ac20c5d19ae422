"""`Usage`: the total of one call."""

from __future__ import annotations

import pytest

from otel_sessions.counting.tokens import Usage, completed, same_tokens


@pytest.mark.parametrize(
    ("usage", "total"),
    [
        (Usage(), None),
        (Usage(cache_read_tokens=5, reasoning_tokens=3), None),
        (Usage(7), 7),
        (Usage(output_tokens=4), 4),
        (Usage(0, 0), 0),
        (Usage(7, 4, cache_read_tokens=6, cache_write_tokens=1, reasoning_tokens=3), 11),
    ],
)
def test_total_is_input_plus_output(usage: Usage, total: int | None) -> None:
    """The total adds the two sides, never their parts, and is unknown if neither side is known."""
    assert usage.total_tokens == total


def test_nothing_is_known_at_first() -> None:
    """A new usage holds no number at all."""
    assert set(Usage()) == {None}


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (Usage(10, 2), Usage(10, 2, 5), True),
        (Usage(10, 2), Usage(11, 2), False),
        (Usage(10, 2), Usage(10, 3), False),
        (Usage(10, 2), Usage(None, 2), True),
        (Usage(10, None), Usage(10, 2), True),
        (Usage(10, 67, reasoning_tokens=40), Usage(10, 27), True),
        (Usage(10, 67), Usage(10, 27, reasoning_tokens=40), True),
        (Usage(10, 67, reasoning_tokens=39), Usage(10, 27), False),
    ],
)
def test_whether_two_reports_agree(one: Usage, other: Usage, same: bool) -> None:
    """What both say is equal, or the outputs differ by the thinking."""
    assert same_tokens(one, other) is same
    assert same_tokens(other, one) is same


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (None, None, None),
        (None, Usage(1, 2), Usage(1, 2)),
        (Usage(1, 2), None, Usage(1, 2)),
        (Usage(0, 0), Usage(1, 2), Usage(1, 2)),
        (Usage(10, 2), Usage(10, 2, 5), Usage(10, 2, 5)),
        (Usage(10, 2, 4), Usage(10, 2, 5), Usage(10, 2, 4)),
        (Usage(10, 2), Usage(11, 2, 5), Usage(10, 2)),
        (Usage(10, 27, 5, unexplained_tokens=40), Usage(10, 67, reasoning_tokens=40), Usage(10, 67, 5, None, 40)),
        (Usage(10, 2), Usage(10, 2, unexplained_tokens=4), Usage(10, 2, unexplained_tokens=4)),
    ],
)
def test_two_reports_complete_each_other(one: Usage | None, other: Usage | None, expected: Usage | None) -> None:
    """Missing parts are filled in, nothing is added, and an output with the thinking goes before one without."""
    assert completed(one, other) == expected
