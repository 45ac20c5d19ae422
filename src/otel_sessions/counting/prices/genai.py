"""`GenAIPrices`: prices from the package genai-prices, its own results at a hundredth of the time."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from otel_sessions.counting.prices.pricer import Cost
from otel_sessions.counting.tokens import Usage
from otel_sessions.rules import MAX_NAME_LENGTH

if TYPE_CHECKING:
    from otel_sessions.counting.prices.genai_catalog import PricedModel

MAX_CONTEXT: Final = 8
"""Entries of a price context."""


class GenAIPrices:
    """A `Pricer` over the price list inside genai-prices; needs the extra `otel-sessions[prices]`.

    Results equal those of genai-prices for the same provider, model, usage and time, computed without rounding. They
    differ on purpose where it answers 0 for what it has no price for: that is `None` here. Where it refuses a usage
    whose parts do not fit, the call is priced by its input and output, and the source says so.

    What a name means is remembered for `max_models` names, known or not; the least recently used one is forgotten.
    Thread safe. Nothing is fetched from the network.

    Raises:
        ImportError: genai-prices is not installed.
    """

    def __init__(self, *, max_models: int = 1024) -> None:
        try:
            from otel_sessions.counting.prices.genai_catalog import Catalog  # noqa: PLC0415 - an optional 0.2 s
        except ImportError as error:
            raise ImportError(
                "GenAIPrices needs the package genai-prices: install otel-sessions[prices], or use a prices file"
            ) from error
        catalog = Catalog()

        def find(provider: str | None, model: str, context: tuple[tuple[str, str], ...]) -> PricedModel | None:
            return catalog.find(provider, model, dict(context))

        self._find = lru_cache(maxsize=max_models)(find)
        self.failures = 0
        """Calls that could not even be looked at, such as a model name that is not a string."""

    def price(
        self, *, provider: str | None, model: str, usage: Usage, at: int, context: tuple[tuple[str, str], ...] = ()
    ) -> Cost | None:
        """The cost of one call; see `Pricer.price`."""
        try:
            if len(model) > MAX_NAME_LENGTH or (provider is not None and len(provider) > MAX_NAME_LENGTH):
                return None
            if context and not _is_small(context):
                return None
            found = self._find(provider, model, context)
            return None if found is None else found.cost(usage, at)
        except Exception:
            self.failures += 1
            return None


def _is_small(context: tuple[tuple[str, str], ...]) -> bool:
    return len(context) <= MAX_CONTEXT and all(len(key) <= MAX_NAME_LENGTH >= len(value) for key, value in context)
