"""Scores read from events, what they are on, and the sessions that they are counted in."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_sessions import dropped_values
from otel_sessions.counting.facts import SpanFacts
from otel_sessions.counting.membership import sessions_of
from otel_sessions.counting.score import OF_SESSION, OF_SPAN, OF_TRACE, Places, Score, is_score, places_of, read_score

NAME, VALUE = "gen_ai.evaluation.name", "gen_ai.evaluation.score.value"
LABEL, COMMENT = "gen_ai.evaluation.score.label", "gen_ai.evaluation.explanation"


def read(attributes: dict[str, Any], **more: Any) -> Score | None:
    """The score of an event with these attributes."""
    return read_score(attributes, **{"time": 1, "trace_id": 0, "span_id": 0, **more})


def a_score(trace: int = 0, span: int = 0, by: str | None = None, **given: str) -> Score:
    """A score on a trace or a span that names these sessions; `by` is the session of its resource."""
    attributes = {f"session.key.{key}" if key != "id" else "session.id": value for key, value in given.items()}
    found = read({NAME: "n", VALUE: 1.0, **attributes}, trace_id=trace, span_id=span, session_id=by)
    assert found is not None
    return found


def a_span(span_id: int, parent_id: int | None = None, **values: str) -> SpanFacts:
    """A span with these values of session keys."""
    return SpanFacts(span_id, parent_id, 1, 2, False, "other", "", "", tuple(sorted(values.items())))


def places(score: Score, *spans: SpanFacts) -> Places:
    """Where a score is counted, in a trace of these spans."""
    known = {span.span_id: span for span in spans}
    return places_of(score, known, sessions_of(known) if known else {})


def test_an_event_is_told_by_its_name() -> None:
    """The name is that of the event, else the attribute that older SDKs write."""
    assert is_score("gen_ai.evaluation.result", {})
    assert is_score("", {"event.name": "gen_ai.evaluation.result"})
    assert not is_score("other", {"event.name": "gen_ai.evaluation.result"})
    assert not is_score("", {})


def test_an_event_is_read() -> None:
    """All that the conventions name is kept; a span id without a trace is none."""
    told = {NAME: "helpful", VALUE: 1, LABEL: "pass", COMMENT: "at once", "session.id": "s"}
    found = read(told, time=7, span_id=3)
    assert found is not None
    assert found[1:] == ("helpful", 1.0, "pass", "at once", "otel", 7, 0, 0, None, (("id", "s"),), False)
    assert read({**told, COMMENT: 7, LABEL: ""}, time=7) == read(
        {NAME: "helpful", VALUE: "1", "session.id": "s"}, time=7
    )


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 10**400, "many", "nan", [1], None])
def test_a_value_that_is_no_finite_number_is_none(value: Any) -> None:
    """Without a label there is no score, which is counted; with one the score is the label."""
    before = dropped_values().get(("score", "value"), 0)
    assert read({NAME: "n", VALUE: value}) is None
    assert dropped_values()["score", "value"] == before + 1
    labelled = read({NAME: "n", VALUE: value, LABEL: "pass"})
    assert labelled is not None
    assert (labelled.value, labelled.label) == (None, "pass")


@pytest.mark.parametrize("name", [None, "", "  ", 7, "n" * 201, "a\nb"])
def test_a_score_needs_a_name(name: Any) -> None:
    """A name that the rules refuse makes no score."""
    assert read({NAME: name, VALUE: 1.0}) is None


def test_the_id_is_that_of_what_is_said() -> None:
    """Equal scores have one id, and every difference makes another."""
    told: dict[str, Any] = {NAME: "n", VALUE: 1.0, LABEL: "l", COMMENT: "c", "session.id": "s"}
    assert read(told) == read(dict(reversed(told.items())))
    others = [read({**told, name: "2"}) for name in told]
    others += [read(told, time=2), read(told, trace_id=1), read(told, trace_id=1, span_id=1), read(told)]
    assert len({one.id for one in others if one is not None}) == len(others)


@pytest.mark.parametrize(
    ("score", "spans", "expected"),
    [
        (a_score(), (), {}),
        (a_score(id="s"), (), {("id", "s"): OF_SESSION}),
        (a_score(by="s"), (), {("id", "s"): OF_SESSION}),
        (a_score(1), (), {}),
        (a_score(1, id="s"), (), {("id", "s"): OF_TRACE}),
        (a_score(1, 9, id="s"), (), {("id", "s"): OF_SPAN}),
        (a_score(1), (a_span(1, id="s", ticket="t"),), {("id", "s"): OF_TRACE, ("ticket", "t"): OF_TRACE}),
        (a_score(1), (a_span(1, id="s"), a_span(2, id="o")), {("id", "s"): OF_TRACE, ("id", "o"): OF_TRACE}),
        (a_score(1, id="s"), (a_span(1, id="s"), a_span(2, id="o")), {("id", "s"): OF_TRACE}),
        (a_score(1, 2), (a_span(1, id="s"), a_span(2, 1), a_span(3, id="o")), {("id", "s"): OF_SPAN}),
        (a_score(1, 9), (a_span(1, id="s"),), {("id", "s"): OF_SPAN}),
        (a_score(1, 9), (a_span(1, id="s"), a_span(2, id="o")), {}),
        (a_score(1, 1, id="s"), (a_span(1, id="o"),), {("id", "s"): OF_SESSION}),
        (a_score(1, 1, id="s"), (a_span(1, id="o", ticket="t"),), {("id", "s"): OF_SESSION, ("ticket", "t"): OF_SPAN}),
        (a_score(1, id="s"), (a_span(1),), {("id", "s"): OF_SESSION}),
        (a_score(1, 1, by="s"), (a_span(1, id="o"),), {("id", "o"): OF_SPAN}),
        (a_score(1, 1, by="s"), (a_span(1, ticket="t"),), {("id", "s"): OF_SESSION, ("ticket", "t"): OF_SPAN}),
    ],
)
def test_a_score_is_counted_where_its_span_is(score: Score, spans: Any, expected: dict[Any, int]) -> None:
    """The sessions are those of the span or trace; a session that the score names and these are not in is scored itself."""
    assert dict(places(score, *spans)) == expected


@given(st.permutations([a_span(1, id="s"), a_span(2, 1), a_span(3, 2, id="o"), a_span(4, 3)]))
def test_the_order_of_spans_changes_nothing(spans: list[SpanFacts]) -> None:
    """Whatever order the spans of a trace came in, its scores are counted in the same sessions."""
    found = [places(score, *spans) for score in (a_score(1), a_score(1, 2), a_score(1, 4), a_score(1, 9))]
    assert found == [
        ((("id", "o"), OF_TRACE), (("id", "s"), OF_TRACE)),
        ((("id", "s"), OF_SPAN),),
        ((("id", "o"), OF_SPAN),),
        (),
    ]
