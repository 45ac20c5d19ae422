"""The switch interval is short while an answer is computed."""

from __future__ import annotations

import sys

import pytest

from otel_sessions.server.switch_interval import SECONDS, SwitchInterval


def test_it_is_short_inside_any_block() -> None:
    """It is what it was before when the last block has ended, also by an error."""
    before = sys.getswitchinterval()
    interval = SwitchInterval()
    with interval.shortened():
        with pytest.raises(ZeroDivisionError), interval.shortened():
            1 / 0  # noqa: B018
        assert sys.getswitchinterval() == pytest.approx(SECONDS)
    assert sys.getswitchinterval() == pytest.approx(before)
