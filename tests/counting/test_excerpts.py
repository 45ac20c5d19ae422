"""Which record has the first words of a user and the last ones of a model."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.counting.building import AT, MS, TRACE, fact, in_session

from otel_sessions.content.content import Said
from otel_sessions.counting.excerpts import Excerpt, first_of, last_of
from otel_sessions.counting.facts import Call, SpanFacts
from otel_sessions.counting.fold import fold
from otel_sessions.counting.ledger import roll_up_units
from otel_sessions.counting.tokens import Usage
from otel_sessions.counting.trace import roll_up
from otel_sessions.counting.units import unit_of


def span(span_id: int, parent: int | None = None, *, said: tuple[str | None, str | None], **more: Any) -> SpanFacts:
    """A span of the session `s` with words; its number is its start in ms, unless `at` is."""
    at = AT + more.pop("at", span_id) * MS
    return fact(span_id, parent, **in_session("s"), start=at, end=at + MS, said=Said(*said), **more)


def call(span_id: int, parent: int | None = None, *, said: tuple[str | None, str | None], **more: Any) -> SpanFacts:
    """A call of a model with words and tokens of its own."""
    usage = Usage(100 + span_id, 1)
    return span(span_id, parent, said=said, kind="llm", call=Call(usage, "m", is_request=True), **more)


def shown(*spans: SpanFacts) -> tuple[str | None, str | None]:
    """First input and last output of the session that these spans of a trace make up, which no order of them changes."""
    found = {_shown(order) for order in (spans, spans[::-1], (*spans, *spans))}
    (one,) = found
    return one


def _shown(spans: tuple[SpanFacts, ...]) -> tuple[str | None, str | None]:
    rolled_up = roll_up(TRACE, spans)
    assert rolled_up is not None
    session = fold("id", "s", rolled_up.groups)
    return session.first_input, session.last_output


def test_the_first_call_has_the_input_and_the_last_one_the_output() -> None:
    """The order is that of the starts and of the ends."""
    assert shown(call(1, said=("Hi", "Hello")), call(2, said=("Hi", "Bye"))) == ("Hi", "Bye")


def test_calls_come_before_what_is_around_them() -> None:
    """What an agent's span repeats is shown where no call has words, each of both for itself."""
    agent = span(1, said=("Question", "Report"), kind="agent")
    assert shown(agent, call(2, 1, said=("Prompt", None))) == ("Prompt", "Report")
    assert shown(agent, call(2, 1, said=(None, "Answer"))) == ("Question", "Answer")


def test_a_sub_agent_is_shown_only_where_nothing_else_is() -> None:
    """A task that a main agent gives is no input of a user."""
    main = span(1, said=(None, None), kind="agent", agent="main")
    sub = fact(2, 1, **in_session("s"), kind="agent", agent="researcher")
    inside = call(3, 2, said=("Look it up", "Found"))
    assert shown(main, sub, inside, call(9, 1, said=("Why?", "Because"))) == ("Why?", "Because")
    assert shown(main, sub, inside) == ("Look it up", "Found")
    assert shown(main, sub, span(3, 2, said=("Aside", None)), span(4, 1, said=("Plain", None))) == ("Plain", None)


def test_the_agent_that_is_named_as_its_service_is_the_main_one() -> None:
    """What a span with the name of its service as agent says is no aside, nor what the agent around all says."""
    top = span(1, said=("Q", None), kind="agent", agent="app")
    assert shown(top, span(2, 1, said=("later", None), agent="app")) == ("Q", None)


def test_a_record_of_a_sub_agent_is_one_of_a_sub_agent() -> None:
    """Records name an agent only where it is not the main one."""
    record = span(1, said=("task", "done"), event="e", agent="researcher")
    assert shown(record, span(5, said=("Prompt", "Answer"), event="e")) == ("Prompt", "Answer")


def test_a_copy_speaks_for_a_call_without_words() -> None:
    """The same call told twice is at one place in the order, whichever telling has the words."""
    usage = Call(Usage(10, 1), "m", response_id="r-000000000001", is_request=True)
    silent = fact(1, **in_session("s"), kind="llm", call=usage, scope="a")
    copy = span(2, said=("First", "One"), kind="llm", call=usage, scope="b")
    assert shown(silent, copy, call(200, said=("Second", "Two"))) == ("First", "Two")


def test_a_copy_does_not_speak_for_a_call_with_words() -> None:
    """What the counted telling says is shown."""
    usage = Call(Usage(10, 1), "m", response_id="r-000000000001", is_request=True)
    one = span(1, said=("Own", "Own answer"), kind="llm", call=usage, scope="a")
    other = span(2, said=("Copy", "Copied answer"), kind="llm", call=usage, scope="b")
    found = shown(one, other)
    assert found in {("Own", "Own answer"), ("Copy", "Copied answer")}


@pytest.mark.parametrize("kind", ["tool", "embedding"])
def test_what_no_user_says_comes_last(kind: str) -> None:
    """Inputs of tools and embeddings are shown only without any other words."""
    other = call(1, said=("text", None)) if kind == "embedding" else span(1, said=("text", None))
    aside = other._replace(kind=kind)
    assert shown(aside, span(5, said=("Question", None))) == ("Question", None)
    assert shown(aside) == ("text", None)


def test_a_call_that_is_covered_comes_after_counted_ones() -> None:
    """Words of a call around two others count only if neither has any."""
    outer = call(1, said=("Outer", "Sum"))
    inner = [call(2, 1, said=("Inner", None)), fact(3, 1, **in_session("s"), kind="llm", call=Call(Usage(5, 1), "m"))]
    assert shown(outer, *inner) == ("Inner", "Sum")


def test_a_circle_of_parents_ends() -> None:
    """Forged ids make no endless loop."""
    assert shown(span(1, 2, said=("a", None), at=0), span(2, 1, said=("b", None), at=0))[0] in {"a", "b"}


def test_records_beside_a_trace_have_words_too() -> None:
    """A prompt that is told beside a trace, in no trace itself, is shown though the trace tells of its time."""
    trace = [fact(7, **in_session("s"), kind="llm", call=Call(Usage(9, 1), "m"))]
    prompt = span(1, said=("Prompt", None), event="claude_code.user_prompt")
    units = {TRACE: trace, unit_of(prompt): [prompt]}
    for order in (units, dict(reversed(units.items()))):
        groups = [group for one in roll_up_units(order, None).values() if one is not None for group in one.groups]
        assert fold("id", "s", groups).first_input == "Prompt"


excerpts = st.none() | st.tuples(st.integers(0, 3), st.sampled_from("ab"), st.booleans())


@given(excerpts, excerpts, excerpts)
def test_excerpts_are_added_up_in_any_order(one: Excerpt | None, two: Excerpt | None, three: Excerpt | None) -> None:
    """Neither order nor grouping nor repetition changes which words are shown."""
    for of in (first_of, last_of):
        assert of(one, two) == of(two, one)
        assert of(one, one) == one
        assert of(of(one, two), three) == of(one, of(two, three))


def test_the_title_is_the_best_there_is() -> None:
    """A name, else what the program says, else the first words of a user, else the operation of the first span."""
    rolled_up = roll_up(1, [fact(1, **in_session("s"), start=5, end=9)])
    assert rolled_up is not None
    plain = rolled_up.groups[0]._replace(operations=frozenset({"z"}))
    later = plain._replace(trace_id=2, start=8, operations=frozenset({"a", "b"}), first_operation=(8, "b"))
    empty = plain._replace(trace_id=3, operations=frozenset())
    assert fold("id", "s", [empty]).title is None
    assert fold("id", "s", [later]).title == "b"
    assert fold("id", "s", [later, plain]).title == "z"
    said = plain._replace(first_input=(5, "Where is it?", False))
    assert fold("id", "s", [said, later]).title == "Where is it?"
    told = [later._replace(title=(8, "Newer")), said._replace(title=(5, "Older"))]
    assert fold("id", "s", told).title == "Newer"
    named = fold("id", "s", [*told, empty._replace(name=(1, "Order"))])
    assert (named.title, named.name) == ("Order", "Order")
    assert fold("id", "s", told).name is None
