"""`--since` takes an age, a time or a date."""

from __future__ import annotations

import pytest

from otel_sessions.cli.errors import WRONG_USAGE, CommandError
from otel_sessions.cli.since import moment_of
from otel_sessions.timestamps import format_time, parse_time

NOW = parse_time("2026-11-28T12:00:00Z") or 0


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("90s", "2026-11-28T11:58:30.000Z"),
        ("15m", "2026-11-28T11:45:00.000Z"),
        ("2h", "2026-11-28T10:00:00.000Z"),
        (" 30d ", "2026-10-29T12:00:00.000Z"),
        ("1w", "2026-11-21T12:00:00.000Z"),
        ("999999999w", format_time(0)),
        ("2026-11-20", "2026-11-20"),
        ("2026-11-20T12:00:00+01:00", "2026-11-20T12:00:00+01:00"),
    ],
)
def test_moments(text: str, moment: str) -> None:
    """An age counts back from now, but not further than 1970; a time is passed on."""
    assert moment_of(text, now=NOW) == moment


@pytest.mark.parametrize("text", ["", "2", "2 hours", "-2h", "2y", "yesterday", "2026-13-01"])
def test_no_moments(text: str) -> None:
    """Anything else is wrong usage, with examples."""
    with pytest.raises(CommandError, match="15m, 2h, 30d") as raised:
        moment_of(text, now=NOW)
    assert raised.value.status == WRONG_USAGE
