"""Turns are short while an answer is waited for."""

from __future__ import annotations

import sys

import pytest

from otel_sessions.server.switch_interval import SECONDS, ShortTurns


def test_short_while_anybody_is_inside() -> None:
    """And as they were when the last one has left, also by an error."""
    before = sys.getswitchinterval()
    turns = ShortTurns()
    with turns.wanted():
        with pytest.raises(ZeroDivisionError), turns.wanted():
            1 / 0  # noqa: B018
        assert sys.getswitchinterval() == pytest.approx(SECONDS)
    assert sys.getswitchinterval() == pytest.approx(before)
