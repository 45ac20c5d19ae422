"""Amounts of USD: exact sums, whatever the app does to its decimal context, and how they are written."""

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


def money_sum(amounts: Iterable[Decimal]) -> Decimal | None:
    """The exact sum; `None` of nothing."""
    total: Decimal | None = None
    for amount in amounts:
        total = amount if total is None else EXACT.add(total, amount)
    return total


def shown_money(amount: Decimal | None) -> str | None:
    """A plain decimal string without exponent and trailing zeros; `None` stays `None`."""
    if amount is None:
        return None
    written = format(amount, "f")
    return written.rstrip("0").rstrip(".") if "." in written else written
