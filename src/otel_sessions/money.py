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


MAX_EXPONENT: Final = 40
"""Amounts above ten to this power, or below its inverse, are mistakes, and could not be added up exactly."""


def is_amount(value: object) -> bool:
    """Return True if a value is an amount that can be added up: a finite `Decimal`, not negative, within `MAX_EXPONENT`."""
    if not isinstance(value, Decimal) or not value.is_finite():
        return False
    digits = value.as_tuple().digits
    return value.is_zero() or (
        not value.is_signed() and -MAX_EXPONENT <= value.adjusted() <= MAX_EXPONENT and len(digits) <= MAX_EXPONENT * 2
    )


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
