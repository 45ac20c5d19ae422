"""`roll_up`: from the spans of a trace to what each session gets of it."""

from __future__ import annotations

import itertools
import random
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.counting.building import AT, MS, TRACE, PerToken, fact, in_session, totals

from otel_sessions.counting.cache_use import CacheUse
from otel_sessions.counting.calls import Skipped
from otel_sessions.counting.distinct_spans import distinct_spans, more_complete
from otel_sessions.counting.facts import Call, Labels, SpanFacts
from otel_sessions.counting.metadata import later
from otel_sessions.counting.prices.chain import GuardedPricer
from otel_sessions.counting.prices.genai import GenAIPrices
from otel_sessions.counting.prices.pricer import Cost
from otel_sessions.counting.time_spent import TimeSpent
from otel_sessions.counting.tokens import Usage
from otel_sessions.counting.trace import TraceGroup, TraceRollup, roll_up
from otel_sessions.rules import MetadataValue


def rolled(*spans: SpanFacts, **more: Any) -> TraceRollup:
    """The rollup of these spans, in whatever order they come."""
    rollup = roll_up(TRACE, spans, **more)
    assert rollup is not None
    assert all(roll_up(TRACE, order, **more) == rollup for order in itertools.islice(itertools.permutations(spans), 12))
    return rollup


def group(*spans: SpanFacts, **more: Any) -> TraceGroup:
    """The trace group of the one session of these spans."""
    (only,) = rolled(*spans, **more).groups
    return only


def call(*usage: int | None, **more: Any) -> dict[str, Any]:
    """The fields that make a span a model call with a usage."""
    return {"kind": "llm", "call": Call(Usage(*usage) if usage else None, **more)}


def test_nothing_to_speak_of() -> None:
    """No spans, or placeholders alone, make no trace."""
    assert roll_up(TRACE, []) is None
    assert roll_up(TRACE, [fact(1, kind="pending")]) is None


def test_a_trace_in_one_session() -> None:
    """The session gets all of the trace: its span of time, spans, operations and labels."""
    labels = Labels("Order", "u1", ("b", "a"), (("plan", "pro"),), "web", "test")
    spans = (
        fact(1, None, start=AT, end=AT + 900, name="handle", labels=labels, **in_session("a")),
        fact(2, 1, start=AT + 5, end=AT + 1000, name="inner", labels=Labels(service="db"), **in_session("a")),
    )
    rollup = rolled(*spans)
    assert rollup.groups == (
        TraceGroup(
            key="id",
            value="a",
            trace_id=TRACE,
            start=AT,
            end=AT + 1000,
            span_count=2,
            failed=False,
            operations=frozenset({"handle"}),
            models={},
            services=frozenset({"web", "db"}),
            environments=frozenset({"test"}),
            user_ids=frozenset({"u1"}),
            tags=frozenset({"a", "b"}),
            name=(AT, "Order"),
            metadata={"plan": (AT, "pro")},
            listed=0,
            time=TimeSpent(other=1_000),
        ),
    )
    assert rollup.whole == rollup.groups[0]._replace(key="", value="")
    assert rollup.trace_id == TRACE


def test_a_trace_in_no_session() -> None:
    """A trace without a session has its own numbers, and no session gets them."""
    rollup = rolled(fact(1, **call(3)))
    assert (rollup.groups, totals(rollup.whole).input_tokens) == ((), 3)


def test_two_sessions_in_one_trace() -> None:
    """Each of two sessions gets its own spans and calls and notes the conflict; spans above both belong to neither."""
    rollup = rolled(
        fact(1, **call(100)),
        fact(2, 1, **in_session("a"), **call(3)),
        fact(3, 1, **in_session("b"), name="b's", failed=True),
        fact(4, 3, **call(5)),
        fact(5, 3),
    )
    a, b = rollup.groups
    assert (a.value, a.span_count, a.conflict, a.failed, totals(a).input_tokens) == ("a", 1, True, False, 3)
    assert (b.value, b.span_count, b.conflict, b.failed, totals(b).input_tokens) == ("b", 3, True, True, 5)
    assert (list(b.operations), list(rollup.whole.operations)) == (["b's"], ["span 1"])
    assert not rollup.whole.conflict
    assert totals(rollup.whole).input_tokens == 8


def test_two_keys_at_once() -> None:
    """A trace is charged to its session of every key, which is no conflict."""
    rollup = rolled(
        fact(1, values=(("id", "a"), ("ticket", "t1")), **call(3)),
        fact(2, values=(("id", "a"), ("ticket", "t2")), **call(4)),
    )
    found = {(one.key, one.value): (totals(one).input_tokens, one.conflict) for one in rollup.groups}
    assert found == {("id", "a"): (7, False), ("ticket", "t1"): (3, True), ("ticket", "t2"): (4, True)}


@pytest.mark.parametrize(
    ("failed", "outcome"), [((), False), ((1,), True), ((2,), False), ((3,), False), ((4,), True), ((1, 2), True)]
)
def test_a_trace_fails_with_one_of_its_top_spans(failed: tuple[int, ...], outcome: bool) -> None:
    """A trace fails if a span without a known parent failed, not if a failure inside it was handled."""
    parents = {1: None, 2: 1, 3: 2, 4: 99}
    spans = [fact(i, parent, failed=i in failed, **in_session("a")) for i, parent in parents.items()]
    assert group(*spans).failed is outcome


def test_a_span_that_was_delivered_twice() -> None:
    """A repeated span counts once, and of two states of a span the one that ends later wins in any order."""
    early = fact(1, start=AT, end=AT + 5, **call(1), **in_session("a"))
    late = early._replace(end=AT + 9, call=Call(Usage(7)))
    found = group(early, late, late, early)
    assert (found.span_count, found.end, totals(found).input_tokens, totals(found).call_count) == (1, AT + 9, 7, 1)


def test_a_placeholder_gives_way_to_its_span() -> None:
    """A start-only span counts for nothing beside the final one, not even if it claims to have ended later."""
    final = fact(1, start=AT, end=AT, **call(1))
    for end in (AT, AT + 9):
        placeholder = fact(1, kind="pending", start=AT, end=end)
        assert more_complete(placeholder, final) == more_complete(final, placeholder) == final
        assert totals(rolled(placeholder, final).whole).call_count == 1


@pytest.mark.parametrize(("one", "other"), [(True, 1), (1, 1.0), ("x", "y")])
def test_of_two_states_at_once_one_wins(one: MetadataValue, other: MetadataValue) -> None:
    """Spans that differ in a label only, if just by its type, come out the same in any order."""
    spans = [fact(1, labels=Labels(metadata=(("a", value),)), **in_session("a")) for value in (one, other)]
    results = {repr(distinct_spans(order)) for order in (spans, spans[::-1])}
    assert len(results) == 1


@pytest.mark.parametrize(("first", "last"), [(True, 1), (1, True), (1.0, 1), ("a", "b"), ("b", "a")])
def test_the_last_value_of_a_label_wins(first: MetadataValue, last: MetadataValue) -> None:
    """The value of the span that starts last wins in any order, also where two values compare equal in Python."""
    spans = (
        fact(2, start=AT, labels=Labels(str(first), metadata=(("m", first),)), **in_session("a")),
        fact(1, start=AT + 5, labels=Labels(str(last), metadata=(("m", last),)), **in_session("a")),
    )
    found = group(*spans)
    assert found.name == (AT + 5, str(last))
    at, value = found.metadata["m"]
    assert (at, value, type(value)) == (AT + 5, last, type(last))


def test_a_label_said_again() -> None:
    """A value counts from the last span that has it, and of values at the same moment the text decides."""
    at = {1: (5, "x"), 2: (6, "y"), 3: (9, "x"), 4: (9, "w"), 5: (7, None)}
    spans = [fact(i, start=AT + start, labels=Labels(name), **in_session("a")) for i, (start, name) in at.items()]
    assert group(*spans).name == (AT + 9, "x")


def test_later_of_two_values() -> None:
    """The first value stands until a later one comes; equal times are decided by type and text, not by arrival."""
    assert later(None, (1, "a")) == (1, "a")
    assert later((1, "b"), (2, "a")) == later((2, "a"), (1, "b")) == (2, "a")
    assert later((1, 1), (1, True)) == later((1, True), (1, 1))


def test_calls_are_summed_by_provider_and_model() -> None:
    """Calls are added up by provider and by the response's model, or else the request's."""
    found = group(
        fact(1, **in_session("a")),
        fact(2, 1, **call(1, 2, model="m-2025", request_model="m", provider="p")),
        fact(3, 1, **call(3, model="m-2025", provider="p"), start=AT + 500 * MS, end=AT + 501 * MS),
        fact(4, 1, **call(5, request_model="m")),
        fact(5, 1, **call(), start=AT + 900 * MS, end=AT + 901 * MS),
    )
    assert {model: (one.call_count, one.input_tokens) for model, one in found.models.items()} == {
        ("p", "m-2025"): (2, 4),
        (None, "m"): (1, 5),
        (None, None): (1, None),
    }


def test_a_total_with_a_remainder_makes_the_cost_a_lower_bound() -> None:
    """What a reported total has beyond input and output is not priced, and the source of the cost says so."""
    usage = Usage(10, 2, unexplained_tokens=5)
    rollup = roll_up(TRACE, [fact(1, kind="llm", call=Call(usage, "m"))], pricer=PerToken())
    assert rollup is not None
    found = totals(rollup.whole)
    assert found.total_cost == 14
    assert found.sources == {"per token (at least: the total reported has more tokens than input and output)"}


@pytest.mark.parametrize(("consumer", "failed"), [(True, True), (False, False)])
def test_a_failed_job_below_a_producer_that_succeeded(consumer: bool, failed: bool) -> None:
    """A job that failed fails its trace, since its producer cannot know; any other span below the top does not."""
    found = group(fact(1, **in_session("a")), fact(2, 1, failed=True, consumer=consumer))
    assert found.failed is failed


class Asked(PerToken):
    """A pricer that remembers what it was asked."""

    def __init__(self) -> None:
        """Nothing asked yet."""
        self.asked: list[dict[str, Any]] = []

    def price(self, **question: Any) -> Cost | None:
        """The cost of one call."""
        self.asked.append(question)
        return super().price(**question)


def test_a_call_is_priced_at_its_start() -> None:
    """The pricer gets what the span says, and the time at which the call started."""
    pricer = Asked()
    context = (("service_tier", "flex"),)
    span = fact(1, **in_session("a"), **call(10, 1, model="m", provider="p", context=context))
    found = totals(roll_up(TRACE, [span], pricer=pricer).groups[0])  # type: ignore[union-attr]
    assert pricer.asked == [
        {"provider": "p", "model": "m", "usage": Usage(10, 1), "at": AT, "context": context},
    ]
    assert (found.input_cost, found.output_cost, found.total_cost) == (Decimal(10), Decimal(2), Decimal(12))
    assert (found.unpriced_call_count, list(found.sources)) == (0, ["per token"])


def test_a_reported_cost_beats_a_price() -> None:
    """A cost on the span, also one of 0, is taken without asking the price list."""
    pricer = Asked()
    zero = Cost(None, None, Decimal(0), "reported:litellm.cost.total")
    found = totals(rolled(fact(1, **call(10, model="m", reported=zero)), pricer=pricer).whole)
    assert (found.total_cost, found.unpriced_call_count, list(found.sources)) == (Decimal(0), 0, [zero.source])
    assert pricer.asked == []


@pytest.mark.parametrize(
    ("given_call", "priced", "models"),
    [
        (call(10, model="m"), True, ["m"]),
        (call(10, request_model="m"), True, ["m"]),
        (call(10, model="unknown", request_model="m"), True, ["unknown", "m"]),
        (call(10, model="unknown", request_model="unknown"), False, ["unknown"]),
        (call(10, model="unknown"), False, ["unknown"]),
        (call(10), False, []),
        (call(model="m"), False, []),
    ],
)
def test_which_model_is_priced(given_call: dict[str, Any], priced: bool, models: list[str]) -> None:
    """The response's model is priced, or else the request's; without a model or usage the cost is unknown, not 0."""
    pricer = Asked()
    found = totals(roll_up(TRACE, [fact(1, **given_call)], pricer=pricer).whole)  # type: ignore[union-attr]
    assert [question["model"] for question in pricer.asked] == models
    assert (found.unpriced_call_count, found.total_cost) == ((0, Decimal(10)) if priced else (1, None))


def test_mixed_costs_are_a_lower_bound() -> None:
    """The total adds up the known costs and tells how many calls are not in it."""
    found = totals(rolled(fact(1, **call(10, model="m")), fact(2, **call(5, model="unknown")), pricer=PerToken()).whole)
    assert (found.total_cost, found.unpriced_call_count, found.call_count) == (Decimal(10), 1, 2)


def test_without_a_pricer() -> None:
    """Only reported costs are known without a pricer."""
    found = totals(rolled(fact(1, **call(10, model="m"))).whole)
    assert (found.total_cost, found.unpriced_call_count) == (None, 1)


def test_calls_that_are_not_counted_are_told() -> None:
    """The rollup says which spans were left out of the sums, and why."""
    rollup = rolled(fact(1, kind="agent", call=Call(Usage(4))), fact(2, 1, **call(4)))
    assert rollup.skipped == {1: Skipped("covered_by_children")}
    explained = rolled(fact(1, kind="agent", call=Call(Usage(9))), fact(2, 1, **call(4)), explain=True)
    assert explained.skipped == {1: Skipped("covered_by_children", residual=Usage(5))}
    assert rolled(fact(2, **call(4)), explain=True).skipped == {}


def test_cousins_can_be_left_alone() -> None:
    """The guess by time and numbers can be switched off."""
    spans = [fact(1, scope="a", **call(4)), fact(2, scope="b", **call(4))]
    assert totals(rolled(*spans).whole).call_count == 1
    assert totals(rolled(*spans, cousins=False).whole).call_count == 2


def test_the_call_of_another_session() -> None:
    """A call that two instrumentations saw in two sessions is charged to the one whose span is kept."""
    rollup = rolled(
        fact(1, **in_session("a"), **call(4, response_id="r1"), end=AT + 900 * MS),
        fact(2, **in_session("b"), **call(4, response_id="r1")),
    )
    assert [totals(one).call_count for one in rollup.groups] == [0, 1]


def test_parent_cycles_are_opened_at_the_earliest_span() -> None:
    """Spans of a cycle and below it are rolled up, with one of them on top."""
    spans = (
        fact(1, 3, start=AT + 2),
        fact(2, 1, start=AT + 1, **in_session("a")),
        fact(3, 2, start=AT + 3),
        fact(4, 3, start=AT + 9, **call(5)),
        fact(5, 5, start=AT + 9, kind="agent", call=Call(Usage(8))),
    )
    rollup = rolled(*spans)
    assert rollup.whole.operations == {"span 2", "span 5"}
    assert totals(rollup.groups[0]).input_tokens == 13


def test_a_child_that_starts_before_its_parent() -> None:
    """A child that starts before its parent, on the clock of another machine, changes nothing."""
    spans = (fact(1, start=AT + 50, **in_session("a")), fact(2, 1, start=AT), fact(3, 2, start=AT + 9))
    found = group(*spans)
    assert (list(found.operations), found.span_count, found.start) == (["span 1"], 3, AT)


def test_a_span_that_ends_before_it_starts() -> None:
    """A span that ends before it starts lasts no time."""
    found = group(fact(1, start=AT, end=AT - 5, **in_session("a")))
    assert (found.start, found.end) == (AT, AT)


def test_ten_thousand_sessions_in_one_trace() -> None:
    """Ten thousand sessions below one span of a worker each get their own trace group, in linear time."""
    spans = [fact(1)] + [fact(i, 1, **in_session(f"s{i}"), **call(i)) for i in range(2, 10_002)]
    rollup = roll_up(TRACE, spans)
    assert rollup is not None
    assert len(rollup.groups) == 10_000
    assert all(totals(one).input_tokens == int(one.value[1:]) for one in rollup.groups)


KINDS = ["llm", "llm", "embedding", "tool", "agent", "other", "pending"]


@st.composite
def span_states(draw: st.DrawFn, span_id: int) -> SpanFacts:
    """One span of a trace of up to 12, in any kind, session, scope and state."""
    kind = draw(st.sampled_from(KINDS))
    usage = draw(st.none() | st.builds(Usage, st.integers(0, 3), st.integers(0, 2), st.none() | st.just(1)))
    start = draw(st.integers(0, 3))
    metadata: Any = draw(st.sampled_from([(), (("m", 1),), (("m", True),), (("m", "x"),)]))
    made = Call(
        usage,
        draw(st.sampled_from([None, "m", "m-2025-01-01", "n"])),
        response_id=draw(st.sampled_from([None, None, "r1"])),
        cache_hit=draw(st.sampled_from([False, False, True])),
    )
    return fact(
        span_id,
        draw(st.none() | st.integers(1, 14)),
        kind=kind,
        scope=draw(st.sampled_from("ab")),
        start=AT + start * 30 * MS,
        end=AT + (start + draw(st.integers(0, 3))) * 30 * MS,
        failed=draw(st.booleans()),
        values=draw(st.sampled_from([(), (), (("id", "a"),), (("id", "b"),), (("id", "a"), ("t", "1"))])),
        cut=draw(st.sampled_from([(), (), (), ("id",)])),
        labels=Labels(draw(st.sampled_from([None, "x", "y"])), metadata=metadata),
        call=made if kind in ("llm", "embedding") or usage is not None else None,
    )


@st.composite
def traces(draw: st.DrawFn) -> list[SpanFacts]:
    """The spans of one trace, some of them in several states."""
    ids = [*range(1, draw(st.integers(1, 10)) + 1)]
    ids += draw(st.lists(st.sampled_from(ids), max_size=4))
    return [draw(span_states(span_id)) for span_id in ids]


@settings(max_examples=150, deadline=None)
@given(traces(), st.randoms())
def test_order_and_repetition_change_nothing(spans: list[SpanFacts], order: random.Random) -> None:
    """A trace rolls up to the same down to the last type when its spans are shuffled and repeated."""
    rollup = roll_up(TRACE, spans, explain=True)
    again = [*spans, *order.choices(spans, k=5)]
    order.shuffle(again)
    assert repr(roll_up(TRACE, again, explain=True)) == repr(rollup)
    assert roll_up(TRACE, iter(again), explain=True) == rollup
    if rollup is None:
        assert {span.kind for span in spans} == {"pending"}
        return
    final = {span.span_id for span in spans if span.kind != "pending"}
    assert rollup.whole.span_count == len(final)
    assert all(one.start <= one.end for one in rollup.groups)


def test_time_and_cache_of_each_session() -> None:
    """A group has the time of its own spans, and what its own calls did with the cache, at the price in force."""
    call = Call(Usage(9_000, 10, 8_000, 900), "claude-opus-4-8", provider="anthropic", time_to_first_token=20)
    reported = call._replace(reported=Cost(None, None, Decimal(1), "reported:x"))
    spans = [
        fact(1, start=0, end=500, **in_session("a")),
        fact(2, 1, kind="llm", start=100, end=200, call=call, agent="Explore"),
        fact(3, 1, start=300, end=480, **in_session("b")),
        fact(4, 3, kind="llm", start=310, end=350, call=reported),
    ]
    rollup = roll_up(TRACE, spans, pricer=GenAIPrices())
    assert rollup is not None
    penalties = Decimal("0.00000575"), Decimal("0.0000095")
    numbers = "anthropic", "claude-opus-4-8", 9_000, 8_000, 900, None
    assert [(group.value, group.time, group.cache) for group in rollup.groups] == [
        ("a", TimeSpent(20, 80, 0, 0, 400), (CacheUse(100, 200, "Explore", *numbers, *penalties),)),
        ("b", TimeSpent(20, 20, 0, 0, 140), (CacheUse(310, 350, None, *numbers, *penalties),)),
    ]
    assert rollup.whole.time == TimeSpent(40, 100, 0, 0, 360)


def test_a_pricer_that_fails_is_not_asked_again() -> None:
    """Where the cost of a call is unknown, the price of its tokens is not looked up."""
    span = fact(1, kind="llm", call=Call(Usage(9, 1, 8, 0), "claude-opus-4-8", provider="anthropic"))
    failures: list[Exception] = []
    rollup = roll_up(TRACE, [span], pricer=GuardedPricer(Failing(), failures.append))
    assert rollup is not None
    assert [(use.read_tokens, use.penalty) for use in rollup.whole.cache] == [(8, None)]
    assert len(failures) == 1


class Failing:
    """A pricer that raises."""

    def price(self, **asked_for: Any) -> Cost | None:
        """Never a cost."""
        raise ValueError(str(asked_for))
