"""`cache_use`: what a call did with the cache, and what a token that is written again costs."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from tests.counting.building import AT, fact

from otel_sessions.counting.cache_use import CacheUse, cache_use
from otel_sessions.counting.facts import Call
from otel_sessions.counting.prices.custom import PriceFile
from otel_sessions.counting.prices.genai import GenAIPrices
from otel_sessions.counting.prices.pricer import Cost
from otel_sessions.counting.tokens import Usage

SPAN = fact(1, start=AT, end=AT + 9)
USAGE = Usage(50_122, 431, 48_210, 1_900, cache_write_1h_tokens=1_900)


def test_a_call_with_numbers_of_a_cache() -> None:
    """Counts are kept as reported; a token costs 6.25 or 10 USD a million to write, and 0.50 to read."""
    call = Call(USAGE, "claude-opus-4-8", "opus", "anthropic")
    assert cache_use(call, SPAN, "Explore", GenAIPrices()) == CacheUse(
        start=AT,
        end=AT + 9,
        lane="Explore",
        provider="anthropic",
        model="claude-opus-4-8",
        input_tokens=50_122,
        read_tokens=48_210,
        written_tokens=1_900,
        written_1h_tokens=1_900,
        penalty=Decimal("0.00000575"),
        penalty_1h=Decimal("0.0000095"),
    )


@pytest.mark.parametrize("usage", [None, Usage(), Usage(100, 20), Usage(100, 20, reasoning_tokens=3)])
def test_a_call_that_says_nothing_of_a_cache(usage: Usage | None) -> None:
    """Without cache numbers there is nothing to keep."""
    assert cache_use(Call(usage, "claude-opus-4-8", provider="anthropic"), SPAN, None, GenAIPrices()) is None


class Asked:
    """A pricer that notes what it is asked for, and knows one name."""

    def __init__(self, known: str | None = None) -> None:
        self.known = known
        self.asked: list[str] = []

    def price(
        self, *, provider: str | None, model: str, usage: Usage, at: int, context: tuple[tuple[str, str], ...] = ()
    ) -> Cost | None:
        """One USD for each written token."""
        self.asked.append(model)
        return Cost(None, None, Decimal(usage.cache_write_tokens or 0), "test") if model == self.known else None


def test_prices_are_asked_only_where_time_can_tell() -> None:
    """A model without a documented time to live never has a penalty, so no price is looked up for it."""
    pricer = Asked("gpt-5.2")
    use = cache_use(Call(Usage(9, 1, 4), "gpt-5.2", provider="openai"), SPAN, None, pricer)
    assert use is not None
    assert (use.read_tokens, use.written_tokens, use.penalty, use.penalty_1h, pricer.asked) == (4, None, None, None, [])


@pytest.mark.parametrize(("model", "asked_for"), [("claude-x", "claude-y"), (None, "claude-y"), ("claude-y", None)])
def test_the_price_is_that_of_the_answer_else_of_the_request(model: str | None, asked_for: str | None) -> None:
    """As for the cost of the call, the name in the answer comes first."""
    use = cache_use(Call(USAGE, model, asked_for, "anthropic"), SPAN, None, Asked("claude-y"))
    assert use is not None
    assert (use.penalty, use.penalty_1h) == (Decimal(1), None)


def test_unknown_prices_are_unknown() -> None:
    """Without a pricer, or with one that does not know the model, there is no penalty."""
    call = Call(USAGE, "claude-unheard-of", provider="anthropic")
    for pricer in (None, Asked()):
        use = cache_use(call, SPAN, None, pricer)
        assert use is not None
        assert (use.penalty, use.penalty_1h) == (None, None)


def test_a_price_list_without_a_price_for_an_hour(tmp_path: Path) -> None:
    """A list with one price for writes charges both kinds by it, and says nothing of the dearer kind."""
    path = tmp_path / "prices.toml"
    path.write_text('[[price]]\nmodel = "claude-*"\ninput = 5\noutput = 25\ncache_read = 0.5\ncache_write = 6.25\n')
    use = cache_use(Call(USAGE, "claude-opus-4-8", provider="anthropic"), SPAN, None, PriceFile(path))
    assert use is not None
    assert (use.penalty, use.penalty_1h) == (Decimal("0.00000575"), None)


def test_the_price_of_a_long_input() -> None:
    """Where long inputs have another price, the penalty is by the input of the call."""
    penalties = []
    for whole in (100_000, 300_000):
        use = cache_use(
            Call(Usage(whole, 1, 0, 9), "claude-sonnet-4-5", provider="anthropic"), SPAN, None, GenAIPrices()
        )
        assert use is not None
        penalties.append(use.penalty)
    assert penalties == [Decimal("0.00000345"), Decimal("0.0000069")]


def test_an_input_that_is_not_reported() -> None:
    """The price per token does not need the input."""
    use = cache_use(Call(Usage(None, 1, 0, 9), "claude-opus-4-8", provider="anthropic"), SPAN, None, GenAIPrices())
    assert use is not None
    assert use.penalty == Decimal("0.00000575")
