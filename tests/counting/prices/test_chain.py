"""`FirstPrice` and `default_pricer`."""

from __future__ import annotations

import sys
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from otel_sessions.counting.prices.chain import FirstPrice, default_pricer
from otel_sessions.counting.prices.pricer import Cost, Pricer
from otel_sessions.counting.tokens import Usage

if TYPE_CHECKING:
    from pathlib import Path

AT = 1_795_000_000_000_000_000
CONTEXT = (("service_tier", "flex"),)


class Fixed:
    """A pricer with one answer that remembers what it was asked."""

    def __init__(self, cost: Cost | None) -> None:
        self.cost = cost
        self.asked: list[object] = []

    def price(
        self, *, provider: str | None, model: str, usage: Usage, at: int, context: tuple[tuple[str, str], ...] = ()
    ) -> Cost | None:
        """The one answer."""
        self.asked.append((provider, model, usage, at, context))
        return self.cost


@pytest.fixture
def price_file(tmp_path: Path) -> str:
    """A file with a price for one model that genai-prices knows too."""
    path = tmp_path / "mine.toml"
    path.write_text('[[price]]\nmodel = "gpt-4o"\ninput = 0.5\n', encoding="utf-8")
    return str(path)


def source(pricer: Pricer, model: str, usage: Usage) -> str | None:
    """Who prices this call."""
    cost = pricer.price(provider="openai", model=model, usage=usage, at=AT)
    return None if cost is None else cost.source


def test_the_first_answer_wins() -> None:
    """Pricers get the same question in order until one of them answers, and 0 is an answer."""
    zero = Cost(None, None, Decimal(0), "zero")
    pricers = [Fixed(None), Fixed(zero), Fixed(Cost(None, None, Decimal(1), "one"))]
    cost = FirstPrice(*pricers).price(provider="p", model="m", usage=Usage(1), at=AT, context=CONTEXT)
    assert cost is zero
    question = ("p", "m", Usage(1), AT, CONTEXT)
    assert [pricer.asked for pricer in pricers] == [[question], [question], []]


def test_no_answer_is_none() -> None:
    """The price is unknown if no pricer knows it, or if there is no pricer."""
    assert source(FirstPrice(Fixed(None)), "gpt-4o", Usage(1)) is None
    assert source(FirstPrice(), "gpt-4o", Usage(1)) is None


def test_a_file_comes_before_genai_prices(price_file: str) -> None:
    """The file decides where it has what the call needs; genai-prices prices the rest."""
    pricer = default_pricer(price_file)
    assert source(pricer, "gpt-4o", Usage(1)) == "prices file mine.toml"
    assert str(source(pricer, "gpt-4o", Usage(1, 1))).startswith("genai-prices ")
    assert str(source(pricer, "gpt-5", Usage(1))).startswith("genai-prices ")


def test_without_a_file_genai_prices_decides() -> None:
    """The installed package prices calls without a file."""
    assert str(source(default_pricer(), "gpt-4o", Usage(1))).startswith("genai-prices ")


def test_without_the_package_only_the_file_is_known(monkeypatch: pytest.MonkeyPatch, price_file: str) -> None:
    """A missing extra means unknown prices, not an error."""
    monkeypatch.setitem(sys.modules, "genai_prices", None)
    assert source(default_pricer(price_file), "gpt-4o", Usage(1)) == "prices file mine.toml"
    assert source(default_pricer(), "gpt-4o", Usage(1)) is None


def test_a_file_that_cannot_be_used_is_an_error(tmp_path: Path) -> None:
    """A prices file that was asked for is never silently left out."""
    with pytest.raises(ValueError, match="cannot be read"):
        default_pricer(str(tmp_path / "none.toml"))
