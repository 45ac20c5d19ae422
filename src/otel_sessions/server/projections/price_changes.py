"""The table `prices`: prices that were given by requests, and every change of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, NamedTuple

from otel_sessions.counting.prices.price_entries import Entry, plain_provider, read_entry
from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.clickhouse.columns import COLUMNS, PRICES
from otel_sessions.server.clickhouse.insert import insert_rows
from otel_sessions.server.projections.statements import statement

Identity = tuple[str, str | None, date | None, date | None]
"""The model, the provider and the days: of two prices that have the same the later one replaces the earlier one."""


class GivenPrice(NamedTuple):
    """A price of a model, in USD per million tokens.

    Attributes:
        model: the whole name, or a beginning that `*` follows.
        provider: `None` for any.
        input: the price as a decimal text, as those that follow; `None` for none of its own.
        output: of output tokens.
        cache_read: of input tokens that are read from a cache.
        cache_write: of input tokens that are written to one.
        first_day: the first day that it is for, UTC; `None` for all before the last one.
        end: the first day after it; `None` for all after the first one.
        time: when it was given, nanoseconds UTC.
    """

    model: str
    provider: str | None
    input: str | None
    output: str | None
    cache_read: str | None
    cache_write: str | None
    first_day: date | None
    end: date | None
    time: int

    @property
    def identity(self) -> Identity:
        """What tells it from other prices."""
        provider = None if self.provider is None else plain_provider(self.provider)
        return self.model.strip().lower(), provider, self.first_day, self.end

    def is_same(self, other: GivenPrice) -> bool:
        """Return True if both say the same, whenever they were given."""
        return self.identity == other.identity and self[2:6] == other[2:6]

    def entry(self, number: int = 1) -> Entry:
        """The price as a pricer uses it.

        Raises:
            ValueError: it cannot be used; the message names the problem and the next step.
        """
        named = zip(
            ("model", "provider", "input", "output", "cache_read", "cache_write", "from", "until"), self, strict=False
        )
        given = {name: value for name, value in named if value is not None}
        return read_entry(given, place="this price", number=number)


class PriceChange(NamedTuple):
    """A price that was given, or taken back.

    Attributes:
        price: which.
        is_removed: true if it was taken back.
        version: of the change; what has a greater one was counted after it.
    """

    price: GivenPrice
    is_removed: bool
    version: int


def read_changes(store: Store) -> list[PriceChange]:
    """All changes, in their order."""
    with store.reading() as client:
        rows = client.query(statement("price_changes")).result_rows
    return [_change(row) for row in rows]


def insert_changes(store: Store, changes: Iterable[PriceChange]) -> None:
    """Add changes, all of them or none."""
    rows = [
        (*price[:6], _day(price.first_day), _day(price.end), price.time, int(removed), version)
        for price, removed, version in changes
    ]
    columns = zip(COLUMNS[PRICES], zip(*rows, strict=True), strict=True)
    insert_rows(store, PRICES, {name: list(values) for name, values in columns})


def _change(row: Sequence[Any]) -> PriceChange:
    model, provider, input_, output, read, write, first_day, end, time, *_ = row
    price = GivenPrice(model, provider, input_, output, read, write, _date(first_day), _date(end), time)
    return PriceChange(price, bool(row[9]), row[10])


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _date(text: object) -> date | None:
    return None if text is None else date.fromisoformat(str(text))
