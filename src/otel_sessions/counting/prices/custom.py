"""`PriceFile`: your own prices, from a TOML or JSON file."""

from __future__ import annotations

from pathlib import Path

from otel_sessions.counting.prices.entry_prices import EntryPrices
from otel_sessions.counting.prices.penalties import Penalties
from otel_sessions.counting.prices.price_entries import read_entries
from otel_sessions.counting.prices.pricer import Cost
from otel_sessions.counting.tokens import Usage


class PriceFile:
    r"""A `Pricer` with your own prices, from a file of `[[price]]` tables.

    A table has `model` (the whole name, or a beginning followed by `*`; upper and lower case are the same), optionally
    `provider`, prices in USD per million tokens as numbers or strings (`input`, `output`, `cache_read`,
    `cache_write`), and optionally the dates `from` and `until` (UTC; `until` is the first day without the price).
    Without a price of their own, cache reads and writes cost as much as other input. Only the most specific table that
    covers the call is used; if it lacks a price that the call needs, the cost is unknown.

    Args:
        path: a file that ends in `.toml` or `.json`.

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
        source = f"prices file {path.name}"
        self._prices = EntryPrices(read_entries(path), lambda _: source)

    @property
    def failures(self) -> int:
        """The number of calls with invalid arguments, such as a model name that is not a string."""
        return self._prices.failures

    def price(
        self, *, provider: str | None, model: str, usage: Usage, at: int, context: tuple[tuple[str, str], ...] = ()
    ) -> Cost | None:
        """The cost of one call; see `Pricer.price`. The context is ignored: a file has one price per model."""
        return self._prices.price(provider=provider, model=model, usage=usage, at=at, context=context)

    def cache_penalties(
        self, *, provider: str | None, model: str, input_tokens: int, at: int, context: tuple[tuple[str, str], ...] = ()
    ) -> Penalties | None:
        """What a token costs more if it is written to a cache than if it is read; see `penalties_of`."""
        return self._prices.cache_penalties(
            provider=provider, model=model, input_tokens=input_tokens, at=at, context=context
        )
