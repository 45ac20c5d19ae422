"""`PriceFile`: one's own prices, from a TOML or JSON file."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final

from otel_sessions.counting.prices.price_entries import Entry, read_entries
from otel_sessions.counting.prices.pricer import Cost
from otel_sessions.counting.prices.rates import charge
from otel_sessions.counting.tokens import Usage
from otel_sessions.rules import MAX_NAME_LENGTH

_MAX_MODELS: Final = 1024


class PriceFile:
    """A `Pricer` over a file of `[[price]]` tables.

    A table has `model` (the whole name, or a beginning followed by `*`; upper and lower case are the same), optionally
    `provider`, prices in USD per million tokens as numbers or strings (`input`, `output`, `cache_read`,
    `cache_write`), and optionally the dates `from` and `until` (UTC; `until` is the first day without the price).
    Without their own price, cache reads and writes cost what other input costs. The most specific table that covers
    the call decides alone; if it lacks a price the call needs, the price is unknown.
    """

    def __init__(self, name: str, entries: Sequence[Entry]) -> None:
        self._source = f"prices file {name}"

        def covering(provider: str | None, model: str) -> tuple[Entry, ...]:
            return tuple(entry for entry in entries if entry.covers(provider, model))

        self._covering = lru_cache(maxsize=_MAX_MODELS)(covering)
        self.failures = 0
        """Calls that could not even be looked at, such as a model name that is not a string."""

    @classmethod
    def load(cls, path: str | Path) -> PriceFile:
        """The prices in the file at `path`, which ends in `.toml` or `.json`.

        Raises:
            ValueError: names the file, the entry, the problem and what to do.
        """
        path = Path(path)
        return cls(path.name, read_entries(path))

    def price(
        self, *, provider: str | None, model: str, usage: Usage, at: int, context: tuple[tuple[str, str], ...] = ()
    ) -> Cost | None:
        """The cost of one call; see `Pricer.price`. The context has no influence: a file has one price per model."""
        del context
        try:
            if len(model) > MAX_NAME_LENGTH or (provider is not None and len(provider) > MAX_NAME_LENGTH):
                return None
            for entry in self._covering(provider, model):
                if entry.is_active(at):
                    return charge(entry.rates, usage, self._source)
        except Exception:
            self.failures += 1
        return None
