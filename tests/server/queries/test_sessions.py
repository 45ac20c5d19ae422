"""Pages of sessions, one session, its traces, and keys."""

from __future__ import annotations

import pytest
from tests.server.building import AT, HOSTILE, SECOND, Traces, call, groups_of, sessions_of, span, store_groups
from tests.server.conftest import Emptied

from otel_sessions.counting.measures import MEASURES, sort_sessions
from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.queries.pagination import Cursor
from otel_sessions.server.queries.sessions import (
    KeySummary,
    get_session,
    keys,
    list_sessions,
    session_traces,
)

TRACES: Traces = {
    number: [
        span(
            1,
            session=HOSTILE[number % 6] if number % 2 else f"s{number % 11}",
            start=AT + number % 5 * SECOND,
            failed=number % 4 == 0,
            **(call(f"0.{number % 3}", number % 3) if number % 3 else {}),
        )
    ]
    for number in range(1, 40)
}


@pytest.mark.parametrize("sort", list(MEASURES))
@pytest.mark.parametrize("descending", [True, False])
def test_pages_add_up_to_the_list(emptied: Emptied, sort: str, descending: bool) -> None:
    """Pages by cursor and by offset have each session once, in order; every page has the total of the whole list."""
    store = emptied()
    store_groups(store, groups_of(TRACES), version=1)
    expected = sort_sessions(sessions_of(TRACES), sort, descending=descending)
    found = []
    cursor: Cursor | None = None
    while True:
        page = list_sessions(store, sort=sort, descending=descending, limit=4, cursor=cursor)
        assert page.total == len(expected)
        found += page.sessions
        cursor = page.next
        if cursor is None:
            break
    assert found == expected
    by_offset = [
        one
        for offset in range(0, len(expected), 4)
        for one in list_sessions(store, sort=sort, descending=descending, limit=4, offset=offset).sessions
    ]
    assert by_offset == expected


def test_a_page_behind_the_end(emptied: Emptied) -> None:
    """A page after the last session is empty and has the total of the list."""
    store = emptied()
    store_groups(store, groups_of(TRACES), version=1)
    page = list_sessions(store, offset=1_000)
    assert (page.sessions, page.total, page.next) == ([], len(sessions_of(TRACES)), None)
    assert list_sessions(store, cursor=Cursor(None, "zzz")).sessions == []


def test_an_unknown_measure(store: Store) -> None:
    """An unknown measure raises an error that lists the known ones."""
    with pytest.raises(ValueError, match="last_active, created, cost"):
        list_sessions(store, sort="random()")


def test_a_session_that_goes_between_the_queries(store: Store) -> None:
    """A session whose trace groups are deleted before its row is left out of the page."""
    store_groups(store, groups_of({1: [span(session="a")], 2: [span(session="b")]}), version=1)
    with store.writing() as client:
        client.command("DELETE FROM session_traces WHERE Id = 'a'")
    page = list_sessions(store)
    assert ([one.id for one in page.sessions], page.total) == (["b"], 2)


def test_traces_of_a_session(store: Store) -> None:
    """The traces of a session are paged in the order of their start, with their total, and without those of other sessions."""
    traces: Traces = {
        100 - number: [span(session="s", start=AT + number // 2 * SECOND), span(2, session="other")]
        for number in range(10)
    }
    store_groups(store, groups_of(traces), version=1)
    expected = sorted((one for one in groups_of(traces) if one.value == "s"), key=lambda one: (one.start, one.trace_id))
    assert session_traces(store, "s") == (expected, 10)
    assert session_traces(store, "s", limit=3, offset=2) == (expected[2:5], 10)
    assert session_traces(store, "s", offset=99) == ([], 10)
    assert session_traces(store, "none") == ([], 0)
    assert session_traces(store, "none", offset=9) == ([], 0)


def test_keys(store: Store) -> None:
    """Each key has its number of sessions and their first and last times; deleted sessions are not counted."""
    assert keys(store) == []
    store_groups(
        store,
        groups_of(
            {
                1: [span(values=(("id", "a"), ("ticket", "1")))],
                2: [span(session="b", start=AT + 5 * SECOND)],
                3: [span(session="b", start=AT - 5 * SECOND)],
                4: [span(values=(("import", "x"),))],
            }
        ),
        version=1,
    )
    store_groups(store, [], [(4, ("import", "x"))], version=2)
    assert keys(store) == [
        KeySummary("id", 2, AT - 5 * SECOND, AT + 6 * SECOND),
        KeySummary("ticket", 1, AT, AT + SECOND),
    ]
    assert get_session(store, "1", key="ticket") is not None
