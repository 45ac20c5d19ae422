"""The list of calls that a session's totals are made of."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from tests.counting.building import AT, MS, TRACE, fact, in_session

from otel_sessions.counting.facts import Call, SpanFacts
from otel_sessions.counting.ledger import resolve_units
from otel_sessions.counting.model_call import ModelCall, judge, list_calls
from otel_sessions.counting.prices.genai import GenAIPrices
from otel_sessions.counting.prices.pricer import Cost
from otel_sessions.counting.tokens import Usage
from otel_sessions.timestamps import format_time

S = ("id", "s")


def call(span_id: int, given: Call, **more: Any) -> SpanFacts:
    """A call in the session."""
    return fact(span_id, **{"kind": "llm", "call": given, **in_session("s"), **more})


def entries(*spans: SpanFacts) -> list[ModelCall]:
    """The list of calls of one trace."""
    resolved = resolve_units({TRACE: list(spans)}, GenAIPrices())[TRACE].resolved
    assert resolved is not None
    return list_calls(TRACE, resolved, S, judge(one.use for one in resolved.priced.values() if one.use))


def test_a_counted_call() -> None:
    """Tokens, cost, model, time to the first token, and whether the prompt was cached."""
    usage = Usage(9_000, 10, 8_000, 900, cache_write_1h_tokens=0)
    given = Call(usage, "claude-opus-4-8", provider="anthropic", time_to_first_token=20 * MS)
    (entry,) = entries(call(1, given, name="chat", agent="Explore"))
    assert entry.to_dict() == {
        "trace_id": f"{TRACE:032x}",
        "span_id": f"{1:016x}",
        "start": format_time(AT),
        "duration_ms": 100.0,
        "time_to_first_token_ms": 20.0,
        "provider": "anthropic",
        "model": "claude-opus-4-8",
        "lane": "Explore",
        "operation": "chat",
        "counted": True,
        "reason": None,
        "counted_as": None,
        "evidence": ["span"],
        "input_tokens": 9_000,
        "output_tokens": 10,
        "cache_read_tokens": 8_000,
        "cache_write_tokens": 900,
        "reasoning_tokens": None,
        "total_tokens": 9_010,
        "input_cost": "0.010125",
        "output_cost": "0.00025",
        "total_cost": "0.010375",
        "cost_source": entry.cost_source,
        "cost_exact": True,
        "cost_note": None,
        "failed": False,
        "cache": "hit",
        "rebuilt_tokens": 0,
        "rebuilt_cost": "0",
    }
    assert entry.start == AT
    assert (entry.cost_source or "").startswith("genai-prices")


@pytest.mark.parametrize(
    ("given", "failed", "note"),
    [
        (Call(), False, "no tokens are reported"),
        (Call(Usage(0, 0), "made-up"), False, "no tokens are reported"),
        (Call(), True, None),
        (Call(Usage(1, 1)), False, "no model is named"),
        (Call(Usage(1, 1), request_model="made-up"), False, "no price is known for made-up"),
        (
            Call(Usage(1, 1), reported=Cost(None, None, Decimal(1), "reported:x (at least: y)")),
            False,
            "reported:x (at least: y)",
        ),
        (Call(Usage(1, 1), reported=Cost(None, None, Decimal(1), "reported:x")), False, None),
    ],
)
def test_why_a_cost_is_not_exact(given: Call, failed: bool, note: str | None) -> None:
    """A cost that is not known, or a lower bound, says why."""
    (entry,) = entries(call(1, given, failed=failed))
    assert (entry.cost_exact, entry.cost_note) == (note is None, note)
    assert entry.cache == "unknown"


def test_cache_writes_without_a_time_to_live_are_a_lower_bound() -> None:
    """What is kept for an hour costs more: without the parts, the cost is at least that of five minutes."""
    given = Call(Usage(2_000, 1, 0, 1_900), "claude-opus-4-8", provider="anthropic")
    (entry,) = entries(call(1, given))
    assert not entry.cost_exact
    assert "for how long the cache keeps what was written is not reported" in (entry.cost_note or "")
    assert entry.cache == "cold"


def test_what_is_left_out_says_why() -> None:
    """A sum above its calls, a copy and an answer of a cache are listed with the reason, and by which entry they are counted."""
    usage = Usage(10, 1)
    agent = call(1, Call(usage), kind="agent", name="run")
    counted = call(2, Call(usage, "m", response_id="r" * 30), parent_id=1, scope="a")
    copy = call(3, Call(usage, "m", response_id="r" * 30), parent_id=1, scope="b")
    cached = call(4, Call(Usage(7, 7), "m", cache_hit=True), start=AT + MS)
    listed = entries(agent, counted, copy, cached)
    assert [(one.operation, one.counted, one.reason, one.counted_as) for one in listed] == [
        ("run", False, "covered_by_children", None),
        ("span 2", False, "duplicate", 3),
        ("span 3", True, None, None),
        ("span 4", False, "cache_hit", None),
    ]
    assert listed[1].to_dict()["counted_as"] == f"{3:016x}"
    assert [(one.total_cost, one.cache, one.cost_exact) for one in listed if not one.counted] == [
        (None, None, True)
    ] * 3


def test_only_what_is_in_the_session_is_listed() -> None:
    """A call of another session in the same trace is in its list."""
    mine, theirs = call(1, Call(Usage(1, 1))), fact(2, kind="llm", call=Call(Usage(2, 2)), **in_session("t"))
    assert [entry.span_id for entry in entries(mine, theirs)] == [1]


def test_only_some_entries() -> None:
    """A page has those entries that it asks for, in their order."""
    spans = [call(number, Call(Usage(5, 1), "m", response_id="r" * 30), scope=str(number)) for number in (1, 2)]
    spans.append(call(3, Call(Usage(3, 3), "m")))
    resolved = resolve_units({TRACE: spans}, None)[TRACE].resolved
    assert resolved is not None
    every = list_calls(TRACE, resolved, S)
    assert [entry.counted for entry in every].count(False) == 1
    for entry in every:
        assert list_calls(TRACE, resolved, S, only={entry.span_id}) == [entry]
    assert list_calls(TRACE, resolved, S, only=set()) == []
