"""`Replay`: what the calls of a chain would have paid for their cache if all of it were kept for five minutes, and if all were kept for an hour."""

from __future__ import annotations

from decimal import Decimal
from typing import Final, NamedTuple

from otel_sessions.counting.cache_ttl import FIVE_MINUTES, ONE_HOUR
from otel_sessions.counting.cache_use import CacheUse
from otel_sessions.money import EXACT

TTL_5M: Final = "5m"
TTL_1H: Final = "1h"


class Backtest(NamedTuple):
    """What a chain's writes to the cache cost more than reads, under each time to live.

    Attributes:
        lane: the agent or sub-agent; `None` for the main one.
        provider: the provider, as the first call names it.
        model: the model, as the first call names it.
        cost_5m: USD, if all were kept for five minutes.
        cost_1h: USD, if all were kept for an hour.
    """

    lane: str | None
    provider: str | None
    model: str | None
    cost_5m: Decimal
    cost_1h: Decimal

    @property
    def cheaper_ttl(self) -> str | None:
        """`5m` or `1h`; `None` if both cost the same."""
        return cheaper(self.cost_5m, self.cost_1h)


def cheaper(cost_5m: Decimal | None, cost_1h: Decimal | None) -> str | None:
    """The time to live that costs less; `None` if both cost the same, or if a cost is not known."""
    if cost_5m is None or cost_1h is None or cost_5m == cost_1h:
        return None
    return TTL_5M if cost_5m < cost_1h else TTL_1H


class Replay:
    """The calls of one chain, added in order; tokens are added up as long as their price stays the same."""

    __slots__ = ("_cost_1h", "_cost_5m", "_first", "_for_1h", "_for_5m", "_is_known", "_penalty", "_penalty_1h")

    def __init__(self, first: CacheUse) -> None:
        self._first = first
        self._is_known = True
        self._penalty, self._penalty_1h = first.penalty, first.penalty_1h
        self._for_5m = self._for_1h = 0
        self._cost_5m = self._cost_1h = Decimal(0)

    def add(self, use: CacheUse, gap: int, kept_1h: int, expired: int) -> None:
        """Add a call.

        Args:
            use: what it did.
            gap: the time since the call before; 0 for the first.
            kept_1h: the tokens that had been kept for an hour until then.
            expired: the tokens that it wrote again because they had expired.
        """
        if use.penalty is None or use.penalty_1h is None or use.written_tokens is None:
            self._is_known = False
            return
        if use.penalty != self._penalty or use.penalty_1h != self._penalty_1h:
            self._settle()
            self._penalty, self._penalty_1h = use.penalty, use.penalty_1h
        self._for_5m += use.written_tokens
        self._for_1h += use.written_tokens
        if FIVE_MINUTES < gap <= ONE_HOUR:
            self._for_5m += min(use.read_tokens or 0, kept_1h)
            self._for_1h -= expired

    def result(self) -> Backtest | None:
        """The costs under both; `None` if a price or a number of tokens is not known."""
        if not self._is_known:
            return None
        self._settle()
        first = self._first
        return Backtest(first.lane, first.provider, first.model, self._cost_5m, self._cost_1h)

    def _settle(self) -> None:
        if self._penalty is not None and self._penalty_1h is not None:
            self._cost_5m = EXACT.add(self._cost_5m, EXACT.multiply(self._penalty, Decimal(self._for_5m)))
            self._cost_1h = EXACT.add(self._cost_1h, EXACT.multiply(self._penalty_1h, Decimal(self._for_1h)))
        self._for_5m = self._for_1h = 0
