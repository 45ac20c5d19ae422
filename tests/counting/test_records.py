"""Which calls log records tell of."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from tests.counting.building import AT, TRACE, fact, in_session

from otel_sessions.counting.facts import Call, SpanFacts
from otel_sessions.counting.prices.pricer import Cost
from otel_sessions.counting.records import NEAR_NS
from otel_sessions.counting.resolved import Resolved, resolve
from otel_sessions.counting.tokens import Usage
from otel_sessions.counting.trace import roll_up
from otel_sessions.counting.units import REACH_NS

ID = "resp_" + "a" * 30


def span(span_id: int, call: Call | None = None, **more: Any) -> SpanFacts:
    """A call that a span tells of."""
    return fact(span_id, **{"kind": "llm", "call": call or Call(Usage(10, 1), "m"), **in_session("s"), **more})


def record(span_id: int, call: Call | None = None, **more: Any) -> SpanFacts:
    """A call that a log record tells of."""
    return span(span_id, call, **{"event": "e", "name": "e", **more})


def resolved(*spans: SpanFacts, beside: tuple[SpanFacts, ...] = ()) -> Resolved:
    """The calls of one trace."""
    found = resolve(spans, beside=beside)
    assert found is not None
    return found


def count(*spans: SpanFacts, beside: tuple[SpanFacts, ...] = ()) -> int:
    """How many calls are counted in the trace."""
    return len(resolved(*spans, beside=beside).priced)


@pytest.mark.parametrize(
    ("more", "adopted"),
    [
        ({}, True),
        ({"end": AT + NEAR_NS}, True),
        ({"start": AT + 2 * NEAR_NS, "end": AT + 2 * NEAR_NS}, False),
        ({"call": Call(Usage(10, 2), "m")}, False),
        ({"call": Call(Usage(11, 1), "m")}, False),
        ({"call": Call(Usage(10, 1), "other-model")}, False),
        ({"call": Call(Usage(10, 1))}, True),
        ({"values": (("id", "t"),)}, False),
        ({"failed": True}, False),
        ({"call": Call()}, False),
        ({"call": Call(None, "m", reported=Cost(None, None, Decimal(1), "reported:x"))}, False),
        ({"kind": "tool"}, False),
        ({"call": None}, False),
    ],
)
def test_a_record_that_looks_like_a_call(more: dict[str, Any], adopted: bool) -> None:
    """Without an id, everything has to fit: tokens, time, model, session, and whether it failed."""
    found = resolved(span(1), beside=(record(2)._replace(**more),))
    assert (list(found.adopted), list(found.priced)) == ([2] if adopted else [], [1])


def test_of_two_without_tokens_both_have_a_cost_or_none() -> None:
    """A record with a cost is another call than a span that reports nothing at all."""
    silent, costly = span(1, Call(None, "m")), Call(None, "m", reported=Cost(None, None, Decimal(1), "reported:x"))
    assert list(resolved(silent, beside=(record(2, costly),)).adopted) == []
    assert list(resolved(silent, beside=(record(2, Call(None, "m")),)).adopted) == [2]


@pytest.mark.parametrize(
    ("given", "end", "adopted"),
    [
        (Call(Usage(10, 1), "m", response_id=ID), REACH_NS, True),
        (Call(Usage(10, 1), "m", response_id=ID), REACH_NS * 2, False),
        (Call(None, "m", response_id=ID), 0, True),
        (Call(Usage(99, 9), "m", response_id=ID), 0, False),
        (Call(Usage(10, 1), "m", response_id=ID + "b"), 0, False),
        (Call(Usage(10, 1), "m", call_id="req_1"), REACH_NS, True),
        (Call(Usage(10, 1), "m", call_id="req_2"), 0, False),
    ],
)
def test_a_record_with_an_id(given: Call, end: int, adopted: bool) -> None:
    """An id shows it within minutes, unless the tokens contradict; an id that differs shows the contrary."""
    one = span(1, Call(Usage(10, 1), "m", response_id=ID, call_id="req_1"))
    assert list(resolved(one, beside=(record(2, given, start=AT + end, end=AT + 100_000_000 + end),)).adopted) == (
        [2] if adopted else []
    )


def test_a_record_completes_its_call() -> None:
    """What only the record says is filled in; nothing is added."""
    found = resolved(
        span(1, Call(Usage(10, 1))),
        beside=(record(2, Call(Usage(10, 1, 4), "m", time_to_first_token=7), agent="Explore"),),
    )
    (one,) = found.priced.values()
    assert (one.call.usage, one.call.model, one.call.time_to_first_token) == (Usage(10, 1, 4), "m", 7)
    assert one.lane == "Explore"


def test_records_inside_a_span() -> None:
    """A record that was written in the span of a call, or in a copy of it that is not counted, tells of that call."""
    assert count(span(1), record(2, Call(Usage(77, 7)), parent_id=1)) == 1
    outer, inner = span(1), span(3, parent_id=1)
    assert count(outer, inner, record(2, Call(Usage(77, 7)), parent_id=1)) == 1
    assert count(fact(1, **in_session("s")), record(2, parent_id=1)) == 1
    ids = Call(Usage(10, 1), "m", response_id=ID), Call(Usage(77, 7), "m", response_id=ID + "b")
    assert count(span(1, ids[0]), record(2, ids[1], parent_id=1)) == 2


def test_a_record_is_in_the_session_of_its_trace() -> None:
    """An id that an instrumentation writes on a record gives way to the session of the span that it was written in."""
    root = fact(1, **in_session("app"))
    call = span(2, parent_id=1, values=(("id", "app"),))
    event = record(3, parent_id=2, values=(("id", "conv-1"),), rank=5)
    found = resolved(root, call, event)
    assert list(found.priced) == [2]
    assert found.calls_by_session().keys() == {("id", "app")}


def test_of_one_event_each_record_is_a_call() -> None:
    """Two alike records of one event are two calls, unless they have the same id."""
    assert count(span(1), record(2), record(3)) == 2
    same = Call(Usage(10, 1), "m", response_id=ID)
    assert count(span(1, same), record(2, same), record(3, same)) == 1


def test_the_event_that_says_most_is_counted() -> None:
    """Of two events of one call, the one with more parts is completed by the other."""
    most, least = record(2, Call(Usage(10, 1, 4), "m")), record(3, Call(Usage(10, 1), "m"), event="a")
    found = resolved(most, least)
    assert list(found.priced) == [2]
    assert found.skipped[3].by == 2


def test_sums_give_way_to_records() -> None:
    """A span that is no call is covered by records below it, or, if it is an agent's, by those of its time."""
    summed = span(1, Call(Usage(30, 3)), kind="other")
    assert list(resolved(summed, record(2, parent_id=1)).priced) == [2]
    assert list(resolved(summed, beside=(record(2),)).priced) == [1]
    of_agent = summed._replace(kind="agent")
    assert list(resolved(of_agent, beside=(record(2),)).priced) == []
    assert list(resolved(of_agent, beside=(record(2, values=(("id", "t"),)),)).priced) == [1]
    late = record(2, start=AT + NEAR_NS * 9, end=AT + NEAR_NS * 9)
    assert list(resolved(of_agent, beside=(late,)).priced) == [1]


def test_records_are_no_spans() -> None:
    """A trace of records has calls, and no span, no operation and no failure."""
    rollup = roll_up(TRACE, [record(1, failed=True), record(2, end=AT + 9)])
    assert rollup is not None
    (group,) = rollup.groups
    assert (group.span_count, group.operations, group.failed) == (0, frozenset(), False)
    assert group.totals.call_count == 2
