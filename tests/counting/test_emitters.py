"""For each emitter: calls are the same, whether spans, log records or both tell of them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.counting.emitters import EMITTERS, SESSION, Telling, Tokens

from otel_sessions.counting.fold import fold
from otel_sessions.counting.ledger import roll_up_units
from otel_sessions.counting.session import SessionRollup

_NUMBERS = ("call_count", "input_tokens", "output_tokens", "total_tokens", "unpriced_call_count")


@st.composite
def sessions(draw: st.DrawFn) -> list[Tokens]:
    """Calls of a session, some of them at the same time; no two have the same tokens."""
    end, calls = 1_000, []
    for number in range(draw(st.integers(1, 8))):
        end += draw(st.sampled_from([0, 5, 1_500, 60_000, 299_000, 3_600_000]))
        parts = [draw(st.integers(0, 3)) for _ in range(3)]
        calls.append(
            Tokens(number, end, 100 * number + 10 + parts[0], parts[1], parts[2], 1 + draw(st.integers(0, 50)))
        )
    return calls


def rolled_up(told: list[Telling]) -> SessionRollup:
    """The session that these make up."""
    units: dict[int, list[Any]] = {}
    for unit, facts in told:
        units.setdefault(unit, []).append(facts)
    groups = [group for one in roll_up_units(units, None).values() if one is not None for group in one.groups]
    return fold("id", SESSION, [group for group in groups if (group.key, group.value) == ("id", SESSION)])


@pytest.mark.parametrize("emitter", EMITTERS)
@given(calls=sessions(), data=st.data())
@settings(max_examples=60, deadline=None)
def test_any_telling_gives_the_same_calls(emitter: str, calls: list[Tokens], data: st.DataObject) -> None:
    """Any subset of the tellings that has each call, doubled and in any order, gives the calls with their tokens."""
    of_span, of_record = EMITTERS[emitter]
    told: list[Telling] = []
    for call in calls:
        tellings = [of_span(call), *([one] for one in of_record(call) if one[1].call is not None)]
        extra = [one for one in of_record(call) if one[1].call is None]
        chosen = data.draw(st.lists(st.sampled_from(tellings), min_size=1, unique_by=id))
        told += [one for telling in chosen for one in telling] + extra
    told += data.draw(st.lists(st.sampled_from(told), max_size=4))
    session = rolled_up(data.draw(st.permutations(told)))
    assert session.call_count == len(calls)
    assert session.input_tokens == sum(call.input for call in calls)
    assert session.output_tokens == sum(call.output for call in calls)
    assert session.total_tokens == sum(call.input + call.output for call in calls)


@pytest.mark.parametrize("emitter", EMITTERS)
@given(calls=sessions())
@settings(max_examples=30, deadline=None)
def test_records_say_what_spans_say(emitter: str, calls: list[Tokens]) -> None:
    """Only spans, only records, and both give the same numbers of the session and its models."""
    of_span, of_record = EMITTERS[emitter]
    spans = rolled_up([one for call in calls for one in of_span(call)])
    records = rolled_up([one for call in calls for one in of_record(call)])
    both = rolled_up([one for call in calls for one in (*of_record(call), *of_span(call))])
    for name in _NUMBERS:
        assert getattr(spans, name) == getattr(records, name) == getattr(both, name), name
    assert (
        {one.model for one in spans.models}
        == {one.model for one in records.models}
        == {one.model for one in both.models}
    )
