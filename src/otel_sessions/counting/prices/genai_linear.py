"""`linear_plan`: one genai-prices price entry compiled to `Rates`, one set per context size tier.

genai-prices splits a call's tokens among the units that have a price (`decompose.py`), picks one tier per unit by the
call's total input (`calc_unit_price` in `types.py`) and sums up in the decimal context of the app. For the kinds of
tokens in `Usage` that is linear once the tier is known. An entry that cannot be shown to be linear raises `NotLinear`.
"""

from __future__ import annotations

from bisect import bisect_left
from decimal import Decimal, localcontext
from typing import TYPE_CHECKING, Final, NamedTuple

from genai_prices.types import ModelPrice, TieredPrices

from otel_sessions.counting.prices.rates import Rates, exact_rates
from otel_sessions.money import EXACT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from genai_prices.units import UnitRegistry

_INPUT: Final = {"family": "tokens", "direction": "input"}
_OUTPUT: Final = {"family": "tokens", "direction": "output"}
_PER_CALL: Final = "per_call"

UNITS: Final[Mapping[str, tuple[str, Mapping[str, str]]]] = {
    "input_tokens": ("input", _INPUT),
    "output_tokens": ("output", _OUTPUT),
    "cache_read_tokens": ("cache_read", {**_INPUT, "token_type": "cache_read"}),
    "cache_write_tokens": ("cache_write", {**_INPUT, "token_type": "cache_write"}),
    "cache_write_1h_tokens": ("cache_write_1h", {**_INPUT, "token_type": "cache_write", "cache_ttl": "1h"}),
    "input_audio_tokens": ("audio_input", {**_INPUT, "modality": "audio"}),
    "output_reasoning_tokens": ("reasoning", {**_OUTPUT, "token_type": "reasoning"}),
    "output_audio_tokens": ("audio_output", {**_OUTPUT, "modality": "audio"}),
    "cache_audio_read_tokens": ("cache_read_audio", {**_INPUT, "token_type": "cache_read", "modality": "audio"}),
    "requests": (_PER_CALL, {"family": "requests"}),
}
"""genai-prices' units that a `Usage` can fill: the field of `Rates`, and the dimensions `charge` relies on."""


class NotLinear(Exception):  # noqa: N818 - a finding, not an error
    """A price entry that `Rates` cannot express; genai-prices has to compute it."""


class Plan(NamedTuple):
    """The rates of a price entry: `rates[i]` applies to a total input above `starts[i - 1]`, up to `starts[i]`.

    Without rates the entry has no prices for tokens, so the cost is unknown.
    """

    starts: tuple[int, ...]
    rates: tuple[Rates, ...]

    def at(self, total_input: int) -> Rates | None:
        """The rates of a call with this many input tokens."""
        return self.rates[bisect_left(self.starts, total_input)] if self.rates else None


UNPRICED: Final = Plan((), ())


def linear_plan(prices: ModelPrice, registry: UnitRegistry) -> Plan:
    """The plan of a price entry.

    Raises:
        NotLinear: the entry has prices whose effect on the tokens of a `Usage` is unknown.
    """
    try:
        # Only to check the entry: genai-prices refuses some combinations of prices for every usage.
        with localcontext(EXACT):
            prices.calc_price({})
    except ValueError:
        return UNPRICED
    priced: dict[str, tuple[Decimal | TieredPrices, int]] = {}
    for price_key, price in vars(prices).items():
        unit = registry.unit_for_price_key(price_key)
        if price is None:
            continue
        if unit.usage_key not in UNITS:
            if any(unit.dimensions.items() <= dimensions.items() for _, dimensions in UNITS.values()):
                raise NotLinear(f"{unit.usage_key} contains the units of a usage")
            continue
        field, dimensions = UNITS[unit.usage_key]
        if dict(unit.dimensions) != dimensions:
            raise NotLinear(f"{unit.usage_key} means something else now: {unit.dimensions}")
        priced[field] = price, unit.per
    if not {"input", "output"} & priced.keys():
        return UNPRICED
    starts = sorted(
        {tier.start for price, _ in priced.values() if isinstance(price, TieredPrices) for tier in price.tiers}
    )
    try:
        return Plan(tuple(starts), tuple(_rates(priced, total) for total in (0, *(start + 1 for start in starts))))
    except ArithmeticError as error:
        raise NotLinear("a price cannot be held exactly") from error


def _rates(priced: Mapping[str, tuple[Decimal | TieredPrices, int]], total_input: int) -> Rates:
    return exact_rates(
        {field: EXACT.divide(_tier(price, total_input), Decimal(per)) for field, (price, per) in priced.items()}
    )


def _tier(price: Decimal | TieredPrices, total_input: int) -> Decimal:
    """The price at this total input: the highest tier that starts below it applies to all tokens."""
    if isinstance(price, Decimal):
        return price
    return next((tier.price for tier in reversed(price.tiers) if total_input > tier.start), price.base)
