"""`moment_of`: the time that an argument names, since an agent often does not know what time it is."""

from __future__ import annotations

import re
from typing import Final

from otel_sessions.mcp.asking import AskError
from otel_sessions.timestamps import DAY_NS, SECOND_NS, format_time, parse_time

_AGO: Final = re.compile(r"([0-9]{1,9})([smhdw])")
_UNITS: Final = {"s": SECOND_NS, "m": 60 * SECOND_NS, "h": 3_600 * SECOND_NS, "d": DAY_NS, "w": 7 * DAY_NS}
TODAY: Final = "today"
ABOUT: Final = (
    "an age such as 30m, 2h or 7d, `today` (since midnight UTC), or a time or date such as 2026-11-20T12:00:00Z"
)


def moment_of(name: str, text: str, *, now: int) -> str:
    """A time as the API takes it.

    Args:
        name: of the argument.
        text: what it says.
        now: nanoseconds UTC.

    Raises:
        AskError: it names no time.
    """
    plain = text.strip()
    if plain.lower() == TODAY:
        return format_time(now - now % DAY_NS)
    if age := _AGO.fullmatch(plain):
        return format_time(max(0, now - int(age[1]) * _UNITS[age[2]]))
    if parse_time(plain) is None:
        raise AskError(f"{name}: {plain[:80]!r} is no time; write {ABOUT}")
    return plain
