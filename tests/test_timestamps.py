"""Times: nanoseconds UTC to text and back, to datetimes, and the start of a day."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_sessions.timestamps import DAY_NS, format_time, parse_time, start_of_day, to_datetime

NOON = 1_795_176_000 * 10**9


@pytest.mark.parametrize(
    ("at", "written"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (-1, "1969-12-31T23:59:59.999999999Z"),
        (1_795_000_000_120_000_000, "2026-11-18T11:06:40.120Z"),
        (1_795_000_000_123_456_789, "2026-11-18T11:06:40.123456789Z"),
        (1_795_000_000_000_000_100, "2026-11-18T11:06:40.0000001Z"),
        (-62_135_596_800 * 10**9, "0001-01-01T00:00:00.000Z"),
        (2**64 - 1, "2554-07-21T23:34:33.709551615Z"),
        (10**30, "9999-12-31T23:59:59.000Z"),
        (-(10**30), "0001-01-01T00:00:00.000Z"),
    ],
)
def test_a_time_is_written_whole(at: int, written: str) -> None:
    """No nanosecond is rounded away, milliseconds are always written, and a time beyond the calendar is its last one."""
    assert format_time(at) == written


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-20T12:00:00Z", NOON),
        ("2026-11-20t12:00:00z", NOON),
        ("2026-11-20 12:00:00Z", NOON),
        ("2026-11-20T13:30:00+01:30", NOON),
        ("2026-11-20T13:30:00 01:30", NOON),
        ("2026-11-20T04:00:00-08:00", NOON),
        ("2026-11-20T12:00:00.5Z", NOON + 500_000_000),
        ("2026-11-20T12:00:00.000000001Z", NOON + 1),
        ("2026-11-20", NOON - 12 * 3600 * 10**9),
        ("2026-11-20T11:59:60Z", NOON),
        ("1969-12-31T23:59:59.9Z", -100_000_000),
        ("0001-01-01", -62_135_596_800 * 10**9),
        ("9999-12-31T23:59:60-23:59", (253_402_300_800 + 86_340) * 10**9),
    ],
)
def test_rfc_3339_and_dates_are_read(text: str, expected: int) -> None:
    """Times are read to the nanosecond, from the year 1 to 9999; a space may stand for the `+` of an offset."""
    assert parse_time(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2026-11-20T12:00:00",
        "2026-11-20T12:00Z",
        "2026-13-20",
        "2026-02-29",
        "0000-01-01",
        "2026-11-20T24:00:00Z",
        "2026-11-20T12:60:00Z",
        "2026-11-20T12:00:61Z",
        "2026-11-20T12:00:00+24:00",
        "2026-11-20T12:00:00+01:60",
        "2026-11-20T12:00:00.0000000001Z",
        "2026-11-20\n",
        "٢٠٢٦-11-20",
        "\ud800",
    ],
)
def test_other_text_is_not_a_time(text: str) -> None:
    """Text that names no moment is read as `None`."""
    assert parse_time(text) is None


@given(st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC)), st.integers(0, 999))  # noqa: DTZ001
def test_what_is_written_is_read_back(time: datetime, nanoseconds: int) -> None:
    """Writing and reading a time gives the same nanosecond, and its `datetime` the same microsecond."""
    at = (time - datetime(1970, 1, 1, tzinfo=UTC)) // datetime.resolution * 1_000 + nanoseconds
    assert parse_time(format_time(at)) == at
    assert to_datetime(at) == time


def test_datetimes_end_where_the_calendar_ends() -> None:
    """A time that no `datetime` can hold is the first or the last one that it can."""
    assert to_datetime(10**30) == datetime.max.replace(tzinfo=UTC)
    assert to_datetime(-(10**30)) == datetime.min.replace(tzinfo=UTC)


def test_a_day_starts_at_midnight_utc() -> None:
    """Days are counted from 1970, also backwards."""
    assert start_of_day(date(1970, 1, 2)) == DAY_NS
    assert start_of_day(date(1969, 12, 31)) == -DAY_NS
    assert start_of_day(date(2026, 11, 20)) == parse_time("2026-11-20")
