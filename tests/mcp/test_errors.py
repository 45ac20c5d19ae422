"""What cannot be answered is told in the answer, with the next step."""

from __future__ import annotations

from typing import Any

import pytest
from tests.mcp.asks import AppAsk, error_of, told_of


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
