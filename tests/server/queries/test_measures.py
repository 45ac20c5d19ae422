"""Lists are sorted by every measure as the library sorts them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from tests.server.building import Traces, call, groups_of, sessions_of, span, store_groups, traces
from tests.server.conftest import MANY_EXAMPLES, Emptied

from otel_sessions.counting.measures import MEASURES, sort_sessions
from otel_sessions.server.queries.sessions import list_sessions

TIES: Traces = {
    trace_id: [span(session=f"s{trace_id % 7}", **(call("0.5", 10) if trace_id % 3 else {}))]
    for trace_id in range(1, 15)
}


@pytest.mark.parametrize("sort", list(MEASURES))
@pytest.mark.parametrize("descending", [True, False])
def test_ties_and_unknown(emptied: Emptied, sort: str, descending: bool) -> None:
    """Sessions with equal values are sorted by id in both directions, and those with an unknown value come last."""
    store = emptied()
    store_groups(store, groups_of(TIES), version=1)
    expected = sort_sessions(sessions_of(TIES), sort, descending=descending)
    assert list_sessions(store, sort=sort, descending=descending).sessions == expected


@pytest.mark.parametrize("descending", [True, False])
def test_spans_that_claim_to_last_for_centuries(emptied: Emptied, descending: bool) -> None:
    """A duration over 2**63 nanoseconds sorts as a long one, not as a negative one."""
    store = emptied()
    some = {1: [span(session="short")], 2: [span(session="long")._replace(start=1, end=2**63 + 1)]}
    store_groups(store, groups_of(some), version=1)
    expected = sort_sessions(sessions_of(some), "duration", descending=descending)
    assert list_sessions(store, sort="duration", descending=descending).sessions == expected


@given(some=traces)
@settings(max_examples=8, deadline=None, suppress_health_check=MANY_EXAMPLES)
def test_lists_are_those_of_the_library(emptied: Emptied, some: Traces) -> None:
    """A list has the library's sessions and numbers, in the library's order, for every measure and direction."""
    store = emptied()
    store_groups(store, groups_of(some), version=1)
    for sort in MEASURES:
        for descending in (True, False):
            expected = sort_sessions(sessions_of(some), sort, descending=descending)
            page = list_sessions(store, sort=sort, descending=descending)
            assert [repr(one) for one in page.sessions] == [repr(one) for one in expected]
            assert (page.total, page.next) == (len(expected), None)
