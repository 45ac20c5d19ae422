"""Amounts in USD: exact sums that do not depend on the decimal context of the app, and their text form."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_EVEN, Context, Decimal, DivisionByZero, Inexact, InvalidOperation, Overflow
from typing import Final

EXACT: Final = Context(
    prec=400,
    rounding=ROUND_HALF_EVEN,
    Emin=-999_999,
    Emax=999_999,
    capitals=1,
    clamp=0,
    flags=[],
    traps=[DivisionByZero, Inexact, InvalidOperation, Overflow],
)
"""Arithmetic that raises instead of rounding."""

MAX_DECIMALS: Final = 38
MAX_AMOUNT: Final = Decimal(10) ** 20
"""An amount has at most `MAX_DECIMALS` decimals and is below `MAX_AMOUNT` USD. Anything else is a mistake of who reported it. Within
these bounds a `Decimal(76, 38)` of ClickHouse holds every amount, and every sum of fewer than 10 ** 18 of them, exactly."""

_LONGEST: Final = 80


def is_amount(value: object) -> bool:
    """Return True if a value is an amount of USD that can be added up: a finite `Decimal` from 0 up, within the bounds."""
    if not isinstance(value, Decimal) or not value.is_finite():
        return False
    if value.is_zero():
        return True
    if value.is_signed() or value >= MAX_AMOUNT or len(value.as_tuple().digits) > _LONGEST:
        return False
    exponent = value.normalize(EXACT).as_tuple().exponent
    return isinstance(exponent, int) and -exponent <= MAX_DECIMALS


def money_sum(amounts: Iterable[Decimal]) -> Decimal | None:
    """The exact sum; `None` if there are no amounts."""
    total: Decimal | None = None
    for amount in amounts:
        total = amount if total is None else EXACT.add(total, amount)
    return total


def shown_money(amount: Decimal | None) -> str | None:
    """The amount as a decimal string without exponent and trailing zeros; `None` stays `None`."""
    if amount is None:
        return None
    written = format(amount, "f")
    return written.rstrip("0").rstrip(".") if "." in written else written


def without_trailing_zeros(amount: Decimal | None) -> Decimal | None:
    """The same amount without trailing zeros, which only tell how it was computed."""
    written = shown_money(amount)
    return None if written is None else Decimal(written)
