"""Tables of an export while sessions change, and of more rows than are read at once."""

from __future__ import annotations

from typing import Any
from unittest.mock import Mock, create_autospec

import pytest
from tests.server.building import call, groups_of, span

from otel_sessions.counting.fold import fold
from otel_sessions.counting.session import SessionRollup
from otel_sessions.server.api import export_tables
from otel_sessions.server.api.export_tables import TABLES, conversations
from otel_sessions.server.exporting.selection import Selection
from otel_sessions.server.reader import Reader

GROUPS = groups_of({1: [span(session="a", **call("0.10", 5))], 2: [span(session="b", **call("0.10", 5))]})


def rollup(session_id: str) -> SessionRollup:
    """A session."""
    return fold("id", session_id, [group for group in GROUPS if (group.key, group.value) == ("id", session_id)])


def reader(**answers: Any) -> Mock:
    """A reader that answers one after another."""
    double: Mock = create_autospec(Reader, instance=True)
    for name, answered in answers.items():
        getattr(double, name).side_effect = answered
    return double


def ids(*session_ids: str) -> Selection:
    """The selection of these sessions."""
    return Selection("id", session_ids, None)


def test_a_session_that_is_gone() -> None:
    """A chosen session that was deleted meanwhile is left out, and the ones behind it are there."""
    double = reader(session=[None, rollup("b")])
    assert [row["id"] for row in TABLES["sessions"].rows(double, ids("a", "b"))] == ["b"]


def test_pages_of_sessions() -> None:
    """All pages are read, each from the end of the one before."""
    pages = [Mock(sessions=[rollup("a")], next="cursor"), Mock(sessions=[rollup("b")], next=None)]
    double = reader(sessions=pages)
    assert [row["id"] for row in TABLES["sessions"].rows(double, Selection("id", None, None))] == ["a", "b"]
    assert [asked.kwargs["cursor"] for asked in double.sessions.call_args_list] == [None, "cursor"]


@pytest.mark.parametrize("what", ["traces", "calls"])
def test_pages_of_parts(what: str) -> None:
    """Traces and calls are read to the end, page by page."""
    double = reader(session=[rollup("a")], **{what: [Mock(**{what: [], "total": export_tables.ROWS_AT_ONCE + 1})] * 2})
    assert list(TABLES[what].rows(double, ids("a"))) == []
    asked = getattr(double, what).call_args_list
    assert [one.kwargs["offset"] for one in asked] == [0, export_tables.ROWS_AT_ONCE]


def test_calls_and_messages_of_a_session_that_is_gone() -> None:
    """A session that is deleted between its row and its parts has none."""
    for what in ("calls", "messages"):
        double = reader(session=[rollup("a")], **{what: [None]})
        assert list(TABLES[what].rows(double, ids("a"))) == []


def test_pages_of_messages() -> None:
    """Messages are read from where the page before ended."""
    pages = [Mock(messages=[], next=3, total=5), Mock(messages=[], next=5, total=5)]
    double = reader(session=[rollup("a")], messages=pages)
    assert "a" in "".join(conversations(double, ids("a")))
    assert [one.kwargs["offset"] for one in double.messages.call_args_list] == [0, 3]
