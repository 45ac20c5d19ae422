"""`count_calls`: which usages of a trace are counted."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.counting.building import AT, MS, fact, rolled_up, told, totals
from tests.counting.writers import gen_ai, oi

from otel_sessions.counting.calls import Counted, Skipped, count_calls, merged
from otel_sessions.counting.facts import Call, SpanFacts
from otel_sessions.counting.prices.pricer import Cost
from otel_sessions.counting.tokens import Usage
from otel_sessions.dialects.kinds import CALLS

COST = Cost(None, None, Decimal("0.5"), "reported:gen_ai.usage.cost")


def using(span_id: int, parent: int | None, kind: str, input_: int | None = None, **more: Any) -> SpanFacts:
    """A span of a kind that reports input tokens, or nothing."""
    call = Call(None if input_ is None else Usage(input_), **more) if input_ is not None or kind in CALLS else None
    # Each in a time and with tokens of its own, unless a test says otherwise: none is another one's cousin.
    start = AT + span_id * 1_000 * MS
    return fact(span_id, parent, kind=kind, call=call, start=start, end=start + 100 * MS)


def count(*spans: SpanFacts, cousins: bool = True) -> Counted:
    """The outcome for these spans."""
    return count_calls({span.span_id: span for span in spans}, cousins=cousins)


def test_no_call_at_all() -> None:
    """A trace without model usage counts nothing and skips nothing."""
    assert count(fact(1), fact(2, 1)) == Counted({}, {})


def test_calls_side_by_side_all_count() -> None:
    """Spans that are not above or below each other are all counted."""
    counted = count(fact(1), using(2, 1, "llm", 5), using(3, 1, "llm", 6), using(4, 99, "embedding", 7))
    assert (set(counted.calls), counted.skipped) == ({2, 3, 4}, {})


def test_a_parent_that_sums_up_is_covered() -> None:
    """An agent over two calls is shown as covered, through spans that report nothing."""
    counted = count(using(1, None, "agent", 11), fact(2, 1), using(3, 2, "llm", 5), using(4, 2, "llm", 6))
    assert set(counted.calls) == {3, 4}
    assert counted.skipped == {1: Skipped("covered_by_children")}


def test_a_chain_of_aggregates() -> None:
    """Every aggregate above a report is covered, however far above it is."""
    counted = count(
        using(1, None, "workflow", 9),
        using(2, 1, "agent", 9),
        using(3, 2, "other", 9),
        using(4, 3, "llm", 9),
        using(5, 1, "agent", 3),
    )
    assert set(counted.calls) == {4, 5}
    assert set(counted.skipped) == {1, 2, 3}


def test_a_call_is_not_covered_by_an_aggregate_below() -> None:
    """Only a model call can be the same call again."""
    counted = count(using(1, None, "llm", 10), using(2, 1, "agent", 4))
    assert set(counted.calls) == {1, 2}


def test_a_tool_starts_a_unit_of_its_own() -> None:
    """A call inside a tool is counted beside the call around the tool."""
    counted = count(using(1, None, "llm", 10), fact(2, 1, kind="tool"), using(3, 2, "llm", 4))
    assert set(counted.calls) == {1, 3}
    assert counted.skipped == {}


def test_a_tool_that_repeats_its_calls_is_covered() -> None:
    """A tool's own number is covered by its calls, and covers the number of the agent above it."""
    counted = count(using(1, None, "agent", 100), using(2, 1, "tool", 100), using(3, 2, "llm", 100))
    assert set(counted.calls) == {3}
    assert set(counted.skipped) == {1, 2}


def test_two_calls_below_one_tool() -> None:
    """The way up from a second call ends where the way from the first one passed."""
    counted = count(
        using(1, None, "llm", 9),
        fact(2, 1, kind="tool"),
        fact(3, 2),
        using(4, 3, "llm", 1),
        using(5, 3, "llm", 2),
        using(6, 3, "other", 4),
    )
    assert set(counted.calls) == {1, 4, 5, 6}


def test_nested_calls_teach_the_one_that_is_kept() -> None:
    """A gateway's cost, and what else only it knew, goes to the provider's call that repeats it."""
    outer = using(1, None, "llm", 10, reported=COST, provider="openai", context=(("service_tier", "flex"),))
    inner = using(2, 1, "llm", 10, model="gpt-4o", response_id="r1")
    counted = count(outer, inner)
    call = Call(Usage(10), "gpt-4o", None, "openai", "r1", None, (("service_tier", "flex"),), COST)
    assert counted.calls == {2: call}
    assert counted.skipped == {1: Skipped("covered_by_children", 2)}


def test_a_cost_goes_down_through_several_layers() -> None:
    """The innermost of proxy, client and provider takes over what the others know."""
    counted = count(
        using(1, None, "llm", 10, reported=COST), using(2, 1, "llm", 10, model="m"), fact(3, 2), using(4, 3, "llm", 10)
    )
    assert counted.calls == {4: Call(Usage(10), "m", reported=COST)}
    assert counted.skipped == {1: Skipped("covered_by_children", 4), 2: Skipped("covered_by_children", 4)}


def test_a_cost_of_several_calls_goes_to_none() -> None:
    """A call around two others is their sum, so its cost goes to neither."""
    counted = count(using(1, None, "llm", 10, reported=COST), using(2, 1, "llm", 4), using(3, 1, "llm", 6))
    assert counted.calls == {2: Call(Usage(4)), 3: Call(Usage(6))}
    assert counted.skipped == {1: Skipped("covered_by_children")}
    alike = count(using(1, None, "llm", 10, reported=COST), using(2, 1, "llm", 10), using(3, 1, "llm", 10))
    assert alike.calls == {2: Call(Usage(10)), 3: Call(Usage(10))}


def test_a_call_with_other_tokens_teaches_nothing() -> None:
    """Nothing is taken over from a call with other numbers."""
    counted = count(using(1, None, "llm", 11, reported=COST), using(2, 1, "llm", 10))
    assert counted.calls == {2: Call(Usage(10))}


def test_a_silent_call_around_another_is_the_same_call() -> None:
    """A client's span without usage over the provider's span is not counted, and adds what it knows."""
    counted = count(using(1, None, "llm", response_id="r1"), using(2, 1, "llm", 10))
    assert counted.calls == {2: Call(Usage(10), response_id="r1")}
    assert counted.skipped == {1: Skipped("part_of_call", 2)}


def test_a_silent_call_inside_another_is_the_same_call() -> None:
    """A raw request's span without usage below the call that reports it is not counted."""
    counted = count(using(1, None, "llm", 10), using(2, 1, "llm"))
    assert counted.calls == {1: Call(Usage(10))}
    assert counted.skipped == {2: Skipped("part_of_call", 1)}


def test_a_silent_call_far_inside_another() -> None:
    """A silent call is the same call also if another silent one lies between."""
    counted = count(using(1, None, "llm", 10), using(2, 1, "llm"), using(3, 2, "llm"))
    assert counted.calls == {1: Call(Usage(10))}
    assert set(counted.skipped) == {2, 3}


def test_failed_calls_nested_in_each_other_are_one() -> None:
    """Nested spans of a failed call, none of which reports usage, are counted as one call."""
    counted = count(using(1, None, "llm"), using(2, 1, "llm"), using(3, None, "llm"))
    assert set(counted.calls) == {2, 3}
    assert counted.skipped == {1: Skipped("part_of_call", 2)}


def test_a_silent_call_with_several_inside_names_the_first() -> None:
    """A silent call around several others refers to the one with the lowest id."""
    counted = count(using(9, None, "llm"), using(3, 9, "llm", 1), using(2, 9, "llm", 2))
    assert counted.skipped == {9: Skipped("part_of_call", 2)}


def test_a_silent_call_inside_a_tool_is_its_own() -> None:
    """Spans on two sides of a tool are never the same call."""
    counted = count(using(1, None, "llm", 10), fact(2, 1, kind="tool"), using(3, 2, "llm"))
    assert set(counted.calls) == {1, 3}


def test_a_wrapper_that_alone_reports_stands_for_its_silent_calls() -> None:
    """Calls that report nothing or 0 are parts of the only span above them that reports usage."""
    counted = count(using(1, None, "agent", 10), using(2, 1, "llm", 0), fact(3, 1), using(4, 3, "llm"))
    assert counted.calls == {1: Call(Usage(10))}
    assert counted.skipped == {2: Skipped("part_of_call", 1), 4: Skipped("part_of_call", 1)}


def test_a_silent_call_below_a_covered_wrapper_is_its_own() -> None:
    """A failed call beside one that reports is counted, because the wrapper's numbers are those of the other."""
    counted = count(using(1, None, "agent", 10), using(2, 1, "llm", 10), using(3, 1, "llm"))
    assert set(counted.calls) == {2, 3}


def test_cousins_are_merged() -> None:
    """Of two calls with one response id one is kept, with what both reported."""
    counted = count(
        using(1, None, "llm", 10, response_id="r1", reported=COST),
        using(2, None, "llm", 10, response_id="r1", model="m"),
    )
    assert counted.calls == {1: Call(Usage(10), "m", response_id="r1", reported=COST)}
    assert counted.skipped == {2: Skipped("duplicate", 1)}


def test_only_calls_have_cousins() -> None:
    """An agent is never taken for a call beside it."""
    counted = count(using(1, None, "agent", 10, response_id="r1"), using(2, None, "llm", 10, response_id="r1"))
    assert set(counted.calls) == {1, 2}


def test_guessing_cousins_can_be_switched_off() -> None:
    """Calls without an id in common are all counted if cousins are not guessed."""
    one, other = using(1, None, "llm", 10), using(2, None, "llm", 10)
    twins = (one._replace(scope="a"), other._replace(scope="b", start=one.start, end=one.end))
    assert len(count(*twins).calls) == 1
    assert len(count(*twins, cousins=False).calls) == 2


def test_a_cache_hit_is_shown_and_not_counted() -> None:
    """Tokens that were served from a gateway's cache were not billed."""
    counted = count(using(1, None, "llm", 10, cache_hit=True), using(2, None, "llm", 4))
    assert set(counted.calls) == {2}
    assert counted.skipped == {1: Skipped("cache_hit")}


def test_an_agent_over_a_cache_hit() -> None:
    """An agent that sums up a cached call has used nothing either."""
    counted = count(using(1, None, "agent", 10), using(2, 1, "llm", 10, cache_hit=True))
    assert counted.calls == {}


@pytest.mark.parametrize(
    ("kept", "other", "usage"),
    [
        (None, Usage(5, 2), Usage(5, 2)),
        (Usage(0, 0), Usage(5, 2), Usage(5, 2)),
        (Usage(5, 2), None, Usage(5, 2)),
        (Usage(5, 2), Usage(5, 2, 3), Usage(5, 2, 3)),
        (Usage(5, 2, 1), Usage(5, 2, 3, 4), Usage(5, 2, 1, 4)),
        (Usage(5, 2), Usage(6, 2, 3), Usage(5, 2)),
    ],
)
def test_merging_fills_in_and_never_adds(kept: Usage | None, other: Usage | None, usage: Usage | None) -> None:
    """The kept call's numbers stay; parts are taken over only from the same numbers."""
    assert merged(Call(kept), Call(other)).usage == usage


FULL = Call(Usage(5, 2, 1), "m", "r", "p", "r1", "c1", (("service_tier", "flex"),), COST, cache_hit=True)


def test_merging_fills_in_every_field() -> None:
    """Fields that the kept call lacks come from the other, and fields that it has stay."""
    assert merged(Call(), FULL) == merged(FULL, Call()) == FULL
    other = Call(Usage(9), "m2", "r2", "p2", "r3", "c3", (("processing", "batch"),), Cost(None, None, Decimal(1), "x"))
    assert merged(FULL, other) == FULL
    assert merged(other, FULL) == other._replace(cache_hit=True)


KINDS = ["llm", "llm", "embedding", "tool", "agent", "other"]


@st.composite
def trees(draw: st.DrawFn) -> list[SpanFacts]:
    """Traces of up to 12 spans, parents before children by id, some parents missing."""
    spans = []
    for span_id in range(1, draw(st.integers(1, 12)) + 1):
        parent = draw(st.none() | st.integers(max(1, span_id - 3), span_id))
        kind = draw(st.sampled_from(KINDS))
        tokens = draw(st.none() | st.integers(0, 3))
        response_id = draw(st.none() | st.sampled_from(["r1", "r2"])) if kind in CALLS else None
        call_id = draw(st.none() | st.sampled_from(["c1", "c2"])) if kind in CALLS else None
        call = None
        if kind in CALLS or tokens:
            usage = None if tokens is None else Usage(tokens)
            call = Call(
                usage, None, None, None, response_id, call_id, cache_hit=draw(st.sampled_from([0, 0, 0, 1])) == 1
            )
        start = draw(st.integers(0, 3))
        spans.append(
            fact(
                span_id,
                None if parent == span_id else parent,
                kind=kind,
                call=call,
                scope=draw(st.sampled_from("ab")),
                start=AT + start * 100 * MS,
                end=AT + (start + draw(st.integers(0, 3))) * 100 * MS,
            )
        )
    return spans


@settings(max_examples=120, deadline=None)
@given(trees(), st.randoms())
def test_every_report_is_counted_or_explained(spans: list[SpanFacts], order: random.Random) -> None:
    """Each span that reports usage is either counted or skipped, in any order of the spans."""
    counted = count(*spans)
    assert set(counted.calls) | set(counted.skipped) == {span.span_id for span in spans if span.call is not None}
    assert not set(counted.calls) & set(counted.skipped)
    order.shuffle(spans)
    assert count(*spans) == counted


@settings(max_examples=120, deadline=None)
@given(trees())
def test_nothing_is_made_up(spans: list[SpanFacts]) -> None:
    """Every counted usage is one that a span reported, and a trace with a report has a count."""
    counted = count(*spans)
    reported = [span.call.usage for span in spans if span.call is not None]
    assert all(call.usage in reported for call in counted.calls.values())
    if any(span.call is not None and span.call.says_something and not span.call.cache_hit for span in spans):
        hits = any(span.call is not None and span.call.cache_hit for span in spans)
        assert hits or any(call.says_something for call in counted.calls.values())


@settings(max_examples=200, deadline=None)
@given(trees())
def test_what_stands_for_a_skipped_span_is_counted(spans: list[SpanFacts]) -> None:
    """The span named in place of a skipped one is counted, or is a cache hit."""
    counted = count(*spans)
    for skipped in counted.skipped.values():
        assert skipped.by is None or skipped.by in counted.calls


def test_a_silent_call_between_two_names_the_counted_one() -> None:
    """A silent call whose only inner call is silent too points at the one that reports."""
    counted = count(using(1, None, "llm", 10), using(2, 1, "llm"), using(3, 2, "llm"))
    assert counted.skipped == {2: Skipped("part_of_call", 1), 3: Skipped("part_of_call", 1)}


def test_a_raw_request_inside_a_call_is_a_part_of_it() -> None:
    """A span without a kind that reports the tokens of the call around it is not counted, and tells what the call left out."""
    raw = {"usageMetadata": '{"promptTokenCount": 75, "candidatesTokenCount": 27, "thoughtsTokenCount": 40}'}
    rollup = rolled_up(told("a", oi("LLM", 75, 67, "gemini-2.5-flash"), told("litellm", raw)))
    whole = totals(rollup.whole)
    assert (whole.call_count, whole.input_tokens, whole.output_tokens, whole.reasoning_tokens) == (1, 75, 67, 40)
    assert rollup.skipped == {2: Skipped("part_of_call", 1)}
    other = rolled_up(told("a", oi("LLM", 76, 67, "gemini-2.5-flash"), told("litellm", raw)))
    assert totals(other.whole).call_count == 2


def test_a_span_that_only_names_a_model_is_not_skipped() -> None:
    """What names a model but reports nothing is neither counted nor listed as left out."""
    rollup = rolled_up(told("a", {"gen_ai.request.model": "m"}, told("a", gen_ai("chat", 70, 8, model="m"))))
    assert rollup.skipped == {}
    assert totals(rollup.whole).call_count == 1
