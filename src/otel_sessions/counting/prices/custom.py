"""`PriceFile`: your own prices, from a TOML or JSON file."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Final

from otel_sessions.counting.prices.penalties import Penalties, penalties_at
from otel_sessions.counting.prices.price_entries import Entry, read_entries
from otel_sessions.counting.prices.pricer import Cost
from otel_sessions.counting.prices.rates import charge
from otel_sessions.counting.tokens import Usage
from otel_sessions.rules import MAX_NAME_LENGTH

_MAX_MODELS: Final = 1024


class PriceFile:
    r"""A `Pricer` with your own prices, from a file of `[[price]]` tables.

    A table has `model` (the whole name, or a beginning followed by `*`; upper and lower case are the same), optionally
    `provider`, prices in USD per million tokens as numbers or strings (`input`, `output`, `cache_read`,
    `cache_write`), and optionally the dates `from` and `until` (UTC; `until` is the first day without the price).
    Without a price of their own, cache reads and writes cost as much as other input. Only the most specific table that
    covers the call is used; if it lacks a price that the call needs, the cost is unknown.

    Args:
        path: a file that ends in `.toml` or `.json`.

    Attributes:
        failures: the number of calls with invalid arguments, such as a model name that is not a string.

    Raises:
        ValueError: the file cannot be used; the message names the file, the entry, the problem and the next step.

    Example:
        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> from otel_sessions import PriceFile, Usage
        >>> with TemporaryDirectory() as folder:
        ...     path = Path(folder, "prices.toml")
        ...     _ = path.write_text('[[price]]\nmodel = "our-own-model"\ninput = 0.15\noutput = 0.60\n')
        ...     prices = PriceFile(path)
        >>> cost = prices.price(provider=None, model="our-own-model", usage=Usage(1_000_000, 0), at=0)
        >>> format(cost.total.normalize(), "f")
        '0.15'
    """

    def __init__(self, path: str | Path) -> None:
        path = Path(path)
        entries = read_entries(path)
        self._source = f"prices file {path.name}"

        def covering(provider: str | None, model: str) -> tuple[Entry, ...]:
            return tuple(entry for entry in entries if entry.covers(provider, model))

        self._covering = lru_cache(maxsize=_MAX_MODELS)(covering)
        self.failures = 0

    def price(
        self, *, provider: str | None, model: str, usage: Usage, at: int, context: tuple[tuple[str, str], ...] = ()
    ) -> Cost | None:
        """The cost of one call; see `Pricer.price`. The context is ignored: a file has one price per model."""
        del context
        try:
            entry = self._entry(provider, model, at)
            return None if entry is None else charge(entry.rates, usage, self._source)
        except Exception:
            self.failures += 1
        return None

    def cache_penalties(
        self, *, provider: str | None, model: str, input_tokens: int, at: int, context: tuple[tuple[str, str], ...] = ()
    ) -> Penalties | None:
        """What a token costs more if it is written to a cache than if it is read; see `penalties_of`."""
        del context, input_tokens  # a file has one price per model, whatever the input
        try:
            entry = self._entry(provider, model, at)
            return None if entry is None else penalties_at(entry.rates)
        except Exception:
            self.failures += 1
        return None

    def _entry(self, provider: str | None, model: str, at: int) -> Entry | None:
        """The most specific entry that covers a call."""
        if len(model) > MAX_NAME_LENGTH or (provider is not None and len(provider) > MAX_NAME_LENGTH):
            return None
        return next((entry for entry in self._covering(provider, model) if entry.is_active(at)), None)
