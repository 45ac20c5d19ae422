"""Times as integer nanoseconds UTC since 1970: their constants, and how they are written and read."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Final

MS_NS: Final = 10**6
SECOND_NS: Final = 10**9
DAY_NS: Final = 86_400 * SECOND_NS
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

_LATEST: Final = datetime.max.replace(tzinfo=UTC)
_EARLIEST: Final = datetime.min.replace(tzinfo=UTC)
_RFC_3339: Final = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})"
    r"(?:[Tt ]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,9}))?([Zz]|[+ -][0-9]{2}:[0-9]{2}))?"
)


def to_datetime(at: int) -> datetime:
    """The time as a `datetime` in UTC, cut to microseconds and to the years that a `datetime` can hold."""
    try:
        return EPOCH + timedelta(microseconds=at // 1000)
    except OverflowError:
        return _LATEST if at > 0 else _EARLIEST


def start_of_day(day: date) -> int:
    """The first nanosecond of a day in UTC."""
    return (day - EPOCH.date()).days * DAY_NS


def format_time(at: int) -> str:
    """RFC 3339 in UTC, to the nanosecond, with at least milliseconds: `2026-11-20T12:00:00.000Z`."""
    digits = f"{at % SECOND_NS:09d}"
    return f"{to_datetime(at).isoformat()[:19]}.{digits[:3]}{digits[3:].rstrip('0')}Z"


def parse_time(text: str) -> int | None:
    """The time that a text in RFC 3339, or a date, names; `None` for any other text. Negative before 1970.

    A date means its first moment in UTC. A leap second means the first moment after it. A space in place of the `+` of
    an offset is accepted, since an unquoted `+` in a URL is a space.
    """
    found = _RFC_3339.fullmatch(text)
    if found is None:
        return None
    seconds = _seconds(*(int(part or 0) for part in found.groups()[:6]))
    offset = _offset_seconds(found[8] or "Z")
    if seconds is None or offset is None:
        return None
    return (seconds - offset) * SECOND_NS + int((found[7] or "0").ljust(9, "0"))


def _seconds(year: int, month: int, day: int, hour: int, minute: int, second: int) -> int | None:
    """Seconds since 1970; `None` for a day or an hour that does not exist."""
    leap = second == 60
    try:
        since = datetime(year, month, day, hour, minute, second - leap, tzinfo=UTC) - EPOCH
    except ValueError:
        return None
    return since // timedelta(seconds=1) + leap


def _offset_seconds(offset: str) -> int | None:
    """How far a clock with this offset is ahead of UTC; `None` for an offset that does not exist."""
    if offset in "Zz":
        return 0
    hours, minutes = int(offset[1:3]), int(offset[4:])
    if hours > 23 or minutes > 59:
        return None
    return (-60 if offset[0] == "-" else 60) * (hours * 60 + minutes)
