"""What a million tokens of a model cost."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from otel_sessions.counting.prices.chain import FirstPrice
from otel_sessions.counting.prices.entry_prices import EntryPrices
from otel_sessions.counting.prices.genai import GenAIPrices
from otel_sessions.counting.prices.price_entries import read_entry
from otel_sessions.counting.prices.pricer import Cost
from otel_sessions.counting.prices.rates_of_model import ModelRates, rates_of

AT = 1_795_000_000 * 10**9


def test_rates_of_entries() -> None:
    """Cache tokens without a price cost as other input; without an output price the output has none."""
    prices = EntryPrices(
        [read_entry({"model": "m", "input": "0.1", "cache_read": "0.01"}, place="here")], lambda _: "mine"
    )
    rates = rates_of(prices, provider=None, model="m", at=AT)
    assert rates == ModelRates(Decimal("0.1"), None, Decimal("0.01"), Decimal("0.1"), Decimal("0.1"), "mine")
    assert rates_of(prices, provider=None, model="other", at=AT) is None


def test_rates_of_genai_prices() -> None:
    """A cache that keeps for an hour has a price of its own where the list has one."""
    rates = rates_of(GenAIPrices(), provider="anthropic", model="claude-opus-4-5", at=AT)
    assert rates is not None
    assert rates[:5] == tuple(map(Decimal, ("5", "25", "0.5", "6.25", "10")))


def test_a_pricer_that_knows_totals_only() -> None:
    """What is not known by side stays unknown."""

    class Flat:
        def price(self, **_: Any) -> Cost:
            return Cost(None, None, Decimal(1), "flat")

    assert rates_of(Flat(), provider=None, model="m", at=AT) == ModelRates(None, None, None, None, None, "flat")
    assert rates_of(FirstPrice(), provider=None, model="m", at=AT) is None
