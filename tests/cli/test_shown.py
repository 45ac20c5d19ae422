"""Numbers, amounts and times as people read them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import pytest

from otel_sessions.cli.shown import ago, amount, clock, day_of, decimal, dollars, duration, now_ns, number
from otel_sessions.timestamps import parse_time

NOW = parse_time("2026-11-28T12:00:00Z") or 0


@contextmanager
def time_zone(name: str) -> Iterator[None]:
    """The time zone of this machine is another one in this block."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("TZ", name)
        time.tzset()
        yield
    time.tzset()


@pytest.fixture(autouse=True)
def utc() -> Iterator[None]:
    """The time zone of this machine is UTC."""
    with time_zone("UTC0"):
        yield


@pytest.mark.parametrize(("value", "text"), [(None, "—"), (0, "0"), (1_234_567, "1,234,567")])
def test_numbers(value: Any, text: str) -> None:
    """A known zero is no unknown."""
    assert number(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "—"),
        ("0", "$0.00"),
        ("12.3", "$12.30"),
        ("0.05394", "$0.05394"),
        ("0.0468150000000012", "$0.046815"),
        ("0.0000004", "< $0.000001"),
        ("99999999999999999999.5", "$99999999999999999999.50"),
    ],
)
def test_amounts(value: Any, text: str) -> None:
    """An amount has two decimals at least and six at most; one that is not zero is not shown as zero."""
    assert amount(value) == text
    assert amount(value, exact=False) == (text if value is None else f"≥ {text}")


def test_all_digits() -> None:
    """A total has all digits."""
    assert dollars(Decimal("0.1007550000000012")) == "$0.1007550000000012"


@pytest.mark.parametrize("value", ["x", [], object()])
def test_what_is_no_amount(value: Any) -> None:
    """What is no decimal string is unknown."""
    assert decimal(value) is None


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "—"),
        (0, "0 ms"),
        (40.4, "40 ms"),
        (4_240, "4.2 s"),
        (38_000, "38 s"),
        (96_000, "1m 36s"),
        (13_260_000, "3h 41m"),
        (90_000_000, "1d 1h"),
    ],
)
def test_durations(value: Any, text: str) -> None:
    """A duration has the unit that fits it."""
    assert duration(value) == text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2026-11-28T11:59:30Z", "just now"),
        ("2026-11-28T11:52:00Z", "8 min ago"),
        ("2026-11-28T03:00:00Z", "9 h ago"),
        ("2026-11-26T17:12:00Z", "26 Nov 17:12"),
        ("2025-01-02T00:00:00Z", "02 Jan 2025"),
        ("2026-12-01T00:00:00Z", "01 Dec 2026"),
        ("soon\x1b", "soon\\x1b"),
        (None, "—"),
    ],
)
def test_ages(text: Any, said: str) -> None:
    """Within a day it is an age, before that a date; a time to come is a date too."""
    assert ago(text, now=NOW) == said


def test_clock_times() -> None:
    """A time has its seconds, or its day."""
    at = "2026-11-28T11:59:30.9Z"
    assert (clock(at, day=False), clock(at, day=True)) == ("11:59:30", "28 Nov 11:59")
    assert (clock("?", day=True), clock(None, day=True)) == ("?", "—")
    assert str(day_of(at)) == "2026-11-28"
    assert day_of(None) is None


def test_the_time_zone_of_this_machine() -> None:
    """Times are those of this machine; one that its time zone cannot hold is shown in UTC."""
    with time_zone("EST5"):
        assert clock("2026-11-28T11:59:30Z", day=True) == "28 Nov 06:59"
        assert clock("0001-01-01T00:00:00Z", day=True) == "01 Jan 00:00"


def test_now() -> None:
    """The clock of this machine counts nanoseconds since 1970."""
    assert now_ns() > NOW - 10**18
