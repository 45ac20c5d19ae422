"""`EntryPrices`: a pricer of price entries, wherever they come from."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from otel_sessions.counting.prices.penalties import Penalties, penalties_at
from otel_sessions.counting.prices.price_entries import most_specific_first
from otel_sessions.counting.prices.pricer import Cost
from otel_sessions.counting.prices.rates import charge
from otel_sessions.counting.tokens import Usage
from otel_sessions.rules import MAX_NAME_LENGTH

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from otel_sessions.counting.prices.price_entries import Entry

_MAX_MODELS: Final = 1024


class EntryPrices:
    """A `Pricer` that charges a call by the most specific entry that covers it; without one the cost is unknown.

    Attributes:
        failures: the number of calls with invalid arguments, such as a model name that is not a string.
    """

    def __init__(self, entries: Iterable[Entry], source: Callable[[Entry], str]) -> None:
        """Price by these entries.

        Args:
            entries: in any order.
            source: says where the costs of an entry come from.
        """
        ordered = most_specific_first(entries)
        self._source = source

        def covering(provider: str | None, model: str) -> tuple[Entry, ...]:
            return tuple(entry for entry in ordered if entry.covers(provider, model))

        self._covering = lru_cache(maxsize=_MAX_MODELS)(covering)
        self.failures = 0

    def price(
        self, *, provider: str | None, model: str, usage: Usage, at: int, context: tuple[tuple[str, str], ...] = ()
    ) -> Cost | None:
        """The cost of one call; see `Pricer.price`. The context is ignored: an entry has one price."""
        del context
        try:
            entry = self.entry(provider=provider, model=model, at=at)
            return None if entry is None else charge(entry.rates, usage, self._source(entry))
        except Exception:
            self.failures += 1
        return None

    def cache_penalties(
        self, *, provider: str | None, model: str, input_tokens: int, at: int, context: tuple[tuple[str, str], ...] = ()
    ) -> Penalties | None:
        """What a token costs more if it is written to a cache than if it is read; see `penalties_of`."""
        del context, input_tokens  # an entry has one price, whatever the input
        try:
            entry = self.entry(provider=provider, model=model, at=at)
            return None if entry is None else penalties_at(entry.rates)
        except Exception:
            self.failures += 1
        return None

    def entry(self, *, provider: str | None, model: str, at: int) -> Entry | None:
        """The most specific entry that covers a call; `None` if none does."""
        if len(model) > MAX_NAME_LENGTH or (provider is not None and len(provider) > MAX_NAME_LENGTH):
            return None
        return next((entry for entry in self._covering(provider, model) if entry.is_active(at)), None)
