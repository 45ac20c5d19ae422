"""`Usage`: the total of one call."""

from __future__ import annotations

import pytest

from otel_sessions.counting.tokens import Usage


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
