"""`bill_of`: which calls found their prompt in the cache, what filling it again cost, and which time to live is cheaper."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.counting.building import AT, fact

from otel_sessions.counting.cache_bill import (
    COLD,
    EXPIRED,
    HIT,
    LABELS,
    PREFIX_CHANGED,
    REASONS,
    UNKNOWN,
    CacheBill,
    bill_of,
    in_order,
    judged_calls,
)
from otel_sessions.counting.cache_ttl import FIVE_MINUTES, ONE_HOUR
from otel_sessions.counting.cache_use import CacheUse, cache_use
from otel_sessions.counting.facts import Call
from otel_sessions.counting.prices.genai import GenAIPrices
from otel_sessions.counting.tokens import Usage
from otel_sessions.money import EXACT

SECOND = 1_000_000_000
PRICES = GenAIPrices()
SEQUENCES = sorted(Path(__file__).with_name("cache_sequences").glob("*.json"))

PER_READ, PER_WRITE, PER_WRITE_1H = Decimal("0.5e-6"), Decimal("6.25e-6"), Decimal("10e-6")
"""USD per token of `claude-opus-4-8`, by the price list of genai-prices and by Anthropic's."""


def used(told: dict[str, Any], provider: str, model: str) -> CacheUse | None:
    """What a call of a sequence did with the cache."""
    usage = Usage(told["input"], 200, told["read"], told["write"], cache_write_1h_tokens=told["write_1h"])
    call = Call(usage, told.get("model", model), provider=provider)
    start = AT + round(told["at"] * SECOND)
    span = fact(1, kind="llm", start=start, end=start + round(told["lasts"] * SECOND), call=call)
    return cache_use(call, span, told.get("lane"), PRICES)


def claude(
    at: float,
    read: int | None,
    written: int | None,
    written_1h: int | None = None,
    *,
    lasts: float = 2,
    lane: str | None = None,
    model: str = "claude-opus-4-8",
    provider: str = "anthropic",
    input_tokens: int | None = None,
    penalty: Decimal | None = PER_WRITE - PER_READ,
    penalty_1h: Decimal | None = PER_WRITE_1H - PER_READ,
) -> CacheUse:
    """A call of Claude Opus, `at` seconds after the start."""
    start = AT + round(at * SECOND)
    if input_tokens is None:
        input_tokens = (read or 0) + (written or 0) + 4
    end = start + round(lasts * SECOND)
    return CacheUse(start, end, lane, provider, model, input_tokens, read, written, written_1h, penalty, penalty_1h)


def labels(*uses: CacheUse) -> list[str]:
    """The labels of these calls in the order of their start."""
    return bill_of(uses)[1]


@pytest.mark.parametrize("path", SEQUENCES, ids=lambda path: path.stem)
def test_known_sequences(path: Path) -> None:
    """Each call of a sequence has the label that it is known to have, and the bill says what was paid for it."""
    sequence = json.loads(path.read_text(encoding="utf-8"))
    uses = [used(told, sequence["provider"], sequence["model"]) for told in sequence["calls"]]
    told = [call for call, use in zip(sequence["calls"], uses, strict=True) if use is not None]
    judged = judged_calls(use for use in uses if use is not None)
    assert [(one.label, one.rebuilt_tokens) for one in judged] == [(call["label"], call["rebuilt"]) for call in told]
    bill, in_start_order = bill_of(use for use in uses if use is not None)
    assert in_start_order == [call["label"] for call in told]
    shown = {
        **bill._asdict(),
        "cheaper_ttl": bill.cheaper_ttl,
        "rebuilt_cost": bill.rebuilt_cost,
        "by_reason": {label: [one.count, one.tokens, one.cost] for label, one in bill.by_reason.items()},
    }
    expected = sequence["bill"]
    if "rebuilt_cost" in expected:
        expected["rebuilt_cost"] = money(expected["rebuilt_cost"])
        expected["by_reason"] = {
            label: [count, tokens, money(cost)] for label, (count, tokens, cost) in expected["by_reason"].items()
        }
    assert {name: shown[name] for name in expected} == expected


def money(written: str | None) -> Decimal | None:
    """An amount in a sequence."""
    return None if written is None else Decimal(written)


# Without the exact figures of a price list: these sequences only have to be labelled.


@pytest.mark.parametrize(
    ("gap", "written_1h", "label"),
    [
        (299, None, PREFIX_CHANGED),
        (300, 0, PREFIX_CHANGED),
        (300.000_001, 0, EXPIRED),
        (3_600, 0, EXPIRED),
        (301, 9_000, PREFIX_CHANGED),
        (3_600, 9_000, PREFIX_CHANGED),
        (3_600.000_001, 9_000, EXPIRED),
    ],
)
def test_the_time_to_live_is_five_minutes_or_an_hour(gap: float, written_1h: int | None, label: str) -> None:
    """What outlived its time to live has expired; what is gone before that has another beginning."""
    assert labels(claude(0, 0, 9_000, written_1h), claude(gap, 0, 9_500)) == [COLD, label]


def test_the_time_starts_again_with_a_read() -> None:
    """A call every four minutes keeps a cache of five minutes alive, though nothing is written any more."""
    assert labels(claude(0, 0, 9_000), claude(240, 9_000, 0), claude(480, 9_000, 0)) == [COLD, HIT, HIT]
    assert labels(claude(0, 0, 9_000), claude(240, 9_000, 0), claude(600, 0, 9_000))[-1] == EXPIRED


def test_the_hour_stays_with_what_is_read() -> None:
    """A call that only reads, or adds tokens for five minutes, leaves the rest for an hour."""
    before = claude(0, 0, 9_000, 9_000), claude(10, 9_000, 1_000, 0)
    assert labels(*before, claude(1_200, 0, 10_000))[-1] == PREFIX_CHANGED
    # The last 1,000 are gone, as they must be.
    assert labels(*before, claude(1_200, 9_000, 1_400))[-1] == EXPIRED
    assert labels(claude(0, 0, 9_000, 9_000), claude(10, 9_000, 0), claude(1_200, 0, 9_000))[-1] == PREFIX_CHANGED


def test_what_stands_before_an_hour_is_kept_for_an_hour() -> None:
    """A session that was resumed reads what it did not write: before tokens for an hour stand only such tokens."""
    assert labels(claude(0, 100_000, 500, 500), claude(1_200, 14_000, 87_000, 87_000)) == [HIT, PREFIX_CHANGED]


@pytest.mark.parametrize(("read", "label"), [(9_500, HIT), (9_499, PREFIX_CHANGED), (12_000, HIT)])
def test_nearly_all_is_a_hit(read: int, label: str) -> None:
    """A call that reads 95 percent of what was cached hit the cache."""
    assert labels(claude(0, 0, 10_000), claude(10, read, 500))[-1] == label


@pytest.mark.parametrize("gap", [60, 1_300])
def test_compaction_changes_the_prefix(gap: float) -> None:
    """An input below 60 percent of the one before begins differently, however long the pause was."""
    before = claude(0, 0, 100_000)
    assert labels(before, claude(gap, 15_000, 8_000))[-1] == PREFIX_CHANGED
    assert labels(before, claude(gap, 15_000, 8_000, input_tokens=60_003))[-1] == (
        EXPIRED if gap > 300 else PREFIX_CHANGED
    )


def test_inputs_that_are_not_known_compact_nothing() -> None:
    """Without an input the time decides alone."""
    unknown = claude(0, 0, 10_000)._replace(input_tokens=None)
    assert labels(unknown, claude(1_300, 0, 100))[-1] == EXPIRED


def test_nothing_cached_is_cold() -> None:
    """A prompt too short to be cached is cold each time, and the first that is written is cold too."""
    assert labels(claude(0, 0, 0), claude(1, 0, 0), claude(2, 0, 9_000), claude(3, 9_000, 0)) == [COLD] * 3 + [HIT]


def test_a_write_that_is_not_reported_is_not_nothing() -> None:
    """A call that does not say what it wrote leaves open what was cached."""
    assert labels(claude(0, 0, None), claude(10, 0, None), claude(20, 9_000, None), claude(30, 0, None)) == [
        *(COLD, UNKNOWN),
        *(HIT, PREFIX_CHANGED),
    ]
    bill, _ = bill_of([claude(0, 0, 9_000), claude(400, 0, None)])
    assert (bill.rebuilt_count, bill.rebuilt_tokens, bill.rebuilt_cost, bill.cost_exact) == (None, None, None, False)


def test_lanes_models_and_providers_are_chains_of_their_own() -> None:
    """What one sub-agent, model or provider cached says nothing of another."""
    assert labels(
        claude(0, 0, 9_000),
        claude(1, 0, 8_000, lane="Explore"),
        claude(2, 0, 7_000, model="claude-haiku-4-5"),
        claude(3, 0, 6_000, provider="aws.bedrock"),
        claude(4, 9_000, 100, model="claude-opus-4-8-20260801"),
    ) == [*[COLD] * 4, HIT]


@pytest.mark.parametrize(
    ("provider", "model"),
    [("openai", "gpt-5.2"), ("ollama", "claude-opus-4-8"), ("anthropic", "kimi-k2"), ("anthropic", None)],
)
def test_without_a_documented_time_to_live_only_hits_are_known(provider: str, model: str | None) -> None:
    """A cache whose time is not documented may have dropped its entries for any reason."""
    uses = [
        claude(at, read, written, provider=provider)._replace(model=model)
        for at, read, written in ((0, 0, 9_000), (10, 9_000, 100), (20, 0, 9_200), (2_000, 0, 9_200))
    ]
    assert labels(*uses) == [COLD, HIT, UNKNOWN, UNKNOWN]


def test_no_calls() -> None:
    """A session without numbers of a cache has an empty bill, in which nothing is known."""
    bill, none = bill_of([])
    assert none == []
    assert bill == CacheBill({}, None, None, None, False, {}, (), True)
    assert (bill.cheaper_ttl, bill.cost_5m, bill.cost_1h) == (None, None, None)


def test_a_missing_price_is_not_nothing() -> None:
    """What was rebuilt without a price is counted, and its cost is not known; beside a known one the sum is a lower bound."""
    first, unpriced = claude(0, 0, 9_000), claude(400, 0, 9_000, penalty=None, penalty_1h=None)
    bill, _ = bill_of([first, unpriced])
    assert (bill.rebuilt_count, bill.rebuilt_tokens, bill.rebuilt_cost, bill.cost_exact) == (1, 9_000, None, False)
    assert (bill.comparable, bill.cheaper_ttl) == (False, None)
    bill, _ = bill_of([first, unpriced, claude(800, 0, 9_000)])
    assert (bill.rebuilt_count, bill.rebuilt_tokens, bill.cost_exact) == (2, 18_000, False)
    assert bill.rebuilt_cost == 9_000 * (PER_WRITE - PER_READ)


def test_tokens_of_both_kinds_are_charged_by_kind() -> None:
    """What is kept for an hour stands first in a prompt, so it is written again first."""
    bill, _ = bill_of([claude(0, 0, 9_000, 6_000), claude(3_601, 0, 12_000, 6_000)])
    assert bill.rebuilt_cost == 6_000 * (PER_WRITE_1H - PER_READ) + 3_000 * (PER_WRITE - PER_READ)
    bill, _ = bill_of([claude(0, 0, 9_000, 9_000), claude(3_601, 0, 9_000, 9_000, penalty_1h=None)])
    assert bill.rebuilt_cost == 9_000 * (PER_WRITE - PER_READ)  # as the list charges it


def test_what_was_read_was_not_written_again() -> None:
    """Of 10,000 cached tokens 4,000 were read: 6,000 were written again, and the rest of what was written is new."""
    (_, one) = judged_calls([claude(0, 0, 10_000), claude(10, 4_000, 8_000)])
    assert (one.label, one.rebuilt_tokens) == (PREFIX_CHANGED, 6_000)


TOKENS = st.sampled_from([None, 0, 1, 400, 9_400, 9_500, 10_000, 20_000])
GAPS = st.sampled_from([0, 1, 60, 299, 300, 301, 1_300, 3_600, 3_601, 90_000])


@st.composite
def sequences(draw: st.DrawFn) -> list[CacheUse]:
    """Calls of a few chains, with gaps on both sides of both times to live; every now and then two at once."""
    at, uses = 0, []
    for _ in range(draw(st.integers(0, 12))):
        at += draw(GAPS)
        provider, model = draw(
            st.sampled_from([("anthropic", "claude-opus-4-8"), ("openai", "gpt-5.2"), ("aws", "amazon.nova-pro-v1:0")])
        )
        written = draw(TOKENS)
        usage = Usage(
            draw(st.sampled_from([None, 20_000, 100_000, 300_000])),
            10,
            draw(TOKENS),
            written,
            cache_write_1h_tokens=draw(st.sampled_from([None, 0, written])),
        )
        call = Call(usage, model, provider=provider)
        start = AT + at * SECOND
        span = fact(1, start=start, end=start + draw(st.sampled_from([0, 1, 30])) * SECOND)
        use = cache_use(call, span, draw(st.sampled_from([None, "Explore"])), draw(st.sampled_from([PRICES, None])))
        if use is not None:
            uses.append(use)
    return uses


@settings(max_examples=200)
@given(uses=sequences(), random=st.randoms(use_true_random=False))
def test_the_order_in_which_calls_come_changes_nothing(uses: list[CacheUse], random: Any) -> None:
    """Traces are folded in any order."""
    shuffled = list(uses)
    random.shuffle(shuffled)
    assert bill_of(shuffled) == bill_of(uses)
    assert in_order(shuffled) == in_order(uses)


@settings(max_examples=200)
@given(uses=sequences())
def test_the_parts_add_up(uses: list[CacheUse]) -> None:
    """The bill is the sum of its reasons, and of its calls; every call has one label."""
    bill, found = bill_of(uses)
    judged = judged_calls(uses)
    assert [one.label for one in judged] == found
    assert sum(bill.labels.values()) == len(uses)
    assert set(bill.labels) <= set(LABELS)
    assert set(bill.by_reason) <= set(REASONS)
    reasons = bill.by_reason.values()
    assert (bill.rebuilt_count or 0) == sum(one.count for one in reasons)
    assert (bill.rebuilt_tokens or 0) == sum(one.tokens for one in reasons)
    assert (bill.rebuilt_cost or 0) == sum((one.cost or 0 for one in reasons), Decimal(0))
    assert (bill.rebuilt_tokens or 0) == sum(one.rebuilt_tokens or 0 for one in judged)
    assert (bill.rebuilt_cost or 0) == sum((one.rebuilt_cost or 0 for one in judged), Decimal(0))
    assert bill.rebuilt_count is not None or bill.rebuilt_cost is None
    if bill.cost_exact:
        assert None not in {bill.rebuilt_cost, *(one.rebuilt_tokens for one in judged)}


@settings(max_examples=200)
@given(uses=sequences())
def test_later_calls_never_change_a_label(uses: list[CacheUse]) -> None:
    """A label depends on what was before, so it can be shown as soon as the call is known."""
    ordered = in_order(uses)
    found = labels(*ordered)
    for length in range(len(ordered)):
        assert labels(*ordered[:length]) == found[:length]


@settings(max_examples=200)
@given(uses=sequences())
def test_no_call_rebuilds_more_than_it_wrote_or_than_was_cached(uses: list[CacheUse]) -> None:
    """Tokens are written again at most once, and only if they were cached."""
    for one in judged_calls(uses):
        assert 0 <= (one.rebuilt_tokens or 0) <= (one.use.written_tokens or 0)
        assert one.rebuilt_tokens in (0, None) or one.label in REASONS
        assert one.label != UNKNOWN or one.rebuilt_tokens is None


@given(
    before=st.integers(1, 400_000),
    written=st.integers(1, 400_000),
    long=st.booleans(),
    model=st.sampled_from(["claude-opus-4-8", "claude-sonnet-4-5", "claude-haiku-4-5", "claude-haiku-5-5"]),
    fresh=st.integers(0, 50_000),
)
def test_the_penalty_is_what_the_price_list_says(before: int, written: int, long: bool, model: str, fresh: int) -> None:
    """The cost is that of the call minus that of the same call with these tokens read, to the last digit, also where long inputs cost more."""
    first = Call(Usage(before, 10, 0, before), model, provider="anthropic")
    usage = Usage(written + fresh, 10, 0, written, cache_write_1h_tokens=written if long else 0)
    second = Call(usage, model, provider="anthropic")
    later = AT + 2 * ONE_HOUR
    uses = [
        cache_use(first, fact(1, start=AT, end=AT + 1), None, PRICES),
        cache_use(second, fact(2, start=later, end=later + 1), None, PRICES),
    ]
    rebuilt = min(before, written)
    read = usage._replace(
        cache_read_tokens=rebuilt,
        cache_write_tokens=written - rebuilt,
        cache_write_1h_tokens=written - rebuilt if long else 0,
    )
    costs = [PRICES.price(provider="anthropic", model=model, usage=one, at=later) for one in (usage, read)]
    assert costs[0] is not None
    assert costs[1] is not None
    (_, one) = judged_calls(use for use in uses if use is not None)
    assert (one.rebuilt_tokens, one.rebuilt_cost) == (rebuilt, EXACT.subtract(costs[0].total, costs[1].total))


def worked(gap: int, calls: int, written_1h: bool) -> list[CacheUse]:
    """Work with a call every `gap` seconds: each adds 1,000 tokens, and finds the rest in the cache if that still lives."""
    lives = gap * SECOND <= (ONE_HOUR if written_1h else FIVE_MINUTES)
    uses = []
    for number in range(calls):
        whole = 50_000 + 1_000 * number
        read = whole - 1_000 if number and lives else 0
        uses.append(claude(gap * number, read, whole - read, whole - read if written_1h else 0))
    return uses


@pytest.mark.parametrize("written_1h", [False, True])
@pytest.mark.parametrize(
    ("gap", "cheaper"), [(20, "5m"), (299, "5m"), (301, "1h"), (1_300, "1h"), (3_600, "1h"), (3_700, "5m")]
)
def test_the_backtest_finds_the_cheaper_time_to_live(gap: int, cheaper: str, written_1h: bool) -> None:
    """Gaps between five minutes and an hour are worth the dearer writes, quick or rare calls are not; whichever was in use."""
    bill, _ = bill_of(worked(gap, 10, written_1h))
    assert bill.cheaper_ttl == cheaper
    assert [one.cheaper_ttl for one in bill.backtests] == [cheaper]
    # What is said of the time to live that was not in use is what would have been paid with it.
    other, _ = bill_of(worked(gap, 10, not written_1h))
    assert (bill.cost_5m, bill.cost_1h) == (other.cost_5m, other.cost_1h)


def test_the_backtest_of_a_mix() -> None:
    """An hour for all loses on a quick thread, and gains on a slow sub-agent; the session's advice follows the sum."""
    quick = worked(20, 200, written_1h=True)
    slow = [use._replace(lane="watcher") for use in worked(900, 4, written_1h=True)]
    bill, _ = bill_of([*slow, *quick])
    assert {one.lane: one.cheaper_ttl for one in bill.backtests} == {None: "5m", "watcher": "1h"}
    assert bill.cost_5m == sum((one.cost_5m for one in bill.backtests), Decimal(0))
    assert bill.cheaper_ttl == "5m"
    longer, _ = bill_of([*(use._replace(lane="watcher") for use in worked(900, 40, written_1h=False)), *quick])
    assert longer.cheaper_ttl == "1h"


def test_equal_costs_advise_nothing() -> None:
    """A chain that wrote nothing costs the same either way."""
    bill, _ = bill_of([claude(0, 9_000, 0), claude(9, 9_000, 0)])
    assert bill.cost_5m == bill.cost_1h == Decimal(0)
    assert bill.cheaper_ttl is None
