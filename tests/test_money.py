"""Exact sums of money, and how it is written."""

from __future__ import annotations

import decimal
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otel_sessions.money import EXACT, is_amount, money_sum, shown_money


def test_the_sum_of_nothing_is_unknown() -> None:
    """A sum without amounts is unknown, not 0."""
    assert money_sum([]) is None
    assert money_sum([Decimal(0)]) == 0


@settings(deadline=None)
@given(st.lists(st.decimals(0, 10**30, places=30), min_size=1))
def test_sums_are_exact(amounts: list[Decimal]) -> None:
    """Sums keep every digit in an app whose decimal context has three digits."""
    whole = sum(int(amount.scaleb(30, EXACT)) for amount in amounts)
    with decimal.localcontext() as context:
        context.prec = 3
        assert money_sum(amounts) == Decimal(f"{whole}e-30")


@pytest.mark.parametrize(
    ("amount", "written"),
    [
        (None, None),
        ("0", "0"),
        ("0.000", "0"),
        ("0E-12", "0"),
        ("100", "100"),
        ("1E+2", "100"),
        ("1.500", "1.5"),
        ("10.0", "10"),
        ("1e-12", "0.000000000001"),
        ("0.00000000000000000000000000000000000000012345", "0.00000000000000000000000000000000000000012345"),
    ],
)
def test_money_is_written_plainly(amount: str | None, written: str | None) -> None:
    """An amount is written without an exponent and without zeros at the end of its fraction."""
    assert shown_money(None if amount is None else Decimal(amount)) == written


@pytest.mark.parametrize(
    ("value", "accepted"),
    [
        (Decimal(0), True),
        (Decimal("-0.0"), True),
        (Decimal("0e-999999"), True),
        (Decimal("0.1"), True),
        (Decimal("99999999999999999999.9"), True),
        (Decimal("1e20"), False),
        (Decimal("1e-38"), True),
        (Decimal("9e-39"), False),
        (Decimal("1." + "1" * 38), True),
        (Decimal("1." + "1" * 39), False),
        (Decimal("1." + "0" * 79), True),
        (Decimal("1." + "0" * 80), False),
        (Decimal("-0.1"), False),
        (Decimal("NaN"), False),
        (Decimal("sNaN"), False),
        (Decimal("Infinity"), False),
        (0, False),
        (0.5, False),
        ("0.5", False),
        (None, False),
    ],
)
def test_what_is_an_amount(value: object, accepted: bool) -> None:
    """An amount is a finite decimal from 0 up, of a bounded size and precision."""
    assert is_amount(value) is accepted


accepted_amounts = st.builds(
    lambda digits, exponent: Decimal(digits).scaleb(exponent, EXACT), st.integers(0, 10**38), st.integers(-78, 2)
).filter(is_amount)


@settings(deadline=None)
@given(st.lists(accepted_amounts, min_size=1, max_size=20))
def test_amounts_always_add_up(amounts: list[Decimal]) -> None:
    """Accepted amounts add up without rounding, in any order."""
    assert money_sum(amounts) == money_sum(reversed(amounts))
