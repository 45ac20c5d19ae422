"""`penalties_of`: what a token costs more if it is written to a cache than if it is read, by every pricer as by the prices of calls."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_sessions.counting.prices.chain import FirstPrice, GuardedPricer
from otel_sessions.counting.prices.custom import PriceFile
from otel_sessions.counting.prices.genai import GenAIPrices
from otel_sessions.counting.prices.genai_linear import NotLinear
from otel_sessions.counting.prices.local_servers import LOCAL_SERVER
from otel_sessions.counting.prices.penalties import Penalties, penalties_of, probed
from otel_sessions.counting.prices.pricer import Cost
from otel_sessions.counting.tokens import Usage

if TYPE_CHECKING:
    from pathlib import Path

    from otel_sessions.counting.prices.pricer import Pricer

AT = 1_795_000_000_000_000_000
OPUS = (Decimal("0.00000575"), Decimal("0.0000095"))


def asked(pricer: Pricer, model: str = "claude-opus-4-8", input_tokens: int = 1_000, **more: Any) -> Penalties | None:
    """The penalties of a pricer."""
    given = {"provider": "anthropic", "at": AT, **more}
    return penalties_of(pricer, model=model, input_tokens=input_tokens, **given)


class PerWrite:
    """A pricer of the app's own: an answer, or an error, for each written token."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def price(self, *, usage: Usage, **asked_for: Any) -> Cost | None:
        """The answer times the written tokens."""
        if isinstance(self.answer, Exception):
            raise self.answer
        return None if self.answer is None else Cost(None, None, self.answer * (usage.cache_write_tokens or 0), "own")


@pytest.fixture
def price_file(tmp_path: Path) -> PriceFile:
    """A file with prices of one model, and one without prices for caches."""
    path = tmp_path / "prices.toml"
    path.write_text(
        '[[price]]\nmodel = "claude-opus-*"\ninput = 5\noutput = 9\ncache_read = 1\ncache_write = 7\nuntil = 2026-12-01\n'
        '[[price]]\nmodel = "plain"\ninput = 5\noutput = 9\n',
        encoding="utf-8",
    )
    return PriceFile(path)


@given(
    model=st.sampled_from(
        [
            "claude-opus-4-8",
            "claude-sonnet-4-5",
            "claude-haiku-5-5",
            "gpt-5.2",
            "gemini-2.5-pro",
            "amazon.nova-pro-v1:0",
            "?",
        ]
    ),
    provider=st.sampled_from(["anthropic", "openai", "aws.bedrock", "google", "ollama", None]),
    input_tokens=st.sampled_from([0, 1, 200_000, 200_001, 1_000_000]),
    at=st.sampled_from([AT, AT - 10**17, 0]),
)
def test_what_is_told_is_what_calls_cost(model: str, provider: str | None, input_tokens: int, at: int) -> None:
    """The penalties are those of calls that read or write one token, for every model, length of input and time."""
    pricer = GenAIPrices()
    of_calls = probed(pricer, provider=provider, model=model, input_tokens=input_tokens, at=at)
    for one in (pricer, GenAIPrices(), FirstPrice(pricer), GuardedPricer(pricer, print)):
        assert asked(one, model, input_tokens, provider=provider, at=at) == of_calls
        assert asked(one, model, input_tokens, provider=provider, at=at) == of_calls
    assert pricer.failures == 0


def test_known_penalties() -> None:
    """A million tokens of Claude Opus cost 0.50 USD to read, 6.25 to write and 10 to write for an hour."""
    assert asked(GenAIPrices()) == OPUS
    assert asked(GenAIPrices(), "claude-unheard-of") is None


def test_a_model_that_has_to_be_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where prices are no rates, the calls are priced by genai-prices itself."""

    def refuse(*_: object) -> None:
        raise NotLinear

    monkeypatch.setattr("otel_sessions.counting.prices.genai_catalog.linear_plan", refuse)
    assert asked(GenAIPrices()) == OPUS


def test_what_has_no_price_has_no_penalty() -> None:
    """Names that are too long, models on one's own hardware and wrong values have no penalties, and raise nothing."""
    pricer = GenAIPrices()
    assert asked(pricer, "m" * 10_000) is asked(pricer, provider="p" * 10_000) is None
    assert asked(pricer, context=(LOCAL_SERVER,)) is None
    assert asked(pricer, context=(("service_tier", "x" * 10_000),)) is None
    assert pricer.failures == 0
    assert asked(pricer, 7) is None  # type: ignore[arg-type]
    assert pricer.failures == 1


def test_a_prices_file(price_file: PriceFile) -> None:
    """The entry in force decides; it has one price for all writes, and caches without a price cost as other input."""
    assert asked(price_file) == (Decimal("0.000006"), None)
    assert asked(price_file, at=AT + 10**18) is asked(price_file, "unknown") is None
    assert asked(price_file, "plain") == (Decimal(0), None)
    assert asked(price_file, "m" * 10_000) is None
    assert price_file.failures == 0
    assert asked(price_file, 7) is None  # type: ignore[arg-type]
    assert price_file.failures == 1


def test_the_first_pricer_that_knows(price_file: PriceFile) -> None:
    """Pricers are asked in order, as for the cost of a call."""
    both = FirstPrice(price_file, GenAIPrices())
    assert asked(both) == (Decimal("0.000006"), None)
    assert asked(both, "claude-sonnet-4-5") == (Decimal("0.00000345"), Decimal("0.0000057"))
    assert asked(FirstPrice()) is None


def test_a_pricer_of_the_app() -> None:
    """Any pricer will do: it is asked for calls of one token, and what it does wrong is reported and unknown."""
    assert asked(PerWrite(Decimal(2))) == (Decimal(2), None)
    assert asked(PerWrite(None)) is None
    failures: list[Exception] = []
    for answer in (ValueError("no"), Decimal("nan"), 7):
        assert asked(GuardedPricer(PerWrite(answer), failures.append)) is None
    assert len(failures) == 6
    assert asked(GuardedPricer(PerWrite(Decimal(2)), failures.append)) == (Decimal(2), None)


def test_a_class_derived_from_a_pricer() -> None:
    """A class that prices differently has the penalties of its own prices."""

    class Twice(GenAIPrices):
        def price(self, **asked_for: Any) -> Cost | None:
            cost = super().price(**asked_for)
            return None if cost is None else cost._replace(total=2 * cost.total)

    for pricer in (Twice(), GuardedPricer(Twice(), print)):
        assert asked(pricer) == (2 * OPUS[0], 2 * OPUS[1])
