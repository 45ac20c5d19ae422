"""`bill_of`: which calls of a session found their prompt in the provider's cache, what it cost to fill it again, and which time to live is cheaper.

The calls of one lane to one model are a chain. Each is compared with the call before it, which tells what was cached: what that call read
and wrote. Nothing is estimated: where the numbers do not tell, the label is `unknown`, and where there is no price, the cost is not known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from operator import itemgetter
from typing import Final, NamedTuple

from otel_sessions.counting.cache_backtest import Backtest, Replay, cheaper
from otel_sessions.counting.cache_ttl import ONE_HOUR, CacheTtl, cache_ttl
from otel_sessions.counting.cache_use import CacheUse
from otel_sessions.counting.model_names import base_name
from otel_sessions.counting.prices.aliases import provider_id
from otel_sessions.money import EXACT, money_sum

HIT: Final = "hit"
"""Nearly all that was cached was read: `NEARLY_ALL` percent or more."""

EXPIRED: Final = "expired"
"""Less was read, and what is missing had outlived its time to live."""

PREFIX_CHANGED: Final = "prefix_changed"
"""Less was read within the time to live, so the prompt begins differently than before. Compaction is such a change: the input is below
`COMPACTED` percent of that of the call before, whatever the time between them."""

COLD: Final = "cold"
"""Nothing was read, and nothing was cached before."""

UNKNOWN: Final = "unknown"
"""Less was read, and the numbers do not tell why: no time to live is documented, or the call before had not ended yet."""

LABELS: Final = (HIT, EXPIRED, PREFIX_CHANGED, COLD, UNKNOWN)
REASONS: Final = (EXPIRED, PREFIX_CHANGED)
"""The labels of calls that write again what had been cached."""

_NOTHING: Final = Decimal(0)

NEARLY_ALL: Final = 95
COMPACTED: Final = 60

Chain = tuple[str | None, str | None, str | None]
"""Lane, provider and model; one name for all spellings."""


class Judged(NamedTuple):
    """A call and its label.

    Attributes:
        use: what the call did with the cache.
        label: one of `LABELS`.
        rebuilt_tokens: tokens that were cached before, were not read, and were written: at most as many as were written. 0 where nothing was
            rebuilt; `None` where the call does not report what it wrote, or where the label is `unknown`.
        rebuilt_cost: USD that these cost more than to read them; `None` if that is not known.
    """

    use: CacheUse
    label: str
    rebuilt_tokens: int | None
    rebuilt_cost: Decimal | None


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """Calls that wrote again what had been cached.

    Attributes:
        count: the calls.
        tokens: the tokens that they wrote again.
        cost: USD that these cost more than to read them; `None` if it is not known for any call.
    """

    count: int
    tokens: int
    cost: Decimal | None


class CacheBill(NamedTuple):
    """What it cost a session to fill caches again.

    Attributes:
        labels: how many calls have each label, of all labels that occur.
        rebuilt_count: calls that wrote again what had been cached; `None` if it is not known of any call whether it did, as the next two.
        rebuilt_tokens: the tokens that they wrote again.
        rebuilt_cost: USD that these cost more than to read them; `None` also if no price is known.
        cost_exact: false if the cost is not known, or is a lower bound: a price or a label is not known, or a call does not report what it wrote.
        by_reason: the same by label, of the labels `expired` and `prefix_changed`.
        backtests: of every chain whose time to live can be chosen, and whose prices are known; the order is that of the first calls.
        comparable: false if a chain whose time to live can be chosen has no backtest, since prices or numbers are missing.
    """

    labels: Mapping[str, int]
    rebuilt_count: int | None
    rebuilt_tokens: int | None
    rebuilt_cost: Decimal | None
    cost_exact: bool
    by_reason: Mapping[str, Rebuilt]
    backtests: tuple[Backtest, ...]
    comparable: bool

    @property
    def cost_5m(self) -> Decimal | None:
        """USD that all writes cost more than reads, if all were kept for five minutes; `None` if that is not known."""
        return money_sum(one.cost_5m for one in self.backtests) if self.comparable else None

    @property
    def cost_1h(self) -> Decimal | None:
        """The same, if all were kept for an hour."""
        return money_sum(one.cost_1h for one in self.backtests) if self.comparable else None

    @property
    def cheaper_ttl(self) -> str | None:
        """`5m` or `1h`, whichever would have been cheaper for the session; `None` if both cost the same, or if it is not known."""
        return cheaper(self.cost_5m, self.cost_1h)


def bill_of(uses: Iterable[CacheUse]) -> tuple[CacheBill, list[str]]:
    """The bill of a session, and the labels of its calls in the order of `in_order`; the order of `uses` changes nothing."""
    judged, backtests, comparable = _judge(uses)
    labels: dict[str, int] = {}
    parts: dict[str, list[Judged]] = {}
    told = priced = True
    for one in judged:
        labels[one.label] = labels.get(one.label, 0) + 1
        if one.rebuilt_tokens is None:
            told = False
        elif one.rebuilt_tokens:
            parts.setdefault(one.label, []).append(one)
            priced = priced and one.rebuilt_cost is not None
    by_reason: dict[str, Rebuilt] = {label: _rebuilt(parts[label]) for label in REASONS if label in parts}
    known = bool(labels) and (told or bool(by_reason))
    cost = money_sum(one.cost for one in by_reason.values() if one.cost is not None)
    return CacheBill(
        labels={label: labels[label] for label in LABELS if label in labels},
        rebuilt_count=sum(one.count for one in by_reason.values()) if known else None,
        rebuilt_tokens=sum(one.tokens for one in by_reason.values()) if known else None,
        rebuilt_cost=_NOTHING if known and not by_reason else cost,
        cost_exact=known and told and priced,
        by_reason=by_reason,
        backtests=backtests,
        comparable=comparable,
    ), [one.label for one in judged]


def _rebuilt(calls: list[Judged]) -> Rebuilt:
    cost = money_sum(one.rebuilt_cost for one in calls if one.rebuilt_cost is not None)
    return Rebuilt(len(calls), sum(one.rebuilt_tokens or 0 for one in calls), cost)


def judged_calls(uses: Iterable[CacheUse]) -> list[Judged]:
    """Each call with its label, in the order of `in_order`. Later calls never change the label of an earlier one."""
    return _judge(uses, replayed=False)[0]


def in_order(uses: Iterable[CacheUse]) -> list[CacheUse]:
    """The calls by start, then end, then all else, so that no order is left to chance."""
    ordered = sorted(uses, key=itemgetter(0, 1))
    if any(one[:2] == other[:2] for one, other in pairwise(ordered)):
        ordered.sort(key=lambda use: (use.start, use.end, repr(use)))
    return ordered


class _Cached:
    """What is known of the cache of a chain after its last call."""

    __slots__ = ("end", "input", "kept_1h", "replay", "start", "tokens", "ttl")

    def __init__(self, use: CacheUse, ttl: CacheTtl | None, *, replayed: bool) -> None:
        self.ttl = ttl
        self.replay = Replay(use) if replayed and ttl is not None and ttl.may_be_an_hour else None
        self.tokens: int | None = None
        self.kept_1h = 0
        self.remember(use)

    def remember(self, use: CacheUse) -> None:
        """Note what is cached after a call."""
        read, written, long = use.read_tokens or 0, use.written_tokens, _long(use)
        self.start, self.end, self.input = use.start, use.end, use.input_tokens
        # What a call wrote is not known to be nothing only because it does not say it.
        self.tokens = None if written is None and not read else read + (written or 0)
        # In a prompt, what is kept for an hour stands before what is kept for less.
        self.kept_1h = read + long if long else min(self.kept_1h, read)


def _judge(uses: Iterable[CacheUse], *, replayed: bool = True) -> tuple[list[Judged], tuple[Backtest, ...], bool]:
    chains: dict[Chain, _Cached] = {}
    names: dict[tuple[str | None, str | None], tuple[str | None, str | None]] = {}
    judged: list[Judged] = []
    for use in in_order(uses):
        name = (use.provider, use.model)
        known = names.get(name)
        if known is None:
            known = names[name] = (provider_id(use.provider), None if use.model is None else base_name(use.model))
        key = (use.lane, *known)
        cached = chains.get(key)
        if cached is None:
            one = Judged(use, HIT if use.read_tokens else COLD, 0, _NOTHING)
            cached = chains[key] = _Cached(use, cache_ttl(use.provider, use.model), replayed=replayed)
            if cached.replay is not None:
                cached.replay.add(use, 0, 0, 0)
        else:
            one = _judged(use, cached)
            if cached.replay is not None:
                expired = (one.rebuilt_tokens or 0) if one.label == EXPIRED else 0
                cached.replay.add(use, use.start - cached.start, cached.kept_1h, expired)
            cached.remember(use)
        judged.append(one)
    results = [cached.replay.result() for cached in chains.values() if cached.replay is not None]
    backtests = tuple(result for result in results if result is not None)
    return judged, backtests, len(backtests) == len(results)


def _judged(use: CacheUse, cached: _Cached) -> Judged:
    """The label of a call that is not the first of its chain."""
    read, before, ttl = use.read_tokens or 0, cached.tokens, cached.ttl
    if read and (before is None or read * 100 >= before * NEARLY_ALL):
        return Judged(use, HIT, 0, _NOTHING)
    if before == 0:
        return Judged(use, COLD, 0, _NOTHING)
    if before is None or ttl is None or use.start < cached.end:
        return Judged(use, UNKNOWN, None, None)
    label = PREFIX_CHANGED
    if use.input_tokens is None or cached.input is None or use.input_tokens * 100 >= cached.input * COMPACTED:
        # The cache was used last when the call before began: its time to live runs from there.
        gap = use.start - cached.start
        alive = before if gap <= ttl.default else cached.kept_1h if gap <= ONE_HOUR else 0
        if alive < before and read * 100 >= alive * NEARLY_ALL:
            label = EXPIRED
    if use.written_tokens is None:
        return Judged(use, label, None, None)
    rebuilt = min(before - read, use.written_tokens)
    return Judged(use, label, rebuilt, _penalty(use, rebuilt))


def _penalty(use: CacheUse, rebuilt: int) -> Decimal | None:
    """What the first `rebuilt` of the tokens that a call wrote cost more than to read them.

    Those that are kept for an hour come first. Without a price of their own they are charged as the price list charges them: as the others.
    """
    if not rebuilt:
        return _NOTHING
    if use.penalty is None:
        return None
    long = min(rebuilt, _long(use))
    per_long = use.penalty if use.penalty_1h is None else use.penalty_1h
    return EXACT.add(EXACT.multiply(use.penalty, Decimal(rebuilt - long)), EXACT.multiply(per_long, Decimal(long)))


def _long(use: CacheUse) -> int:
    """The tokens that a call wrote and that are kept for an hour."""
    return min(use.written_1h_tokens or 0, use.written_tokens or 0)
