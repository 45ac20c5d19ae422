"""`Catalog`: the models of genai-prices' bundled price list, each ready to price calls.

Importing this file imports genai-prices (0.2 s). It reads only the bundled list, not a snapshot that the app may have
installed globally, and nothing from the network.
"""

from __future__ import annotations

from bisect import bisect_left
from decimal import Inexact, localcontext
from typing import TYPE_CHECKING, Final

import genai_prices
from genai_prices import data
from genai_prices.data_snapshot import DataSnapshot, find_provider_by_id
from genai_prices.data_units import unit_data
from genai_prices.units import UnitRegistry

from otel_sessions.counting.prices.aliases import candidates, provider_id
from otel_sessions.counting.prices.genai_linear import NotLinear, Plan, linear_plan
from otel_sessions.counting.prices.genai_periods import Periods, periods_of
from otel_sessions.counting.prices.penalties import Penalties, penalties_at
from otel_sessions.counting.prices.pricer import Cost
from otel_sessions.counting.prices.rates import TOTALS_ONLY, charge
from otel_sessions.counting.tokens import Usage
from otel_sessions.money import EXACT
from otel_sessions.timestamps import to_datetime

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, Provider

SOURCE: Final = f"genai-prices {genai_prices.__version__}"
_ALWAYS: Final = Periods((), ())
_WIDE: Final = EXACT.copy()
_WIDE.traps[Inexact] = False

_REPORTED: Final = {
    "input_tokens": "input_tokens",
    "output_tokens": "output_tokens",
    "cache_read_tokens": "cache_read_tokens",
    "cache_write_tokens": "cache_write_tokens",
    "cache_write_1h_tokens": "cache_write_1h_tokens",
    "input_audio_tokens": "audio_input_tokens",
    "output_reasoning_tokens": "reasoning_tokens",
    "output_audio_tokens": "audio_output_tokens",
    "cache_audio_read_tokens": "cache_read_audio_tokens",
}
"""The fields of a `Usage` by their names in genai-prices."""


class PricedModel:
    """One model in one price context; the prices of a period are compiled when the first call falls into it."""

    __slots__ = (
        "_context",
        "_linear",
        "_model",
        "_penalties",
        "_periods",
        "_plans",
        "_provider",
        "_registry",
        "_source",
    )

    def __init__(
        self, model: ModelInfo, provider: Provider, context: dict[str, str], source: str, registry: UnitRegistry
    ) -> None:
        self._model = model
        self._provider = provider
        # Another provider's model, found through a fallback, has no variants: genai-prices' own rule.
        self._context = context if any(own is model for own in provider.models) else {}
        self._source = source
        self._registry = registry
        periods = periods_of(model)
        self._linear = periods is not None
        self._periods = periods or _ALWAYS
        self._plans: dict[int, Plan] = {}
        self._penalties: dict[int, tuple[tuple[int, ...], tuple[Penalties | None, ...]]] = {}

    def cost(self, usage: Usage, at: int) -> Cost | None:
        """The cost of a call that started at `at` (nanoseconds UTC); `None` if it is unknown."""
        if not self._linear:
            return self._computed(usage, at)
        dates, times = self._periods
        cell = self._periods.cell(at) if dates or times else 0
        plan = self._plans.get(cell)
        if plan is None:
            try:
                plan = linear_plan(self._model.get_prices(to_datetime(at), self._context), self._registry)
            except NotLinear:
                self._linear = False
                return self._computed(usage, at)
            self._plans[cell] = plan
        rates = plan.at(usage.input_tokens or 0) if plan.starts or not plan.rates else plan.rates[0]
        return None if rates is None else charge(rates, usage, self._source)

    def penalties(self, total_input: int, at: int) -> Penalties | None:
        """What a written token costs more than one that is read; `None` also before the first call of its period was priced."""
        dates, times = self._periods
        cell = self._periods.cell(at) if dates or times else 0
        known = self._penalties.get(cell)
        if known is None:
            plan = self._plans.get(cell)
            if plan is None or not plan.rates:
                return None
            known = self._penalties[cell] = plan.starts, tuple(map(penalties_at, plan.rates))
        starts, by_tier = known
        return by_tier[bisect_left(starts, total_input) if starts else 0]

    def _computed(self, usage: Usage, at: int) -> Cost | None:
        """The same by the slower calculation of genai-prices, with our rules for unknown prices."""
        whole = Usage(usage.input_tokens, usage.output_tokens)
        if whole == (None,) * len(whole) or _lacks_a_whole(usage):
            return None
        for counts, source in ((usage, self._source), (whole, self._source + TOTALS_ONLY)):
            try:
                with localcontext(_WIDE):
                    found = self._model.calc_price(
                        {key: getattr(counts, field) for key, field in _REPORTED.items()},
                        self._provider,
                        genai_request_timestamp=to_datetime(at),
                        price_context=self._context,
                    )
            except ValueError:
                continue
            prices = found.model_price
            unpriced = (prices.input_mtok is None, prices.output_mtok is None)
            if all(unpriced) or (unpriced[0] and whole.input_tokens) or (unpriced[1] and whole.output_tokens):
                return None
            return Cost(found.input_price, found.output_price, found.total_price, source)
        return None


class Catalog:
    """The bundled price list."""

    def __init__(self) -> None:
        self._providers = data.providers
        self._registry = UnitRegistry(unit_data)

    def find(self, provider: str | None, model: str, context: dict[str, str]) -> PricedModel | None:
        """The model with these names, or `None`; takes up to a millisecond and caches nothing."""
        named = provider_id(provider)
        for candidate, name in candidates(provider, model):
            # A snapshot keeps every name that it was asked for, without bound, so each lookup gets its own.
            snapshot = DataSnapshot(providers=self._providers, from_auto_update=False)
            try:
                owner, found = snapshot.find_provider_model(name, None, candidate, None)
            except LookupError:
                continue
            asked = named is None or find_provider_by_id(self._providers, named) is owner
            source = SOURCE if asked else f"{SOURCE} (as sold by {owner.id})"
            return PricedModel(found, owner, context, source, self._registry)
        return None


def _lacks_a_whole(usage: Usage) -> bool:
    """Return True if a part of the input or output is reported, but not the input or output itself."""
    inputs, outputs, read, write, reasoning, audio, speech, write_1h = usage[:8]
    return (inputs is None and bool(read or write or write_1h or audio)) or (
        outputs is None and bool(reasoning or speech)
    )
