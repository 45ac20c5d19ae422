"""The cost of the local server's ledger at public prices, computed by `genai-prices` without our code."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from genai_prices import Usage, calc_price

if TYPE_CHECKING:
    from collections.abc import Iterable

    from examples.openai_ledger import Handed


def cost(entries: Iterable[Handed], *, cached: bool = True) -> Decimal:
    """The cost in USD of the requests that were answered.

    `cached=False` prices cached tokens like other input, as for a call whose instrumentation does not report them.
    """
    return sum((_price(entry, cached=cached) for entry in entries if entry.status == 200), Decimal(0))


def _price(entry: Handed, *, cached: bool) -> Decimal:
    usage = Usage(
        input_tokens=entry.prompt_tokens,
        output_tokens=entry.completion_tokens,
        cache_read_tokens=entry.cached_tokens if cached else 0,
    )
    return calc_price(usage, model_ref=entry.model, provider_id="openai").total_price
