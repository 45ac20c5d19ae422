"""The agent that made each call: the main one, or a sub-agent."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from tests.counting.building import TRACE, PerToken, fact

from otel_sessions.counting.facts import Call, Labels, SpanFacts
from otel_sessions.counting.fold import LANES_KEPT, OTHER_LANES, fold
from otel_sessions.counting.tokens import Usage
from otel_sessions.counting.trace import TraceGroup, roll_up

IN_S = (("id", "s"),)


def agent(span_id: int, name: str | None, parent: int | None = None) -> SpanFacts:
    """A span of an agent."""
    return fact(span_id, parent, kind="agent", agent=name, values=IN_S)


def call(span_id: int, parent: int | None = None, tokens: int = 1, **more: Any) -> SpanFacts:
    """A call of so many tokens."""
    return fact(span_id, parent, kind="llm", call=Call(Usage(tokens, 0), "m"), values=IN_S, **more)


def group_of(*spans: SpanFacts) -> TraceGroup:
    """The trace group of these spans."""
    rollup = roll_up(TRACE, spans, pricer=PerToken())
    assert rollup is not None
    return rollup.groups[0]


def lanes(*spans: SpanFacts) -> dict[str | None, int | None]:
    """Input tokens by lane."""
    return {lane: totals.input_tokens for lane, totals in group_of(*spans).lanes.items()}


def test_an_app_with_one_agent_has_no_lanes() -> None:
    """The agent whose span has no other agent's above it is the main one, and so is one that has the service's name."""
    assert lanes(agent(1, "weather"), call(2, 1)) == {}
    assert lanes(agent(1, "weather"), call(2, 1, agent="weather")) == {}
    assert lanes(call(2, agent="gemini-cli", labels=Labels(service="gemini-cli"))) == {}
    assert lanes(agent(1, None), call(2, 1)) == {}


def test_a_sub_agent_is_named_by_its_span_or_by_its_calls() -> None:
    """The nearest agent above a call that is not the main one, else what the call itself says."""
    spans = [agent(1, "main"), call(2, 1, 10), agent(3, "search", 1), agent(4, None, 3), call(5, 4, 200)]
    assert lanes(*spans) == {None: 10, "search": 200}
    assert lanes(call(1, None, 5), call(2, None, 7, agent="Explore")) == {None: 5, "Explore": 7}
    # A tool of the sub-agent that calls a model.
    assert lanes(*spans, fact(6, 5, kind="tool", values=IN_S), call(7, 6, 3000)) == {None: 10, "search": 3200}


def test_a_copy_of_a_call_names_its_agent() -> None:
    """Of two tellings of one call, the one that names an agent tells for both."""
    id_ = "msg_" + "x" * 30
    one = call(1, None, 5)._replace(call=Call(Usage(5, 0), "m", response_id=id_), scope="a")
    other = one._replace(span_id=2, scope="b", agent="Explore")
    assert lanes(one, other) == {None: None, "Explore": 5}


def test_lanes_add_up_to_the_session() -> None:
    """In a session, the main agent's calls are those of all traces that no sub-agent made, in whatever order these come."""
    groups = [
        group_of(call(1, None, 5)),
        group_of(call(1, None, 7), call(2, None, 11, agent="Explore"))._replace(trace_id=2),
        group_of(call(1, None, 13))._replace(trace_id=3),
    ]
    for order in (groups, groups[::-1], [groups[1], groups[0], groups[2]]):
        session = fold("id", "s", order)
        assert [(one.lane, one.call_count, one.input_tokens) for one in session.lanes] == [
            (None, 3, 25),
            ("Explore", 1, 11),
        ]
        assert sum((one.total_cost or Decimal(0)) for one in session.lanes) == session.total_cost
    assert fold("id", "s", groups[:1]).lanes == ()


@pytest.mark.parametrize("backwards", [False, True])
def test_lanes_are_bounded(backwards: bool) -> None:
    """Those beyond the first in alphabetical order are added up under a name of their own."""
    names = sorted((f"agent {number:04}" for number in range(LANES_KEPT + 5)), reverse=backwards)
    groups = [group_of(call(1, None, 2, agent=name))._replace(trace_id=place) for place, name in enumerate(names)]
    session = fold("id", "s", groups)
    assert len(session.lanes) == LANES_KEPT + 2
    (others,) = [one for one in session.lanes if one.lane == OTHER_LANES]
    assert (others.call_count, others.input_tokens) == (5, 10)
    assert sum(one.call_count for one in session.lanes) == session.call_count
    assert session.dropped == {"lanes": 5}


def test_lanes_as_json() -> None:
    """A lane is shown with money as text."""
    (main, explore) = fold("id", "s", [group_of(call(1), call(2, agent="Explore"))]).to_dict()["lanes"]
    assert (main["lane"], explore["lane"], explore["total_cost"]) == (None, "Explore", "1")
