"""What cannot be answered is told in the answer, with the next step."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from tests.mcp.asks import NOW, PAGES, AppAsk, Double, error_of, told_of

from otel_sessions.mcp.answers import SMALLEST_BUDGET, Answer
from otel_sessions.mcp.asking import AskError, session_link
from otel_sessions.mcp.catalog import answer
from otel_sessions.mcp.moments import moment_of
from otel_sessions.mcp.nearby import MOST
from otel_sessions.mcp.refs import SessionRef
from otel_sessions.mcp.switches import switches
from otel_sessions.timestamps import DAY_NS, SECOND_NS, format_time


@pytest.mark.parametrize(
    ("tool", "arguments", "said"),
    [
        ("list_sessions", {"sort": "beauty"}, "sort='beauty'"),
        ("list_sessions", {"since": "yesterday-ish"}, "since: "),
        ("list_sessions", {"colour": "red"}, "unknown argument: colour"),
        ("list_sessions", {"limit": 0}, "limit: integer from 1 to 200"),
        ("list_sessions", {"budget": 60_001}, "budget: "),
        ("list_sessions", {"order": "up"}, "order: one of desc, asc"),
        ("list_sessions", {"failed": "maybe"}, "failed: boolean"),
        ("get_session", {}, "id is missing"),
        ("get_session", {"id": "message:0:cheap"}, "takes a session"),
        ("get_session", {"id": f"turn:{'0' * 32}:cheap"}, "none of them is"),
        ("get_session", {"id": f"span:{'0' * 32}/{'0' * 16}"}, "there is no span"),
        ("get_session", {"id": "turn:0:cheap", "part": "turns"}, "a turn has no turns"),
        ("get_messages", {"id": "message:99:cheap"}, "none with the index 99"),
        ("get_messages", {"id": f"span:{'0' * 32}/{'0' * 16}"}, "takes a session"),
        ("get_payload", {"id": "cheap", "field": "nothing"}, "has no field"),
        ("get_payload", {"id": "cheap", "field": "title", "offset": 10**6}, "offset: the value has"),
        ("get_payload", {"id": "log:2026-11-20T12:00:00.000Z/0123456789abcdef:cheap"}, "no such log record"),
        ("search", {"query": " "}, "query is empty"),
        ("search", {"query": "x", "id": f"span:{'0' * 32}/{'0' * 16}"}, "looks in a session"),
        ("drop_table", {}, "there is no tool"),
    ],
)
def test_an_error_names_the_argument(tool: str, arguments: dict[str, Any], said: str, ask: AppAsk) -> None:
    """An error says which argument is wrong, and what is expected instead."""
    assert said in error_of(ask, tool, arguments)["error"]


def test_near_sessions_are_named(ask: AppAsk) -> None:
    """Of an id that does not exist: those that have it, or a beginning of it, in them, and those of other keys."""
    assert _near(ask, "chea") == ["session:cheap"]
    assert _near(ask, "cheapest-of-all") == ["session:cheap"]
    assert _near(ask, "T-1") == ["session@ticket:T-1"]
    assert _near(ask, "zzzz") == []


def _near(ask: AppAsk, session: str) -> list[str]:
    calls = error_of(ask, "get_session", id=session)["next"]
    return [call["arguments"]["id"] for call in calls if call["tool"] == "get_session"]


def test_arguments_as_models_write_them(ask: AppAsk) -> None:
    """Numbers and truths as texts, and numbers with a point, are read; `null` is as good as not given."""
    told = told_of(ask, "list_sessions", limit="2", failed="false", offset=1.0, model=None)
    assert (told["shown"], told["offset"]) == (2, 1)


def test_pages_lead_to_every_session(ask: AppAsk) -> None:
    """Following `next` lists each session once."""
    found: list[str] = []
    arguments: dict[str, Any] = {"limit": 2, "sort": "created"}
    while True:
        told = told_of(ask, "list_sessions", arguments)
        found += [session["id"] for session in told["sessions"]]
        if told["next"] is None:
            break
        arguments = told["next"]["arguments"]
    assert len(found) == len(set(found)) == told["total"]


def test_a_session_of_another_key(ask: AppAsk) -> None:
    """It is named by its key in the id or beside it, and its link has the key."""
    for arguments in ({"id": "session@ticket:T-1"}, {"id": "T-1", "key": "ticket"}):
        told = told_of(ask, "get_session", arguments)
        assert told["session"]["id"] == "session@ticket:T-1"
        assert told["link"].endswith("/sessions/T-1?key=ticket")


def test_logs_are_read_whole(ask: AppAsk) -> None:
    """The id of a log record leads to its fields."""
    (log,) = told_of(ask, "get_session", id="broken", part="logs")["logs"]
    told = told_of(ask, "get_payload", id=log["id"], field="body")
    assert told["value"] == log["body"]


def test_times_as_people_name_them() -> None:
    """`today`, an age, and a time or date are read; anything else is an error that says how to write one."""
    midnight = NOW - NOW % DAY_NS
    assert moment_of("since", " Today ", now=NOW) == format_time(midnight)
    assert moment_of("since", "2h", now=NOW) == format_time(NOW - 7_200 * SECOND_NS)
    assert moment_of("since", "999999999w", now=NOW) == format_time(0)
    assert moment_of("since", " 2026-11-20T12:00:00Z ", now=NOW) == "2026-11-20T12:00:00Z"
    with pytest.raises(AskError, match=r"^until: 'noon' is no time; write an age"):
        moment_of("until", "noon", now=NOW)


def test_a_short_id_that_is_nowhere(ask: AppAsk) -> None:
    """Of an id that is too short to have a beginning, the whole is looked for, once."""
    ask.asked.clear()
    assert _near(ask, "zz") == []
    assert [asked for asked in ask.asked if "q=" in asked] == ["/v1/sessions?key=id&q=zz&limit=5"]


def test_calls_that_do_not_fit_are_left_out() -> None:
    """An error has as many calls as its budget holds, and always what is wrong."""
    near = [{"id": f"{number}{'x' * 900}"} for number in range(5)]

    def answers(path: str, _: Mapping[str, str]) -> Any:
        return {"/v1/keys": {"data": []}, "/v1/sessions": {"data": near}}.get(path)

    told = answer(Double(answers), "get_session", {"id": "xxxx", "budget": SMALLEST_BUDGET}, now=NOW)
    assert told.is_error
    assert len(told.text) <= SMALLEST_BUDGET
    error = json.loads(told.text)
    assert "there is no session 'xxxx'; these are near" in error["error"]
    assert [call["arguments"]["id"] for call in error["next"]] == [f"session:{near[0]['id']}"]
    assert len(error_of(Double(answers), "get_session", id="xxxx")["next"]) == MOST + 1


def test_switches_that_cannot_be_asked_for() -> None:
    """Where the messages of a session cannot be read, no switch is named."""

    def refusing(path: str, _: Mapping[str, str]) -> Any:
        raise AskError(f"{path} is busy")

    def answering(*_: Any) -> Any:
        return {"data": [{"switch": "A=1"}, {"switch": None}, {}, {"switch": "A=1"}, {"switch": "B=1"}]}

    session = SessionRef("id", "quiet")
    assert switches(Double(refusing), session) == ""
    assert switches(Double(lambda *_: {"data": []}), session) == ""
    assert switches(Double(answering), session) == " To capture content: A=1; B=1."


def test_no_link_without_pages() -> None:
    """A link is told only where a person can open the pages, and names the key unless that is the usual one."""
    session = SessionRef("ticket", "a/b")
    assert session_link(Double(lambda *_: None, pages=None), session) is None
    assert session_link(Double(lambda *_: None), session) == f"{PAGES}/sessions/a%2Fb?key=ticket"
    assert session_link(Double(lambda *_: None), SessionRef("id", "cat")) == f"{PAGES}/sessions/cat"
    assert "link" not in json.loads(Answer().text(0))
    assert json.loads(Answer(link=PAGES).text(0))["link"] == PAGES
