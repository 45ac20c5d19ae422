"""`time_spent` and `idle`: each instant counts once, as the first of what it can be."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.counting.building import fact, read

from otel_sessions.counting.calls import count_calls
from otel_sessions.counting.facts import Call, SpanFacts
from otel_sessions.counting.time_spent import (
    NO_TIME,
    Interval,
    TimedCall,
    TimeSpent,
    busy,
    idle,
    spent_by,
    time_spent,
)
from otel_sessions.counting.tokens import Usage

MOMENT = st.integers(-3, 23)
INTERVAL = st.tuples(MOMENT, MOMENT)
INTERVALS = st.lists(INTERVAL, max_size=6)
CALLS = st.lists(st.tuples(MOMENT, MOMENT, st.none() | st.integers(-3, 25)), max_size=6)

CLAUDE_CODE = "com.anthropic.claude_code.tracing"


def kind_of(instant: int, calls: list[TimedCall], tools: list[Interval], human: list[Interval]) -> str:
    """What the nanosecond that begins at `instant` counts as, by the definition read out."""
    open_calls = [(start, first) for start, end, first in calls if start <= instant < end]
    if any(start <= instant < end for start, end in human):
        return "human"
    if any(first is None or instant >= start + first for start, first in open_calls):
        return "generation"
    if open_calls:
        return "model_wait"
    return "tool" if any(start <= instant < end for start, end in tools) else "other"


@given(start=MOMENT, end=MOMENT, calls=CALLS, tools=INTERVALS, human=INTERVALS)
@example(start=0, end=10, calls=[(0, 10, 4)], tools=[(2, 6)], human=[(3, 5)])
@example(start=0, end=10, calls=[(8, 2, 1)], tools=[(9, 1)], human=[(5, 5)])
@example(start=0, end=10, calls=[(0, 3, 2), (4, 12, None)], tools=[(3, 4)], human=[])
@example(start=0, end=20, calls=[(0, 3, 2), (4, 12, -1), (12, 12, 0)], tools=[(3, 4), (15, 15)], human=[])
def test_every_instant_counts_as_the_first_that_applies(
    start: int, end: int, calls: list[TimedCall], tools: list[Interval], human: list[Interval]
) -> None:
    """The sweep gives what an instant-by-instant count gives, whatever overlaps, is reversed or lies outside."""
    counted = dict.fromkeys(TimeSpent._fields, 0)
    for instant in range(start, end):
        counted[kind_of(instant, calls, tools, human)] += 1
    spent = time_spent(start, end, calls, tools, human)
    assert spent == TimeSpent(**counted)
    assert sum(spent) == max(end - start, 0)


@given(calls=CALLS, tools=INTERVALS, human=INTERVALS, random=st.randoms(use_true_random=False))
def test_the_order_of_the_intervals_changes_nothing(
    calls: list[TimedCall], tools: list[Interval], human: list[Interval], random: Any
) -> None:
    """Shuffled and doubled intervals are the same time."""
    spent = time_spent(0, 20, calls, tools, human)
    shuffled = [[*intervals, *intervals] for intervals in (calls, tools, human)]
    for intervals in shuffled:
        random.shuffle(intervals)
    assert time_spent(0, 20, *shuffled) == spent


@pytest.mark.parametrize(
    ("first_token", "waited", "generated"),
    [(None, 0, 100), (0, 0, 100), (-5, 0, 100), (30, 30, 70), (100, 100, 0), (250, 100, 0)],
)
def test_a_call_waits_until_its_first_token(first_token: int | None, waited: int, generated: int) -> None:
    """Without a time to first token the whole call generates; a first token after the end never came."""
    spent = time_spent(0, 100, [(0, 100, first_token)])
    assert (spent.model_wait, spent.generation, spent.other) == (waited, generated, 0)


def test_thousands_of_intervals() -> None:
    """20,000 tools and calls that overlap add up to the whole time."""
    calls = [(at * 10, at * 10 + 15, 5) for at in range(20_000)]
    tools = [(at * 10 - 3, at * 10 + 1) for at in range(0, 20_000, 2)]
    spent = time_spent(-10, 200_020, calls, tools)
    assert spent == TimeSpent(model_wait=5, generation=20_000 * 10, tool=3, other=22)


def test_no_intervals_and_no_time() -> None:
    """A trace without calls and tools is other time; one without duration is none."""
    assert time_spent(5, 12) == TimeSpent(other=7)
    assert time_spent(5, 5, [(0, 9, None)]) == time_spent(9, 5) == NO_TIME


def test_sums() -> None:
    """Traces add up field by field."""
    assert TimeSpent(1, 2, 3, 4, 5).added(TimeSpent(10, 20, 30, 40, 50)) == TimeSpent(11, 22, 33, 44, 55)


def claude_code(span_id: int, parent_id: int | None, start: int, end: int, type_: str, **more: Any) -> SpanFacts:
    """A span as Claude Code writes it."""
    attributes = {"span.type": type_, "session.id": "s-1", **more}
    return read(
        attributes,
        CLAUDE_CODE,
        span_id=span_id,
        parent_id=parent_id,
        start=start,
        end=end,
        name=f"claude_code.{type_}",
    )


def test_a_turn_of_claude_code() -> None:
    """A turn is its request, the tool that waits for permission, and the tool itself."""
    usage = {"model": "claude-opus-4-8", "input_tokens": 12, "output_tokens": 40}
    spans = [
        claude_code(1, None, 0, 1_000, "interaction"),
        claude_code(2, 1, 50, 350, "llm_request", **usage),
        claude_code(3, 1, 400, 900, "tool"),
        claude_code(4, 3, 420, 720, "tool.blocked_on_user"),
        claude_code(5, 3, 720, 890, "tool.execution"),
    ]
    by_id = {span.span_id: span for span in spans}
    calls = count_calls(by_id).calls
    assert by_id[4].kind == "human"
    calls[2] = calls[2]._replace(time_to_first_token=100)
    spent = spent_by(spans, calls, 0, 1_000)
    assert spent == TimeSpent(model_wait=100, generation=200, tool=200, human=300, other=200)


@pytest.mark.parametrize("name", ["claude_code.tool.blocked_on_user", "qwen-code.tool.blocked_on_user"])
@pytest.mark.parametrize("kind", ["other", "tool"])
def test_a_wait_for_a_human_is_known_by_its_name(name: str, kind: str) -> None:
    """Spans that have no attribute for their kind, or another one, are known by their name."""
    spans = [fact(1, kind="tool", start=0, end=100), fact(2, 1, kind=kind, name=name, start=10, end=70)]
    assert spent_by(spans, {}, 0, 100) == TimeSpent(tool=40, human=60)


def test_an_agent_that_reports_usage_is_not_generating_while_its_tools_run() -> None:
    """Usage on the span of an agent is counted, but the span's time is not that of a model."""
    call = Call(usage=Usage(10, 20))
    spans = [fact(1, kind="agent", call=call, start=0, end=100), fact(2, 1, kind="tool", start=20, end=60)]
    assert spent_by(spans, {1: call}, 0, 100) == TimeSpent(tool=40, other=60)


def test_a_call_that_is_not_counted_takes_no_time() -> None:
    """A span that repeats another call is not waited for a second time."""
    spans = [fact(1, kind="llm", call=Call(), start=0, end=100), fact(2, 1, kind="llm", call=Call(), start=20, end=60)]
    assert spent_by(spans, {2: Call()}, 0, 100) == TimeSpent(generation=40, other=60)


@given(traces=st.lists(INTERVAL, max_size=8), random=st.randoms(use_true_random=False))
def test_idle_is_the_time_without_an_open_trace(traces: list[Interval], random: Any) -> None:
    """Idle time is counted instant by instant between the first start and the last end, in any order of the traces."""
    traces = [(start, max(start, end)) for start, end in traces]
    first, last = min((start for start, _ in traces), default=0), max((end for _, end in traces), default=0)
    counted = sum(not any(start <= at < end for start, end in traces) for at in range(first, last))
    shuffled = list(traces)
    random.shuffle(shuffled)
    assert idle(traces) == idle(shuffled) == idle(busy(traces)) == counted


def test_a_session_without_traces_is_not_idle() -> None:
    """No traces, no time."""
    assert idle([]) == 0
