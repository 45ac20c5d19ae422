"""How numbers, amounts and times are written for people."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from otel_sessions.cli.tables import UNKNOWN, cell
from otel_sessions.money import shown_money
from otel_sessions.timestamps import EPOCH, SECOND_NS, parse_time, to_datetime

_DECIMALS: Final = Decimal("0.000001")
_MINUTE: Final = 60
_HOUR: Final = 3_600
_DAY: Final = 86_400


def number(value: Any) -> str:
    """A count with commas, `—` for unknown."""
    return UNKNOWN if value is None else f"{value:,}"


def amount(value: Any, *, exact: bool = True) -> str:
    """USD to the millionth, `—` for unknown; `≥` before it if it is a lower bound."""
    money = decimal(value)
    if money is None:
        return UNKNOWN
    rounded = money.quantize(_DECIMALS) if money < 10**9 else money
    if not rounded and money:
        return f"{'' if exact else '≥ '}< $0.000001"
    return f"{'' if exact else '≥ '}{dollars(rounded)}"


def dollars(money: Decimal) -> str:
    """USD with all its digits, two decimals at least."""
    whole, _, decimals = (shown_money(money) or "").partition(".")
    return f"${whole}.{decimals:<02}"


def decimal(value: Any) -> Decimal | None:
    """The amount of a decimal string; `None` for unknown."""
    try:
        return None if value is None else Decimal(value)
    except (InvalidOperation, TypeError, ValueError):
        return None


def duration(milliseconds: Any) -> str:
    """A duration in the unit that fits it: `40 ms`, `4.2 s`, `1m 36s`, `3h 41m`, `2d 4h`."""
    if milliseconds is None:
        return UNKNOWN
    if milliseconds < 1_000:
        return f"{milliseconds:.0f} ms"
    if milliseconds < 10_000:
        return f"{milliseconds / 1_000:.1f} s"
    seconds = round(milliseconds / 1_000)
    if seconds < _MINUTE:
        return f"{seconds} s"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE}m {seconds % _MINUTE}s"
    if seconds < _DAY:
        return f"{seconds // _HOUR}h {seconds % _HOUR // _MINUTE}m"
    return f"{seconds // _DAY}d {seconds % _DAY // _HOUR}h"


def ago(text: Any, *, now: int) -> str:
    """A time as people say it: `8 min ago` within a day, else day and hour; in the time zone of this machine.

    Args:
        text: RFC 3339.
        now: nanoseconds UTC.
    """
    at = parse_time(text) if isinstance(text, str) else None
    if at is None:
        return cell(str(text or ""))
    seconds = (now - at) // SECOND_NS
    if 0 <= seconds < _MINUTE:
        return "just now"
    if 0 <= seconds < _HOUR:
        return f"{seconds // _MINUTE} min ago"
    if 0 <= seconds < _DAY:
        return f"{seconds // _HOUR} h ago"
    return f"{_local(at):%d %b %H:%M}" if 0 <= seconds < 300 * _DAY else f"{_local(at):%d %b %Y}"


def clock(text: Any, *, day: bool) -> str:
    """A time in the time zone of this machine: to the second, or with its day to the minute."""
    at = parse_time(text) if isinstance(text, str) else None
    if at is None:
        return cell(str(text or ""))
    return f"{_local(at):%d %b %H:%M}" if day else f"{_local(at):%H:%M:%S}"


def day_of(text: Any) -> date | None:
    """The day of a time in the time zone of this machine; `None` if it is not a time."""
    at = parse_time(text) if isinstance(text, str) else None
    return None if at is None else _local(at).date()


def now_ns() -> int:
    """Nanoseconds UTC since 1970."""
    passed = datetime.now(EPOCH.tzinfo) - EPOCH
    return (passed.days * _DAY + passed.seconds) * SECOND_NS + passed.microseconds * 1_000


def _local(at: int) -> datetime:
    moment = to_datetime(at)
    try:
        return moment.astimezone()
    except (OverflowError, OSError, ValueError):
        return moment
