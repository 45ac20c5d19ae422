"""Twenty questions are answered in three calls each, with the numbers of REST."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from tests.mcp.asks import AppAsk, told_of
from tests.mcp.questions import QUESTIONS, Question
from tests.server.conversing import Talks

from otel_sessions.counting.measures import MEASURES

SESSIONS = ("cheap", "dear", "broken", "tools", "quiet", "a/b ?#%&=+:@")


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.asked)
def test_a_question_is_answered_in_three_calls(question: Question, ask: AppAsk) -> None:
    """A reader that knows the tools finds the value that it looks for."""
    assert len(question.steps) <= 3
    answers: list[Any] = []
    for tool, arguments in question.steps:
        answers.append(told_of(ask, tool, arguments(answers)))
    assert question.found(answers[-1]) == question.expected


def test_there_are_twenty_questions() -> None:
    """The list has twenty different questions or more."""
    assert len(QUESTIONS) >= 20
    assert len({question.asked for question in QUESTIONS}) == len(QUESTIONS)


@pytest.mark.parametrize("measure", MEASURES)
def test_every_measure_is_that_of_rest(measure: str, talks: Talks, ask: AppAsk) -> None:
    """A list and a session have the number that REST has, and the order."""
    field = MEASURES[measure].field
    rest = talks.get(f"/sessions?sort={measure}")["data"]
    listed = told_of(ask, "list_sessions", sort=measure)["sessions"]
    assert [one["id"] for one in listed] == [f"session:{one['id']}" for one in rest]
    assert [one[field] for one in listed] == [one[field] for one in rest]
    for one in rest:
        assert told_of(ask, "get_session", id=f"session:{one['id']}")["session"][field] == one[field]


@pytest.mark.parametrize("session", SESSIONS)
def test_a_session_is_that_of_rest(session: str, talks: Talks, ask: AppAsk) -> None:
    """Every number of a session, of its turns and of its calls is the one of REST, with a budget that cuts nothing."""
    rest = talks.get(f"/sessions/{quote(session, safe='')}")["data"]
    told = told_of(ask, "get_session", id=session, budget=60_000)
    del rest["traces"], rest["id"]
    assert {name: told["session"][name] for name in rest} == rest
    calls = talks.get(f"/sessions/{quote(session, safe='')}/calls")["data"]
    shown = told_of(ask, "get_session", id=session, part="calls", budget=60_000)["calls"]
    for call, one in zip(calls, shown, strict=True):
        assert {name: call[name] for name in one.keys() - {"id"}} == {name: one[name] for name in one.keys() - {"id"}}
