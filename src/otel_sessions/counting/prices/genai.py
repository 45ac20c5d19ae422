"""`GenAIPrices`: the prices of the package genai-prices, computed in a hundredth of its time."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from otel_sessions.counting.prices.local_servers import LOCAL_SERVER
from otel_sessions.counting.prices.penalties import Penalties, probed
from otel_sessions.counting.prices.pricer import Cost
from otel_sessions.counting.tokens import Usage
from otel_sessions.rules import MAX_NAME_LENGTH

if TYPE_CHECKING:
    from otel_sessions.counting.prices.genai_catalog import PricedModel

MAX_CONTEXT: Final = 8
"""Entries of a price context; a call with more has no price."""


class GenAIPrices:
    """A `Pricer` with the price list inside the package genai-prices; needs the extra `otel-sessions[prices]`.

    Results equal those of https://github.com/pydantic/genai-prices for the same provider, model, usage and time, but are
    never rounded. They differ on purpose in two cases: where genai-prices returns 0 without a price, the cost is `None`
    here; where it refuses a usage whose parts do not fit, the call is priced by its input and output, and the source
    says so. Thread safe. Nothing is fetched from the network.

    Args:
        max_models: the number of model names, known or not, that are cached; the least recently used one is dropped.

    Attributes:
        failures: the number of calls with invalid arguments, such as a model name that is not a string.

    Raises:
        ImportError: genai-prices is not installed.

    Example:
        >>> from otel_sessions import GenAIPrices, Usage
        >>> prices = GenAIPrices()
        >>> cost = prices.price(provider="openai", model="gpt-4o-mini", usage=Usage(1000, 100), at=1_767_225_600 * 10**9)
        >>> format(cost.total.normalize(), "f")
        '0.00021'
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

    def price(
        self, *, provider: str | None, model: str, usage: Usage, at: int, context: tuple[tuple[str, str], ...] = ()
    ) -> Cost | None:
        """The cost of one call; see `Pricer.price`."""
        try:
            if not _may_be_known(provider, model, context):
                return None
            found = self._find(provider, model, context)
            return None if found is None else found.cost(usage, at)
        except Exception:
            self.failures += 1
            return None

    def cache_penalties(
        self, *, provider: str | None, model: str, input_tokens: int, at: int, context: tuple[tuple[str, str], ...] = ()
    ) -> Penalties | None:
        """What a token costs more if it is written to a cache than if it is read; see `penalties_of`."""
        try:
            found = self._find(provider, model, context) if _may_be_known(provider, model, context) else None
            told = None if found is None else found.penalties(input_tokens, at)
            if found is None or told is not None:
                return told
        except Exception:
            self.failures += 1
            return None
        return probed(self, provider=provider, model=model, input_tokens=input_tokens, at=at, context=context)


def _may_be_known(provider: str | None, model: str, context: tuple[tuple[str, str], ...]) -> bool:
    if len(model) > MAX_NAME_LENGTH or (provider is not None and len(provider) > MAX_NAME_LENGTH):
        return False
    return not context or (LOCAL_SERVER not in context and _is_small(context))


def _is_small(context: tuple[tuple[str, str], ...]) -> bool:
    return len(context) <= MAX_CONTEXT and all(len(key) <= MAX_NAME_LENGTH >= len(value) for key, value in context)
