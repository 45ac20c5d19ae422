"""The answers of the API have everything that is known."""

from __future__ import annotations

from dataclasses import fields
from decimal import Decimal

from tests.server.building import call, groups_of, span

from otel_sessions.counting.facts import Labels
from otel_sessions.counting.fold import fold
from otel_sessions.counting.session import ModelRollup, SessionRollup
from otel_sessions.server.api.models import Cohort, ModelUse, Session, SessionKey, Trace
from otel_sessions.server.queries.cohorts import Cohort as StoredCohort
from otel_sessions.server.queries.sessions import KeySummary


def test_a_session_leaves_nothing_out() -> None:
    """A session has the fields of the library's rollup, in its order."""
    assert list(Session.model_fields) == [one.name for one in fields(SessionRollup)]
    assert set(ModelUse.model_fields) == {one.name for one in fields(ModelRollup)}


def test_a_session_is_shown_as_the_library_shows_it() -> None:
    """Values keep their types: a bool is not a number, a number is not text, and money is text."""
    metadata = (("b", True), ("f", 1.0), ("i", 1), ("s", "1"))
    groups = groups_of({1: [span(session="s", labels=Labels("n", "u", ("t",), metadata, "a", "p"), **call("0.10", 5))]})
    rollup = fold("id", "s", groups)
    shown = Session.of(rollup).model_dump()
    assert shown == rollup.to_dict()
    assert [type(value) for value in shown["metadata"].values()] == [bool, float, int, str]
    assert shown["total_cost"] == "0.1"


def test_the_numbers_of_a_trace_are_those_of_its_models() -> None:
    """A trace has the numbers of each model and their sums, and what is unknown stays unknown."""
    spans = [
        span(1, session="s"),
        span(2, 1, session="s", **call("0.1", 5, "b")),
        span(3, 1, session="s", **call(None, 7, "a")),
    ]
    trace = Trace.of(groups_of({1: spans})[0]).model_dump()
    assert [(one["model"], one["total_tokens"], one["total_cost"]) for one in trace["models"]] == [
        ("a", 7, None),
        ("b", 5, "0.1"),
    ]
    assert (trace["total_tokens"], trace["total_cost"], trace["unpriced_call_count"]) == (12, "0.1", 1)
    assert (trace["name"], trace["conflict"], trace["status"]) == (None, False, "ok")


def test_keys_and_cohorts() -> None:
    """Times of keys are RFC 3339, and money of cohorts is text."""
    assert SessionKey.of(KeySummary("k", 2, 0, 10**9 + 1)).model_dump() == {
        "key": "k",
        "session_count": 2,
        "first_seen": "1970-01-01T00:00:00.000Z",
        "last_seen": "1970-01-01T00:00:01.000000001Z",
    }
    stored = StoredCohort(
        True, 4, 1, 0.25, {"cost": (Decimal("0.10"), None), "tokens": (5, None), "duration": (1.5, 2.5)}
    )
    cohort = Cohort.of(stored).model_dump()
    assert (cohort["value"], cohort["cost_p50"], cohort["cost_p95"], cohort["failed_session_count"]) == (
        True,
        "0.1",
        None,
        1,
    )
