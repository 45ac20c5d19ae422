"""Pages are slices of the library's lists."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from tests.server.building import AT, SECOND, Traces, call, filters, groups_of, sessions_of, span, store_groups
from tests.server.conftest import drop

from otel_sessions.counting.facts import Labels
from otel_sessions.counting.measures import MEASURES, sort_sessions
from otel_sessions.counting.session import SessionRollup
from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.clickhouse.store_settings import StoreSettings
from otel_sessions.server.queries.filters import SessionFilters
from otel_sessions.server.queries.pagination import Cursor
from otel_sessions.server.queries.sessions import list_sessions

TRACES: Traces = {
    number: [
        span(
            1,
            session=f"S{number % 23}-{'abcdefghij'[number % 7 :]}",
            start=AT + number % 4 * SECOND,
            failed=number % 5 == 0,
            labels=Labels(
                f"Größe {number % 3} 100%_\\" if number % 6 else None,
                f"u{number % 3}",
                (f"t{number % 2}",),
                (("plan", number % 3), ("n", f"x{number % 11}")),
                f"svc{number % 2}",
                "prod" if number % 9 else "stage",
            ),
            **(call(f"0.{number % 3}", number % 3, f"m{number % 4}") if number % 3 else {}),
        )
    ]
    for number in range(1, 90)
}
SESSIONS = sessions_of(TRACES)


@pytest.fixture(scope="module")
def filled(folder: Any) -> Iterator[Store]:
    """A store with `SESSIONS` in several parts, which tests do not change."""
    store = Store(StoreSettings(f"chdb://{folder}", database="pages"))
    for first in range(1, 90, 30):
        store_groups(store, groups_of({i: TRACES[i] for i in range(first, min(first + 30, 90))}), version=first)
    yield store
    drop(store)
    store.close()


def pages(store: Store, wanted: SessionFilters, sort: str, descending: bool, limit: int) -> list[SessionRollup]:
    """The sessions of all pages, read by cursor; each page is checked against the one at the same offset."""
    found: list[SessionRollup] = []
    cursor: Cursor | None = None
    while True:
        page = list_sessions(store, wanted, sort=sort, descending=descending, limit=limit, cursor=cursor)
        by_offset = list_sessions(store, wanted, sort=sort, descending=descending, limit=limit, offset=len(found))
        assert (by_offset.sessions, by_offset.total) == (page.sessions, page.total)
        assert (by_offset.next is None) == (page.next is None)
        found += page.sessions
        cursor = page.next
        if cursor is None:
            assert page.total == len(found)
            return found


@pytest.mark.parametrize("sort", list(MEASURES))
@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("limit", [1, 7])
def test_ties_at_the_border_of_a_page(filled: Store, sort: str, descending: bool, limit: int) -> None:
    """Each session is on exactly one page, even if sessions with equal values are at the border of two pages."""
    expected = sort_sessions(SESSIONS, sort, descending=descending)
    assert pages(filled, SessionFilters(), sort, descending, limit) == expected


def test_a_cursor_and_an_offset(filled: Store) -> None:
    """An offset beside a cursor counts from the cursor."""
    first = list_sessions(filled, limit=5)
    expected = sort_sessions(SESSIONS, "last_active")[5:]
    page = list_sessions(filled, limit=5, cursor=first.next, offset=3)
    assert (page.sessions, page.total) == (expected[3:8], len(SESSIONS))


FILTERS: dict[str, tuple[dict[str, Any], Any]] = {
    "q, short": ({"q": "S1"}, lambda one: "s1" in one.id.lower()),
    "q, long": ({"q": "EFGHIJ"}, lambda one: "efghij" in one.id.lower()),
    "q, name": (
        {"q": "GRÖSSE".replace("SS", "ß") + " 1"},
        lambda one: one.name is not None and "größe 1" in one.name.lower(),
    ),
    "q, special": ({"q": "100%_\\"}, lambda one: one.name is not None),
    "q, %": ({"q": "%%%%%"}, lambda one: False),
    "q, _": ({"q": "_____"}, lambda one: False),
    "name": ({"name": "Größe 2 100%_\\"}, lambda one: one.name == "Größe 2 100%_\\"),
    "user_id": ({"user_id": "u1"}, lambda one: "u1" in one.user_ids),
    "environment": ({"environment": "stage"}, lambda one: "stage" in one.environments),
    "service": ({"service": "svc0"}, lambda one: "svc0" in one.services),
    "tag": ({"tag": "t1"}, lambda one: "t1" in one.tags),
    "model": ({"model": "m3"}, lambda one: "m3" in {model.model for model in one.models}),
    "failed": ({"failed": True}, lambda one: one.failed_trace_count > 0),
    "not failed": ({"failed": False}, lambda one: one.failed_trace_count == 0),
    "since": ({"since": AT + 4 * SECOND}, lambda one: one.end >= AT + 4 * SECOND),
    "until": ({"until": AT + SECOND}, lambda one: one.start < AT + SECOND),
    "min_cost": (
        {"min_cost": Decimal("0.4")},
        lambda one: one.total_cost is not None and one.total_cost >= Decimal("0.4"),
    ),
    "metadata": ({"metadata": {"plan": "2"}}, lambda one: one.metadata["plan"] == 2),
    "much": (
        {"metadata": {"n": "x3", "plan": 2}, "user_id": "u1", "q": "s"},
        lambda one: one.metadata["n"] == "x3" and one.metadata["plan"] == 2 and "u1" in one.user_ids,
    ),
}


@pytest.mark.parametrize("name", list(FILTERS))
def test_filters(filled: Store, name: str) -> None:
    """Pages of a filtered list have all sessions that meet the conditions, in order."""
    conditions, meets = FILTERS[name]
    for sort in ("name", "failure_rate"):
        expected = sort_sessions([one for one in SESSIONS if meets(one)], sort)
        assert pages(filled, filters(**conditions), sort, True, 9) == expected
