"""The latest version of each trace group is read back exactly as it was stored."""

from __future__ import annotations

from decimal import Decimal, localcontext
from typing import Any

import pytest
from hypothesis import given, settings
from tests.server.building import HOSTILE, Traces, call, count, groups_of, insert_groups, span, traces
from tests.server.conftest import MANY_EXAMPLES, Emptied

from otel_sessions.counting.facts import Call
from otel_sessions.counting.prices.pricer import Cost
from otel_sessions.counting.prices.rates import AT_LEAST
from otel_sessions.counting.trace import TraceGroup
from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.projections.sessions import SessionRows
from otel_sessions.server.projections.trace_groups import pairs_of
from otel_sessions.server.queries.sessions import get_session, list_sessions, session_traces


def stored(store: Store, groups: list[TraceGroup]) -> list[TraceGroup]:
    """The stored groups of the sessions that these groups belong to."""
    pairs = sorted({(group.key, group.value) for group in groups})
    return [group for key, value in pairs for group in session_traces(store, value, key=key).traces]


def test_what_older_rows_lack_is_computed_of_their_content(store: Store) -> None:
    """Columns that rows of earlier versions lack have the values there that newer rows are written with."""
    doubtful = Cost(None, None, Decimal(1), f"reported:test{AT_LEAST}a part is not reported)")
    some: Traces = {
        1: [span(session="exact", **call("0.5"))],
        2: [span(session="unpriced", **call(tokens=5))],
        3: [span(session="at least", kind="llm", call=Call(model="m", reported=doubtful))],
        4: [span(session="no call")],
    }
    insert_groups(store, groups_of(some), version=1)
    computed = (
        "SELECT default_expression FROM system.columns WHERE database = currentDatabase() AND table = 'session_traces'"
    )
    with store.reading() as client:
        inexact, unpriced = (
            client.query(f"{computed} AND name = '{name}'").result_rows[0][0] for name in ("CostInexact", "Unpriced")
        )
        told = client.query(
            f"SELECT Id, CostInexact, Unpriced, {inexact}, {unpriced} FROM session_traces ORDER BY Id"
        ).result_rows
    assert [tuple(row) for row in told] == [
        ("at least", 1, 0, 1, 0),
        ("exact", 0, 0, 0, 0),
        ("no call", 0, 0, 0, 0),
        ("unpriced", 1, 1, 1, 1),
    ]


@given(some=traces)
@settings(max_examples=40, deadline=None, suppress_health_check=MANY_EXAMPLES)
def test_groups_round_trip(emptied: Emptied, some: Traces) -> None:
    """Every field of a trace group reads back with its type, whatever decimal context the app has."""
    store = emptied()
    groups = groups_of(some)
    insert_groups(store, groups, version=1)
    with localcontext(prec=2):
        found = stored(store, groups)
    key = lambda group: (group.key, group.value, group.start, group.trace_id)  # noqa: E731
    assert sorted(found, key=key) == sorted(groups, key=key)
    types = [{name: type(value) for name, (_, value) in group.metadata.items()} for group in sorted(found, key=key)]
    assert types == [
        {name: type(value) for name, (_, value) in group.metadata.items()} for group in sorted(groups, key=key)
    ]


@pytest.mark.parametrize(
    "cost",
    [
        "0.1",
        "0",
        "0.00000000000000000000000000000000000001",
        "12345678901234567890.123456789",
        "99999999999999999999.99999999999999999999999999999999999999",
    ],
)
def test_costs_of_any_size(store: Store, cost: str) -> None:
    """The session and the stored column have the exact cost, whatever its size."""
    insert_groups(store, groups_of({1: [span(session="s", **call(cost))]}), version=1)
    session = get_session(store, "s")
    assert session is not None
    assert session.total_cost == Decimal(cost)
    with store.reading() as client:
        ((found,),) = client.query("SELECT TotalCost FROM session_traces").result_rows
    assert found == Decimal(cost)


def test_of_two_versions_the_higher_counts(store: Store) -> None:
    """The highest version of a trace group counts, in any order of writing, before and after merges; a deleted version removes the group."""
    new = groups_of({1: [span(1, session="s"), span(2, session="s")]})
    old = groups_of({1: [span(1, session="s")], 2: [span(1, session="s")]})
    insert_groups(store, new, version=5)
    insert_groups(store, old, version=4)
    for _ in range(2):
        assert spans_and_traces(store) == (3, 2)
        merge(store)
    insert_groups(store, [], [(1, ("id", "s"))], version=6)
    for _ in range(2):
        assert spans_and_traces(store) == (1, 1)
        merge(store)
    insert_groups(store, [], [(2, ("id", "s"))], version=6)
    for _ in range(2):
        rewrite(store)
        assert get_session(store, "s") is None
        assert list_sessions(store).total == 0
        merge(store)


def rewrite(store: Store) -> None:
    """Write the row of the session `s`."""
    rows = SessionRows(store)
    rows.mark_changed((), [("id", "s")], 6)
    rows.refresh()


def merge(store: Store) -> None:
    """Merge all versions of all groups."""
    with store.writing() as client:
        client.command("OPTIMIZE TABLE session_traces FINAL")


def spans_and_traces(store: Store) -> tuple[Any, Any]:
    """The numbers of spans and of traces of the session `s`."""
    rewrite(store)
    session = get_session(store, "s")
    assert session is not None
    page = list_sessions(store)
    assert (page.sessions, page.total) == ([session], 1)
    return session.span_count, session.trace_count


def test_pairs_of_traces(store: Store) -> None:
    """The current sessions of many traces are read by several queries; deleted groups are left out."""
    both = [span(session="a"), span(2, session="b")]
    insert_groups(store, groups_of({1: both, 2: [span(session="a")], 3: [span(session="a")]}), version=1)
    insert_groups(store, [], [(1, ("id", "b")), (3, ("id", "a"))], version=2)
    assert pairs_of(store, [1, 2, 3, 4], at_once=1) == {1: {("id", "a")}, 2: {("id", "a")}}


def test_nothing_to_write(store: Store) -> None:
    """A write without groups succeeds and adds no rows."""
    insert_groups(store, [], version=1)
    assert count(store, "session_traces") == 0


@pytest.mark.parametrize("id_", HOSTILE)
def test_hostile_ids(store: Store, id_: str) -> None:
    """A session with hostile text as its id is found by exactly this id and key."""
    insert_groups(store, groups_of({1: [span(session=id_)], 2: [span(session="other")]}), version=1)
    session = get_session(store, id_)
    assert session is not None
    assert (session.id, session.trace_count) == (id_, 1)
    assert get_session(store, id_ + "x") is None
    assert get_session(store, id_, key="other") is None
