"""`Totals`: sums in which unknown stays unknown."""

from __future__ import annotations

import decimal
import random
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otel_sessions.counting.prices.pricer import Cost
from otel_sessions.counting.prices.rates import CACHED_AUDIO_UNKNOWN, TOTALS_ONLY
from otel_sessions.counting.tokens import Usage
from otel_sessions.counting.totals import Totals

NAMES = [
    *("call_count", "unpriced_call_count", "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens"),
    *("reasoning_tokens", "total_tokens", "input_cost", "output_cost", "total_cost", "cost_exact", "cost_sources"),
]


def summed(*calls: tuple[Usage | None, Cost | None]) -> Totals:
    """The sum of calls."""
    totals = Totals()
    for usage, cost in calls:
        totals.add_call(usage, cost)
    return totals


def test_nothing_added() -> None:
    """A sum of no calls counts 0 calls and knows nothing of what a call could have reported."""
    shown = Totals().to_dict()
    assert list(shown) == NAMES
    assert (shown.pop("call_count"), shown.pop("unpriced_call_count"), shown.pop("cost_sources")) == (0, 0, [])
    assert shown.pop("cost_exact") is True
    assert set(shown.values()) == {None}
    assert Totals().total_tokens is None


def test_unknown_adds_nothing_and_changes_nothing() -> None:
    """A call without usage and cost is counted as unpriced, and reported zeros are zeros."""
    totals = summed((None, None), (Usage(), None))
    assert (totals.call_count, totals.unpriced_call_count, totals.input_tokens) == (2, 2, None)
    totals.add_call(Usage(0, 0, 0, 0, 0), Cost(Decimal(0), Decimal(0), Decimal(0), "free"))
    assert (totals.input_tokens, totals.output_tokens, totals.total_tokens) == (0, 0, 0)
    assert (totals.cache_read_tokens, totals.cache_write_tokens, totals.reasoning_tokens) == (0, 0, 0)
    assert (totals.total_cost, totals.unpriced_call_count) == (Decimal(0), 2)


@pytest.mark.parametrize(
    ("usage", "failed", "unpriced"),
    [(None, False, 1), (None, True, 0), (Usage(0, 0), True, 0), (Usage(5, 0), True, 1)],
)
def test_a_failed_call_without_usage_is_not_billed(usage: Usage | None, failed: bool, unpriced: int) -> None:
    """A call that failed before it used a token is a call, but none whose price is missing."""
    totals = Totals()
    totals.add_call(usage, None, failed=failed)
    assert (totals.call_count, totals.unpriced_call_count) == (1, unpriced)


def test_each_number_is_summed_by_itself() -> None:
    """Parts, sides, costs and sources of several calls are added up one by one."""
    totals = summed(
        (Usage(10, 2, 5, 3, 1), Cost(Decimal("0.1"), Decimal("0.2"), Decimal("0.35"), "b")),
        (Usage(1), Cost(None, None, Decimal("0.05"), "a")),
        (Usage(None, 7), None),
    )
    assert totals.to_dict() == {
        "call_count": 3,
        "unpriced_call_count": 1,
        "input_tokens": 11,
        "output_tokens": 9,
        "cache_read_tokens": 5,
        "cache_write_tokens": 3,
        "reasoning_tokens": 1,
        "total_tokens": 20,
        "input_cost": "0.1",
        "output_cost": "0.2",
        "total_cost": "0.4",
        "cost_exact": False,
        "cost_sources": ["a", "b"],
    }


@pytest.mark.parametrize(
    ("source", "exact"),
    [("list", True), ("list" + TOTALS_ONLY, False), ("list" + CACHED_AUDIO_UNKNOWN, False), ("a (as sold by b)", True)],
)
def test_a_cost_is_exact_unless_its_source_says_otherwise(source: str, exact: bool) -> None:
    """One doubtful or unpriced call makes a sum inexact; no call at all does not."""
    cost = Cost(Decimal(1), Decimal(1), Decimal(2), source)
    assert summed().cost_exact
    assert summed((Usage(1, 1), cost)).cost_exact is exact
    assert not summed((Usage(1, 1), cost), (Usage(1, 1), None)).cost_exact


def test_one_side_is_a_total() -> None:
    """Total tokens need only one of both sides."""
    assert summed((Usage(3), None)).total_tokens == 3
    assert summed((Usage(None, 4), None)).total_tokens == 4


def test_adding_sums() -> None:
    """The sum of two sums is the sum of all their calls, with the sources of both."""
    calls = [
        (Usage(10, 2, 5, 3, 1), Cost(Decimal("0.1"), Decimal("0.2"), Decimal("0.3"), "b")),
        (Usage(1, 1, 1, 1, 1), Cost(Decimal(1), Decimal(2), Decimal(3), "a")),
        (None, None),
    ]
    together = summed(calls[0])
    together.add(summed(*calls[1:]))
    assert together == summed(*calls)
    together.add(Totals())
    assert together == summed(*calls)


def test_money_is_exact_whatever_the_app_does() -> None:
    """A decimal context of three digits, or one that traps, does not round a bill."""
    with decimal.localcontext() as context:
        context.prec = 3
        context.traps[decimal.Inexact] = True
        totals = summed(
            (None, Cost(Decimal("1234.56789"), Decimal("0.000000001"), Decimal("1234.567890001"), "x")),
            (None, Cost(Decimal("0.00001"), Decimal("1e-12"), Decimal("0.000010000001"), "x")),
        )
        other = Totals()
        other.add(totals)
        other.add(totals)
    assert totals.input_cost == Decimal("1234.5679")
    assert totals.output_cost == Decimal("0.000000001001")
    assert totals.total_cost == Decimal("1234.567900001001")
    assert other.total_cost == 2 * Decimal("1234.567900001001")


def test_comparison_and_looks() -> None:
    """Sums are equal by their numbers, and print them."""
    assert summed((Usage(1), None)) != summed((Usage(2), None))
    assert summed((Usage(1), None)) != "a sum"
    assert "input_tokens=1" in repr(summed((Usage(1), None)))


amounts = st.none() | st.decimals(0, 10**9, places=12)
costs = st.none() | st.builds(Cost, amounts, amounts, st.decimals(0, 10**9, places=12), st.sampled_from("ab"))
usages = st.none() | st.builds(Usage, *[st.none() | st.integers(0, 10**12)] * 5)


@settings(deadline=None)
@given(st.lists(st.tuples(usages, costs), max_size=8), st.integers(0, 8), st.randoms())
def test_order_and_grouping_change_nothing(
    calls: list[tuple[Usage | None, Cost | None]], cut: int, order: random.Random
) -> None:
    """The sum is the same however the calls are ordered and grouped."""
    whole = summed(*calls)
    order.shuffle(calls)
    together = summed(*calls[cut:])
    together.add(summed(*calls[:cut]))
    assert together == whole
    known = [cost.total for _, cost in calls if cost is not None]
    assert whole.total_cost == (sum(known) if known else None)
    assert whole.unpriced_call_count == len(calls) - len(known)
