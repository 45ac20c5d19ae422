"""`GenAIPrices`: names, unknown prices, bounds, and what it leaves alone."""

from __future__ import annotations

import gc
import sys
import threading
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import genai_prices
import pytest
from genai_prices import data_snapshot
from genai_prices.types import (
    ClauseEquals,
    ConditionalPrice,
    ModelInfo,
    ModelPrice,
    PriceVariant,
    Provider,
    StartDateConstraint,
)
from genai_prices.units import UnitRegistry
from hypothesis import given, settings
from hypothesis import strategies as st

from otel_sessions.counting.prices.genai import GenAIPrices
from otel_sessions.counting.prices.genai_linear import NotLinear, linear_plan
from otel_sessions.counting.prices.rates import TOTALS_ONLY
from otel_sessions.counting.tokens import Usage

if TYPE_CHECKING:
    from otel_sessions.counting.prices.pricer import Cost

AT = 1_795_000_000_000_000_000
SOURCE = f"genai-prices {genai_prices.__version__}"
MTOK = Usage(1_000_000, 1_000_000)


@pytest.fixture(scope="module")
def prices() -> GenAIPrices:
    """One pricer for all tests that only ask."""
    return GenAIPrices()


def total(
    prices: GenAIPrices,
    provider: str | None,
    model: str,
    usage: Usage = MTOK,
    *,
    at: int = AT,
    context: tuple[tuple[str, str], ...] = (),
) -> Decimal | None:
    """The total cost of one call."""
    cost = prices.price(provider=provider, model=model, usage=usage, at=at, context=context)
    return None if cost is None else cost.total


def with_model(monkeypatch: pytest.MonkeyPatch, **model: Any) -> GenAIPrices:
    """A pricer over a price list with the single model `m` of the provider `p`."""
    info = ModelInfo(id="m", match=ClauseEquals("m"), **model)
    monkeypatch.setattr("genai_prices.data.providers", [Provider("p", "P", "https://p", models=[info])])
    return GenAIPrices()


def test_a_cost_has_its_parts_and_its_source(prices: GenAIPrices) -> None:
    """Input, output and total are USD, and the source names the package's version."""
    cost = prices.price(provider="openai", model="gpt-4o", usage=Usage(1000, 100), at=AT)
    assert cost is not None
    assert (cost.input, cost.output, cost.total) == (Decimal("0.0025"), Decimal("0.001"), Decimal("0.0035"))
    assert cost.source == SOURCE


@pytest.mark.parametrize(
    ("provider", "model", "same_provider", "same_model"),
    [
        ("azure.ai.openai", "gpt-4o-2024-08-06", "azure", "gpt-4o"),
        ("openai.responses", "gpt-4o", "openai", "gpt-4o"),
        (None, "openai/gpt-4o", "openai", "gpt-4o"),
        ("litellm", "openai/gpt-4o", "openai", "gpt-4o"),
        ("langchain", "gpt-4o", "openai", "gpt-4o"),
        ("anthropic", "anthropic/claude-sonnet-4-5", "anthropic", "claude-sonnet-4-5"),
        ("gcp.gemini", "models/gemini-2.5-flash", "google", "gemini-2.5-flash"),
        (None, "projects/p/locations/l/publishers/google/models/gemini-2.5-flash", "google", "gemini-2.5-flash"),
        (None, "azure_ai/gpt-4o", "azure", "gpt-4o"),
        (None, "vertex_ai/gemini-2.5-flash", "google", "gemini-2.5-flash"),
        ("aws.bedrock", "us.amazon.nova-pro-v1:0", "aws", "amazon.nova-pro-v1:0"),
        (None, "us.amazon.nova-pro-v1:0", "aws", "amazon.nova-pro-v1:0"),
        (
            None,
            "arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-sonnet-4-5-20250929-v1:0",
            "aws",
            "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
        ),
        (None, "text-embedding-3-small", "openai", "text-embedding-3-small"),
    ],
)
def test_names_as_spans_write_them_are_understood(
    prices: GenAIPrices, provider: str | None, model: str, same_provider: str, same_model: str
) -> None:
    """A decorated name costs what the plain one costs, from the same source."""
    usage = Usage(1_000_000, 0)
    plain = prices.price(provider=same_provider, model=same_model, usage=usage, at=AT)
    assert plain is not None
    assert plain.total > 0
    assert prices.price(provider=provider, model=model, usage=usage, at=AT) == plain


def test_another_vendors_price_is_labelled(prices: GenAIPrices) -> None:
    """A model that the named provider does not list is priced by its name, and the source says as whose."""
    cost = prices.price(provider="openai", model="deepseek-chat", usage=MTOK, at=AT)
    assert cost is not None
    assert cost.source == f"{SOURCE} (as sold by deepseek)"


@pytest.mark.parametrize(
    ("provider", "model", "usage"),
    [
        ("openai", "nobody-knows-this", MTOK),
        ("nobody", "nobody-knows-this", MTOK),
        (None, "", MTOK),
        ("openai", "whisper-1", MTOK),
        ("openai", "whisper-1", Usage(0, 0)),
        ("openrouter", "agentica-org/deepcoder-14b-preview:free", MTOK),
        ("openai", "text-embedding-3-small", Usage(10, 10)),
        ("openai", "gpt-4o", Usage()),
        ("openai", "gpt-4o", Usage(None, 10, 5)),
        ("openai", "gpt-4o", Usage(-1, 10)),
        ("ollama", "deepseek-r1:8b", MTOK),
    ],
)
def test_an_unknown_price_is_none(prices: GenAIPrices, provider: str | None, model: str, usage: Usage) -> None:
    """Unknown names, used tokens without a price, empty entries and local models cost `None`, not 0."""
    assert prices.price(provider=provider, model=model, usage=usage, at=AT) is None


def test_an_explicit_zero_is_a_price(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that is listed as free costs 0."""
    prices = with_model(monkeypatch, prices=ModelPrice(input_mtok=Decimal(0), output_mtok=Decimal(0)))
    assert total(prices, "p", "m") == 0


def test_the_price_is_that_of_the_calls_time() -> None:
    """The same call cost more before o3's price was cut; times out of all range are like the nearest ones."""
    prices = GenAIPrices()
    assert total(prices, "openai", "o3", at=10**40) == 10
    assert total(prices, "openai", "o3", at=-(10**40)) == 50
    assert total(prices, "openai", "o3", at=1_735_689_600_000_000_000) == 50
    assert total(prices, "openai", "o3") == 10


def test_each_call_is_priced_by_its_own_size(prices: GenAIPrices) -> None:
    """Five calls of 60k tokens are cheaper than one of 300k, which reaches the higher tier."""
    small = total(prices, "google", "gemini-2.5-pro", Usage(60_000, 1000))
    large = total(prices, "google", "gemini-2.5-pro", Usage(300_000, 5000))
    assert small is not None
    assert large is not None
    assert small * 5 == Decimal("0.425")
    assert large == Decimal("0.825")


def test_the_context_selects_the_price(prices: GenAIPrices) -> None:
    """Flex and batch have their own price; a tier without one costs the standard price."""
    standard = total(prices, "openai", "gpt-5")
    assert standard is not None
    assert total(prices, "openai", "gpt-5", context=(("service_tier", "flex"),)) == standard / 2
    assert total(prices, "openai", "gpt-5", context=(("processing", "batch"),)) == standard / 2
    assert total(prices, "openai", "gpt-5", context=(("service_tier", "gold"),)) == standard


def test_parts_that_do_not_fit_are_left_out_and_said(prices: GenAIPrices) -> None:
    """Where genai-prices refuses the usage, input and output alone are charged."""
    cost = prices.price(provider="openai", model="gpt-4o", usage=Usage(1000, 100, 2000), at=AT)
    assert cost is not None
    assert cost.total == Decimal("0.0035")
    assert cost.source == SOURCE + TOTALS_ONLY


def test_a_charge_per_request_is_part_of_the_total_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fee per call is neither input nor output."""
    price = ModelPrice(
        input_mtok=Decimal(1), output_mtok=Decimal(2), requests_kcount=Decimal(5), output_image_mtok=None
    )
    cost = with_model(monkeypatch, prices=price).price(provider="p", model="m", usage=MTOK, at=AT)
    assert cost is not None
    assert (cost.input, cost.output, cost.total) == (Decimal(1), Decimal(2), Decimal("3.005"))


@pytest.mark.parametrize(
    ("provider", "model", "context"),
    [
        ("openai", "g" * 257, ()),
        ("o" * 257, "gpt-4o", ()),
        ("openai", "gpt-4o", (("service_tier", "x" * 257),)),
        ("openai", "gpt-4o", (("x" * 257, "flex"),)),
        ("openai", "gpt-4o", tuple((str(n), "x") for n in range(9))),
    ],
)
def test_oversized_names_have_no_price(
    prices: GenAIPrices, provider: str, model: str, context: tuple[tuple[str, str], ...]
) -> None:
    """Names from outside are not remembered beyond a bound, so they are not looked up either."""
    assert total(prices, provider, model, context=context) is None


@settings(max_examples=200, deadline=None)
@given(
    provider=st.none() | st.text() | st.integers() | st.lists(st.text()),
    model=st.text() | st.none() | st.binary() | st.sampled_from(["gpt-4o", "o3", "gemini-2.5-pro"]),
    usage=st.none() | st.builds(Usage, *[st.none() | st.integers() | st.floats() | st.text()] * 8),
    at=st.integers() | st.none() | st.floats(),
    context=st.just(()) | st.lists(st.text()) | st.tuples(st.tuples(st.text(), st.text())) | st.none(),
)
def test_nothing_makes_it_raise(provider: Any, model: Any, usage: Any, at: Any, context: Any) -> None:
    """The pricer answers any question with a cost or with `None`."""
    cost: Cost | None = SHARED.price(provider=provider, model=model, usage=usage, at=at, context=context)
    assert cost is None or cost.total >= 0


SHARED = GenAIPrices()


def test_what_cannot_be_looked_at_is_counted() -> None:
    """A model name that is not a string is counted as a failure and raises nothing."""
    prices = GenAIPrices()
    assert prices.price(provider=None, model=None, usage=MTOK, at=AT) is None  # type: ignore[arg-type]
    assert prices.failures == 1


def test_made_up_names_take_no_memory() -> None:
    """20,000 names from outside leave no more behind than the bound allows, and nothing in genai-prices."""
    prices = GenAIPrices(max_models=64)

    def ask(start: int, stop: int) -> None:
        for number in range(start, stop):
            assert total(prices, f"nobody-{number % 7}", f"made-up-{number}") is None

    ask(0, 2000)
    tracemalloc.start()
    try:
        gc.collect()
        at_first = tracemalloc.get_traced_memory()[0]
        ask(2000, 20_000)
        gc.collect()
        grown = tracemalloc.get_traced_memory()[0] - at_first
    finally:
        tracemalloc.stop()
    assert grown < 200_000
    assert total(prices, "openai", "gpt-4o") is not None


def test_the_applications_snapshot_and_threads_are_left_alone() -> None:
    """Prices an application installed globally are neither used nor replaced, and no updater is started."""
    mine = data_snapshot.DataSnapshot(providers=[], from_auto_update=False)
    data_snapshot.set_custom_snapshot(mine)
    threads = threading.active_count()
    try:
        prices = GenAIPrices()
        assert total(prices, "openai", "gpt-4o") == Decimal("12.5")
        assert data_snapshot.get_snapshot() is mine
    finally:
        data_snapshot.set_custom_snapshot(None)
    assert threading.active_count() == threads


def test_threads_get_the_same_answers() -> None:
    """Many threads on a cold pricer that is too small for all models agree with a single one."""
    calls = [
        (model, at) for at in (AT, 1_735_689_600_000_000_000) for model in ("gpt-4o", "o3", "gpt-5", "gpt-4.1")
    ] * 20
    alone = GenAIPrices()
    expected = [total(alone, "openai", model, at=at) for model, at in calls]
    together = GenAIPrices(max_models=2)
    start = threading.Barrier(4)

    def run(_: int) -> list[Decimal | None]:
        start.wait()
        return [total(together, "openai", model, at=at) for model, at in calls]

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(run, range(4))) == [expected] * 4
    assert together.failures == 0


def test_without_the_package_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error about the missing genai-prices says what to install."""
    monkeypatch.delitem(sys.modules, "otel_sessions.counting.prices.genai_catalog", raising=False)
    monkeypatch.setitem(sys.modules, "genai_prices", None)
    with pytest.raises(ImportError, match=r"otel-sessions\[prices\]"):
        GenAIPrices()


class FromNoon:
    """A condition of a kind that genai-prices may add one day."""

    def active(self, moment: Any) -> bool:
        """Return True after noon."""
        return bool(moment.hour >= 12)


FINE = Decimal("1E-70")
UNUSUAL: dict[str, dict[str, Any]] = {
    "a condition of a new kind": {
        "prices": [
            ConditionalPrice(prices=ModelPrice(input_mtok=Decimal(9), output_mtok=Decimal(9))),
            ConditionalPrice(
                FromNoon(),  # type: ignore[arg-type]
                prices=ModelPrice(input_mtok=Decimal(1), output_mtok=Decimal(2), cache_read_mtok=Decimal("0.5")),
            ),
        ]
    },
    "a variant of a new kind": {
        "prices": ModelPrice(input_mtok=Decimal(1), output_mtok=Decimal(2), cache_read_mtok=Decimal("0.5")),
        "price_variants": [
            PriceVariant({"a": "b"}, ModelPrice(input_mtok=Decimal(9)), FromNoon())  # type: ignore[arg-type]
        ],
    },
}


@pytest.mark.parametrize("model", UNUSUAL.values(), ids=UNUSUAL.keys())
def test_what_cannot_be_compiled_is_computed_by_genai_prices(
    monkeypatch: pytest.MonkeyPatch, model: dict[str, Any]
) -> None:
    """A model with conditions unknown here is priced all the same, under the same rules."""
    prices = with_model(monkeypatch, **model)
    afternoon = 1_795_000_000_000_000_000 // 86_400_000_000_000 * 86_400_000_000_000 + 50_000_000_000_000
    for _ in range(2):
        cost = prices.price(provider="p", model="m", usage=Usage(1_000_000, 1_000_000, 500_000), at=afternoon)
        assert cost is not None
        assert (cost.input, cost.output, cost.total, cost.source) == (
            Decimal("0.75"),
            Decimal(2),
            Decimal("2.75"),
            SOURCE,
        )
    cost = prices.price(provider="p", model="m", usage=Usage(1_000_000, 1_000_000, 1_500_000), at=afternoon)
    assert cost is not None
    assert (cost.total, cost.source) == (Decimal(3), SOURCE + TOTALS_ONLY)
    unknown = [Usage(), Usage(None, 5, 5), Usage(5, None, reasoning_tokens=5), Usage(-5, 5)]
    assert [total(prices, "p", "m", usage, at=afternoon) for usage in unknown] == [None] * 4
    assert prices.failures == 0


@pytest.mark.parametrize(
    ("price", "usage", "cost"),
    [
        (ModelPrice(input_mtok=FINE), Usage(10**6, 0), FINE),
        (ModelPrice(input_mtok=FINE), Usage(10**6, 1), None),
        (ModelPrice(output_mtok=FINE), Usage(0, 10**6), FINE),
        (ModelPrice(output_mtok=FINE), Usage(1, 10**6), None),
    ],
)
def test_prices_too_fine_for_whole_numbers_are_computed_by_genai_prices(
    monkeypatch: pytest.MonkeyPatch, price: ModelPrice, usage: Usage, cost: Decimal | None
) -> None:
    """Prices with more digits than fit come exactly from genai-prices, and a used token without a price makes the cost `None`."""
    prices = with_model(monkeypatch, prices=price)
    assert total(prices, "p", "m", usage) == cost
    assert total(prices, "p", "m", usage) == cost


def test_a_new_kind_of_entry_without_token_prices_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """An entry that says nothing about tokens has no price, also when genai-prices computes it."""
    model = {"prices": [ConditionalPrice(FromNoon(), prices=ModelPrice())]}  # type: ignore[arg-type]
    assert total(with_model(monkeypatch, **model), "p", "m", Usage(0, 0)) is None


def test_an_entry_that_genai_prices_refuses_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache price without an input price fits no usage at all."""
    prices = with_model(monkeypatch, prices=ModelPrice(output_mtok=Decimal(1), cache_read_mtok=Decimal(1)))
    assert total(prices, "p", "m", Usage(0, 5)) is None
    assert prices.failures == 0


def test_a_past_start_date_is_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Prices from a date on apply from its first nanosecond in UTC."""
    price = [
        ConditionalPrice(prices=ModelPrice(input_mtok=Decimal(1))),
        ConditionalPrice(StartDateConstraint(date(1970, 1, 2)), prices=ModelPrice(input_mtok=Decimal(2))),
    ]
    prices = with_model(monkeypatch, prices=price)
    usage = Usage(1_000_000)
    assert total(prices, "p", "m", usage, at=86_400_000_000_000 - 1) == 1
    assert total(prices, "p", "m", usage, at=86_400_000_000_000) == 2


@pytest.mark.parametrize(
    "unit",
    [
        {"output_image_tokens": {"per": 1, "price_key": "output_image_mtok", "dimensions": {"family": "tokens"}}},
        {"input_tokens": {"per": 1, "price_key": "input_mtok", "dimensions": {"family": "characters"}}},
    ],
    ids=["a unit that contains input and output", "a unit with another meaning"],
)
def test_units_that_mean_something_else_are_not_guessed(unit: dict[str, Any]) -> None:
    """If a later version redefines a unit, its prices are not compiled by the old meaning."""
    plain = {
        "input_tokens": {
            "per": 10**6,
            "price_key": "input_mtok",
            "dimensions": {"family": "tokens", "direction": "input"},
        },
        "output_tokens": {
            "per": 10**6,
            "price_key": "output_mtok",
            "dimensions": {"family": "tokens", "direction": "output"},
        },
    }
    price = ModelPrice(input_mtok=Decimal(1), output_mtok=Decimal(1))
    assert linear_plan(price, UnitRegistry(plain)).rates
    images = ModelPrice(input_mtok=Decimal(1), output_mtok=Decimal(1), output_image_mtok=Decimal(1))
    with pytest.raises(NotLinear):
        linear_plan(images if "output_image_tokens" in unit else price, UnitRegistry({**plain, **unit}))
