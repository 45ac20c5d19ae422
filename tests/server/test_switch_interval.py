"""The switch interval is short while an answer is being computed."""

from __future__ import annotations

import sys

import pytest

from otel_sessions.server.switch_interval import SECONDS, SwitchInterval


def test_the_interval_is_short_while_any_context_is_open() -> None:
    """The interval is short until the last context has ended, also if it ends with an error."""
    before = sys.getswitchinterval()
    interval = SwitchInterval()
    with interval.shortened():
        with pytest.raises(ZeroDivisionError), interval.shortened():
            1 / 0  # noqa: B018
        assert sys.getswitchinterval() == pytest.approx(SECONDS)
    assert sys.getswitchinterval() == pytest.approx(before)
