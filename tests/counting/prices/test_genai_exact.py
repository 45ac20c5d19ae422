"""Prices equal genai-prices' own, for every provider and model, whatever the application's decimal context."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, time, timedelta
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal, localcontext
from typing import TYPE_CHECKING, NamedTuple

import pytest
from genai_prices import data
from genai_prices.data_snapshot import DataSnapshot
from genai_prices.types import ModelPrice, StartDateConstraint, TieredPrices, TimeOfDateConstraint

from otel_sessions.counting.prices.genai import GenAIPrices
from otel_sessions.counting.prices.rates import CACHED_AUDIO_UNKNOWN, TOTALS_ONLY
from otel_sessions.counting.tokens import Usage

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, PriceCalculation

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY = 86_400_000_000_000
SNAPSHOT = DataSnapshot(providers=data.providers, from_auto_update=False)
WIDE = Context(prec=200, Emin=MIN_EMIN, Emax=MAX_EMAX)
CONTEXTS: list[tuple[tuple[str, str], ...]] = [
    (),
    (("service_tier", "flex"),),
    (("service_tier", "priority"),),
    (("service_tier", "default"),),
    (("service_tier", "fast"),),
    (("service_tier", "unheard of"),),
    (("processing", "batch"),),
    (("processing", "batch"), ("service_tier", "flex")),
    (("speed", "fast"),),
    (("route", "mistral/eu"),),
    (("search_type", "web"),),
]
COUNTS = (0, 1, 7, 1000, 31_999, 128_000, 199_999, 200_000, 200_001, 272_001, 9_999_999)


class Call(NamedTuple):
    """One call to price both ways."""

    provider: str
    model: str
    usage: Usage
    at: int
    context: tuple[tuple[str, str], ...]


def known_models() -> list[tuple[str, str]]:
    """Every (provider, model) id that genai-prices finds a price for, models sold for others included."""
    found = []
    by_id = {provider.id: provider for provider in data.providers}
    for provider in data.providers:
        resold = [by_id[other].models for other in provider.fallback_model_providers or ()]
        for model in [*provider.models, *(model for models in resold for model in models)]:
            try:
                SNAPSHOT.find_provider_model(model.id, None, provider.id, None)
            except LookupError:
                continue
            found.append((provider.id, model.id))
    return found


def edges(model: ModelInfo) -> tuple[list[int], list[int], list[int]]:
    """Where a model's price changes: nanoseconds since 1970, nanoseconds of the day, total input tokens."""
    dates, times, tiers = [], [], []
    prices = [model.prices] if isinstance(model.prices, ModelPrice) else [price.prices for price in model.prices]
    rules = [] if isinstance(model.prices, ModelPrice) else [price.constraint for price in model.prices]
    for variant in model.price_variants or ():
        prices.append(variant.prices)
        rules.append(variant.constraint)
    for rule in rules:
        if isinstance(rule, StartDateConstraint):
            dates.append((rule.start_date - date(1970, 1, 1)).days * DAY)
        if isinstance(rule, TimeOfDateConstraint):
            midnight = datetime.combine(date(1970, 1, 1), time(), UTC)
            for edge in (rule.start_time, rule.end_time):
                offset = datetime.combine(date(1970, 1, 1), edge, edge.tzinfo or UTC) - midnight
                times.append(offset // timedelta(microseconds=1) * 1000)
    for price in prices:
        for value in vars(price).values():
            if isinstance(value, TieredPrices):
                tiers += [tier.start for tier in value.tiers]
    return dates, times, tiers


def random_usage(rng: random.Random, tiers: list[int]) -> Usage:
    """Mostly a usage whose parts fit, sometimes any numbers at all."""

    def count(most: int | None = None) -> int:
        if most is not None:
            return rng.randint(0, most)
        pool = [*COUNTS, *tiers, *(tier + 1 for tier in tiers), rng.randint(0, 400_000)]
        return rng.choice(pool)

    if rng.random() < 0.2:
        return Usage(*(rng.choice([None, 0, count(), -count()]) for _ in Usage._fields[:8]))
    inputs, outputs = count(), count()
    read = count(inputs)
    write = count(inputs - read)
    audio = 0 if rng.random() < 0.7 else count(inputs - read - write)
    write_1h = count(write)
    reasoning = count(outputs)
    speech = 0 if rng.random() < 0.7 else count(outputs - reasoning)
    whole = [inputs, outputs, read, write, reasoning, audio, speech, write_1h]
    kept = [value if rng.random() < 0.6 else None for value in whole]
    return Usage(*whole[: rng.randint(1, 2)], *kept[2:]) if rng.random() < 0.1 else Usage(inputs, outputs, *kept[2:])


def random_call(rng: random.Random, models: list[tuple[str, str]]) -> Call:
    """A call of any model at a moment where its price may just have changed."""
    provider, name = rng.choice(models)
    dates, times, tiers = edges(SNAPSHOT.find_provider_model(name, None, provider, None)[1])
    at = rng.randint(1_650_000_000, 1_850_000_000) * 1_000_000_000 + rng.randint(0, 999_999_999)
    if dates and rng.random() < 0.7:
        at = rng.choice(dates) + rng.choice([0, -1, 1, -1000, 1000, DAY, rng.randint(-DAY, DAY)])
    if times and rng.random() < 0.8:
        at = at // DAY * DAY + rng.choice(times) + rng.choice([0, -1, 1, 999, 1000])
    return Call(provider, name, random_usage(rng, tiers), at, rng.choice(CONTEXTS))


def by_genai(call: Call, usage: Usage) -> PriceCalculation:
    """genai-prices' own answer."""
    counts = {
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cache_read_tokens": usage.cache_read_tokens,
        "cache_write_tokens": usage.cache_write_tokens,
        "cache_write_1h_tokens": usage.cache_write_1h_tokens,
        "output_reasoning_tokens": usage.reasoning_tokens,
        "input_audio_tokens": usage.audio_input_tokens,
        "output_audio_tokens": usage.audio_output_tokens,
        "cache_audio_read_tokens": usage.cache_read_audio_tokens,
    }
    moment = EPOCH + timedelta(microseconds=call.at // 1000)
    return SNAPSHOT.calc(counts, call.model, call.provider, None, moment, dict(call.context) or None)


def expected(call: Call) -> tuple[Decimal, Decimal, Decimal, bool] | None:
    """Input, output and total by genai-prices, and whether only the totals could be used."""
    usage = call.usage
    parts_in = usage.cache_read_tokens or usage.cache_write_tokens or usage.cache_write_1h_tokens
    if usage.total_tokens is None or (usage.input_tokens is None and (parts_in or usage.audio_input_tokens)):
        return None
    if usage.output_tokens is None and (usage.reasoning_tokens or usage.audio_output_tokens):
        return None
    retried = False
    try:
        found = by_genai(call, usage)
    except ValueError:
        retried = True
        try:
            found = by_genai(call, Usage(usage.input_tokens, usage.output_tokens))
        except ValueError:
            return None
    prices = found.model_price
    if prices.input_mtok is None and (usage.input_tokens or prices.output_mtok is None):
        return None
    if prices.output_mtok is None and usage.output_tokens:
        return None
    return found.input_price, found.output_price, found.total_price, retried


def compare(pricer: GenAIPrices, call: Call) -> bool:
    """Assert that both agree on `call`, or that ours is doubtful for a reason; whether there was a price."""
    wanted = expected(call)
    cost = pricer.price(provider=call.provider, model=call.model, usage=call.usage, at=call.at, context=call.context)
    if wanted is None:
        assert cost is None, call
        return False
    assert cost is not None, call
    *amounts, retried = wanted
    doubtful = TOTALS_ONLY in cost.source or CACHED_AUDIO_UNKNOWN in cost.source
    assert doubtful is retried or CACHED_AUDIO_UNKNOWN in cost.source, call
    if not doubtful:
        assert [cost.input, cost.output, cost.total] == amounts, call
    elif not any(amount is not None for amount in call.usage[2:]):
        assert cost.total == amounts[2], call
    return True


def test_random_calls_cost_what_genai_prices_says() -> None:
    """5,000 random calls over all models, dates, tiers and contexts cost exactly the same."""
    rng = random.Random(20261121)
    models = known_models()
    pricer = GenAIPrices()
    priced = sum(compare(pricer, random_call(rng, models)) for _ in range(5000))
    print(f"compared 5000 calls over {len(models)} models, {priced} of them priced")  # noqa: T201 - says what was covered
    assert priced > 3500
    assert pricer.failures == 0


def test_every_model_costs_what_genai_prices_says() -> None:
    """Each model in the list is priced once with every kind of token that fits."""
    usage = Usage(100_000, 5000, 40_000, 30_000, 1000, None, None, 10_000)
    at = 1_795_000_000_000_000_000
    pricer = GenAIPrices()
    models = known_models()
    priced = sum(compare(pricer, Call(provider, model, usage, at, ())) for provider, model in models)
    assert priced > 1900
    assert pricer.failures == 0


def test_prices_change_at_the_exact_nanosecond() -> None:
    """For each model with dated or daily prices, both sides of every change agree, in every context it knows."""
    usage = Usage(300_000, 5000, 40_000)
    pricer = GenAIPrices()
    compared = 0
    for provider, name in known_models():
        model = SNAPSHOT.find_provider_model(name, None, provider, None)[1]
        dates, times, _ = edges(model)
        changes = [*dates, *(max(dates, default=20_000 * DAY) + DAY + moment for moment in times)]
        contexts = {(), *(tuple(variant.when.items()) for variant in model.price_variants or ())}
        for context in sorted(contexts):
            # First well inside each period, so that the rates of each are there to be mistaken for another's.
            for distance in (-DAY // 50, DAY // 50, -1, 0, 1, -1000, 1000):
                for change in changes:
                    compared += compare(pricer, Call(provider, name, usage, change + distance, context))
    assert compared > 5000


def test_counts_of_any_size_are_not_rounded() -> None:
    """Where genai-prices would need more digits than the default context has, the price is still exact."""
    rng = random.Random(7)
    models = known_models()
    pricer = GenAIPrices()
    with localcontext(WIDE):
        for _ in range(200):
            call = random_call(rng, models)
            large = call.usage._replace(
                input_tokens=rng.randint(10**17, 2**63), output_tokens=rng.randint(10**17, 2**63)
            )
            compare(pricer, call._replace(usage=large))


@pytest.mark.parametrize("precision", [1, 3])
def test_the_applications_decimal_context_has_no_influence(precision: int) -> None:
    """Under a context of three digits with everything trapped, prices stay exact."""
    rng = random.Random(3)
    models = known_models()
    calls = [random_call(rng, models) for _ in range(300)]
    plain = GenAIPrices()
    before = [plain.price(**call._asdict()) for call in calls]
    with localcontext() as context:
        context.prec = precision
        context.Emax, context.Emin = 1, -1
        for signal in context.traps:
            context.traps[signal] = True
        pricer = GenAIPrices()
        after = [pricer.price(**call._asdict()) for call in calls]
    assert after == before
    assert pricer.failures == 0
