"""`moment_of`: the time that `--since` or `--until` names, as the API takes it."""

from __future__ import annotations

import re
from typing import Final

from otel_sessions.cli.errors import WRONG_USAGE, CommandError
from otel_sessions.timestamps import DAY_NS, SECOND_NS, format_time, parse_time

_AGO: Final = re.compile(r"([0-9]{1,9})([smhdw])")
_UNITS: Final = {"s": SECOND_NS, "m": 60 * SECOND_NS, "h": 3_600 * SECOND_NS, "d": DAY_NS, "w": 7 * DAY_NS}


def moment_of(text: str, *, now: int, option: str = "--since") -> str:
    """A time in RFC 3339, from an age such as `2h` or `30d`, or from a time or a date.

    Args:
        text: what was written.
        now: nanoseconds UTC, from which an age counts back; an age before 1970 means 1970.
        option: how the message names it.

    Raises:
        CommandError: it is neither.
    """
    written = text.strip()
    age = _AGO.fullmatch(written)
    if age is not None:
        return format_time(max(0, now - int(age[1]) * _UNITS[age[2]]))
    if parse_time(written) is None:
        raise CommandError(
            f"{option} {text!r} is no time; write an age such as 90s, 15m, 2h, 30d or 1w, or a time such as "
            "2026-11-20T12:00:00Z, or a date",
            status=WRONG_USAGE,
        )
    return written
