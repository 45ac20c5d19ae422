"""`GivenPrices`: the pricer of a server, with the prices that were given by requests before all others.

A price that is given counts for what is committed from then on. What was counted before keeps its cost, also in the list of calls, which is
computed again when it is asked for: trace groups have the version of their commit, and `GivenPrices.at` prices as of that version.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final

from otel_sessions.counting.prices.chain import FirstPrice
from otel_sessions.counting.prices.entry_prices import EntryPrices
from otel_sessions.counting.prices.penalties import Penalties, penalties_of
from otel_sessions.counting.prices.pricer import Cost, Pricer
from otel_sessions.counting.tokens import Usage
from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.projections.price_changes import (
    GivenPrice,
    Identity,
    PriceChange,
    insert_changes,
    read_changes,
)
from otel_sessions.timestamps import format_time

MOST_PRICES: Final = 10_000
"""How many prices can be in force together."""

_PRICERS_KEPT: Final = 32


class GivenPrices:
    """A `Pricer` that asks the prices given by requests first, then another one. Thread safe.

    Attributes:
        others: the pricer that is asked for what has no given price; `None` for none.
    """

    def __init__(self, store: Store, others: Pricer | None = None) -> None:
        """Read what was given.

        Args:
            store: where the prices are.
            others: asked for what has no given price.

        Raises:
            StoreError: the store cannot be read.
        """
        self.others = others
        self._store = store
        self._pricer_after = lru_cache(maxsize=_PRICERS_KEPT)(self._made_after)
        self._use(read_changes(store))

    def price(
        self, *, provider: str | None, model: str, usage: Usage, at: int, context: tuple[tuple[str, str], ...] = ()
    ) -> Cost | None:
        """The cost of one call by the prices of now; see `Pricer.price`."""
        return self._now.price(provider=provider, model=model, usage=usage, at=at, context=context)

    def cache_penalties(
        self, *, provider: str | None, model: str, input_tokens: int, at: int, context: tuple[tuple[str, str], ...] = ()
    ) -> Penalties | None:
        """What a token costs more if it is written to a cache than if it is read; see `penalties_of`."""
        return penalties_of(
            self._now, provider=provider, model=model, input_tokens=input_tokens, at=at, context=context
        )

    @property
    def last_change(self) -> int:
        """The version of the last change; 0 if there was none."""
        changes = self._changes
        return changes[-1].version if changes else 0

    def at(self, version: int) -> Pricer:
        """The pricer as it was for a commit of this version."""
        changes = self._changes
        return self._pricer_after(bisect_right(changes, version, key=lambda change: change.version))

    def in_force(self) -> list[GivenPrice]:
        """The prices in force now, sorted by model, provider and first day."""
        found = prices_after(self._changes)
        return [found[identity] for identity in sorted(found, key=_order)]

    def change(self, given: Iterable[GivenPrice], removed: Iterable[GivenPrice], version: int) -> None:
        """Give prices and take others back, for what gets a greater version than this. Call it while nothing is committed.

        Raises:
            StoreError: the store cannot do it.
        """
        changes = [PriceChange(price, is_removed=False, version=version) for price in given]
        changes += [PriceChange(price, is_removed=True, version=version) for price in removed]
        try:
            insert_changes(self._store, changes)
        finally:
            # After a failure it is not known what is stored.
            self._use(read_changes(self._store))

    def _use(self, changes: Sequence[PriceChange]) -> None:
        self._changes = changes
        self._pricer_after.cache_clear()
        self._now = self._pricer_after(len(changes))

    def _made_after(self, count: int) -> Pricer:
        """The pricer after the first changes."""
        given = list(prices_after(self._changes[:count]).values())
        others = () if self.others is None else (self.others,)
        if not given:
            return others[0] if others else FirstPrice()
        sources = [source_of(price) for price in given]
        entries = [price.entry(number) for number, price in enumerate(given)]
        return FirstPrice(EntryPrices(entries, lambda entry: sources[entry.number]), *others)


def source_of(price: GivenPrice) -> str:
    """What the source of a cost says of a given price."""
    return f"prices given {format_time(price.time)[:10]}"


def prices_after(changes: Iterable[PriceChange]) -> dict[Identity, GivenPrice]:
    """The prices that are in force after these changes."""
    found: dict[Identity, GivenPrice] = {}
    for price, removed, _ in changes:
        if removed:
            found.pop(price.identity, None)
        else:
            found[price.identity] = price
    return found


def _order(identity: Identity) -> tuple[str, str, str, str]:
    model, provider, first_day, end = identity
    return model, provider or "", str(first_day or ""), str(end or "9999")
