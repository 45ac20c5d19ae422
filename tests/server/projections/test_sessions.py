"""Rows of sessions equal the fold of their trace groups, whenever they are written and whichever write is interrupted."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum, auto
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.server.building import (
    Traces,
    call,
    count,
    filters,
    groups_of,
    insert_groups,
    sessions_of,
    span,
    store_groups,
    traces,
)
from tests.server.conftest import MANY_EXAMPLES, Emptied
from tests.server.dying_store import dying_at

from otel_sessions.counting.facts import Labels
from otel_sessions.counting.fold import MODELS_KEPT, SET_KEPT, SessionSum
from otel_sessions.counting.metadata import metadata_json
from otel_sessions.counting.tokens import Usage
from otel_sessions.counting.totals import Totals
from otel_sessions.counting.trace import TraceGroup
from otel_sessions.rules import MetadataValue
from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.clickhouse.columns import SESSION_COLUMNS
from otel_sessions.server.clickhouse.errors import StoreAwayError, StoreError
from otel_sessions.server.projections.changes import ChangedTrace
from otel_sessions.server.projections.given_to_sessions import insert_names
from otel_sessions.server.projections.projection import project
from otel_sessions.server.projections.recent_sessions import RecentSessions
from otel_sessions.server.projections.session_row import id_hash
from otel_sessions.server.projections.sessions import SessionRows
from otel_sessions.server.queries.sessions import keys, list_sessions

SOME: Traces = {
    1: [span(session="a", **call("0.5"))],
    2: [span(session="b"), span(2, session="a")],
    3: [span(session="c", failed=True)],
}


def listed(store: Store) -> list[str]:
    """The ids of all listed sessions, sorted by name."""
    return [session.id for session in list_sessions(store, sort="name", descending=False).sessions]


def test_what_was_noted_is_written_when_it_is_wanted(store: Store) -> None:
    """Marking sessions writes no rows; the next refresh writes them once."""
    rows = SessionRows(store)
    insert_groups(store, groups_of(SOME), version=3)
    assert rows.mark_changed(groups_of(SOME), (), 3) == 3
    assert listed(store) == []
    for _ in range(2):
        rows.refresh()
        assert list_sessions(store, sort="cost").sessions == sessions_of(SOME)
    assert rows.mark_changed((), (), 4) == 0


def test_a_session_without_traces_has_no_row(store: Store) -> None:
    """A session that lost all its trace groups loses its row, and a key without sessions is not listed; other sessions keep their rows."""
    store_groups(store, groups_of(SOME), version=1)
    rows = SessionRows(store)
    insert_groups(store, [], [(1, ("id", "a")), (2, ("id", "b"))], version=2)
    rows.mark_changed([], [("id", "a"), ("id", "b")], 2)
    rows.refresh()
    assert listed(store) == ["a", "c"]
    store_groups(store, [], [(2, ("id", "a")), (3, ("id", "c"))], version=3)
    assert (listed(store), keys(store)) == ([], [])


def test_what_cannot_be_written_stays_noted(fresh_store: Store) -> None:
    """Sessions whose rows cannot be written stay marked until a later refresh writes them."""
    store = fresh_store
    rows = SessionRows(store)
    insert_groups(store, groups_of(SOME), version=1)
    rows.mark_changed(groups_of(SOME), (), 1)
    with store.writing() as client:
        client.command("RENAME TABLE sessions TO elsewhere")
        with pytest.raises(StoreError):
            rows.refresh()
        client.command("RENAME TABLE elsewhere TO sessions")
    with rows.paused():
        assert listed(store) == ["a", "b", "c"]


def test_nothing_is_written_while_it_may_not(store: Store) -> None:
    """While nothing may be written, a refresh fails and sessions stay marked; one without marked sessions has nothing to write."""
    allowed = True

    def may_write() -> None:
        if not allowed:
            raise StoreAwayError("the lease is not renewed")

    rows = SessionRows(store, may_write=may_write)
    insert_groups(store, groups_of(SOME), version=1)
    allowed = False
    rows.refresh()
    rows.mark_changed(groups_of(SOME), (), 1)
    with pytest.raises(StoreAwayError, match="lease"):
        rows.refresh()
    assert listed(store) == []
    allowed = True
    rows.refresh()
    assert listed(store) == ["a", "b", "c"]


def test_what_an_earlier_process_did_not_write(store: Store) -> None:
    """The next process writes the rows of new and changed sessions that an earlier process left out."""
    store_groups(store, groups_of({1: SOME[1]}), version=1)
    insert_groups(store, groups_of(SOME), version=2)
    SessionRows(store)
    assert list_sessions(store, sort="cost").sessions == sessions_of(SOME)


def test_steps_that_were_cut_short(store: Store) -> None:
    """When a refresh dies between its steps, the next process writes the rows of the missing steps too."""
    store_groups(store, groups_of({9: [span(session="z")]}), version=1)
    dying = dying_at(store, r"INSERT INTO sessions\b", nth=3)
    rows = SessionRows(dying, sessions_at_once=1)
    insert_groups(store, groups_of(SOME), version=2)
    rows.mark_changed(groups_of(SOME), (), 2)
    with pytest.raises(KeyboardInterrupt):
        rows.refresh()
    SessionRows(store)
    assert listed(store) == ["a", "b", "c", "z"]


def test_a_column_that_the_table_does_not_have_yet(fresh_store: Store) -> None:
    """A measure or facet that is newer than the store has its column added, and all rows are written again."""
    store = fresh_store
    store_groups(store, groups_of(SOME), version=1)
    with store.writing() as client:
        client.command("ALTER TABLE sessions DROP COLUMN Tags, DROP COLUMN Tokens")
    SessionRows(store)
    assert list_sessions(store, sort="tokens").sessions == sessions_of(SOME)
    assert list_sessions(store, filters(tag="x")).total == 0


def test_a_deletion_that_was_broken_off(store: Store) -> None:
    """After a deletion that was interrupted, the next process writes all rows again, since it is not known which ones are stale."""
    store_groups(store, groups_of(SOME), version=1)
    with store.writing() as client:
        client.command("DELETE FROM session_traces WHERE Id = 'b'")
        client.command("INSERT INTO deletion_queue VALUES (7, 'aa', '*')")
    assert list_sessions(store).total == 3
    SessionRows(store)
    assert (listed(store), list_sessions(store).total, count(store, "deletion_queue")) == (["a", "c"], 2, 0)


def test_names_by_hand_after_a_restart(store: Store) -> None:
    """A name that was given by hand is in the rows of a later process, and not in those of the same id under another key."""
    insert_names(store, {("id", "a"): "by hand"}, 1)
    insert_names(store, {("id", "b"): None}, 1)
    groups = groups_of(SOME)
    insert_groups(store, [*groups, *(group._replace(key="run") for group in groups)], version=2)
    SessionRows(store)
    with store.reading() as client:
        rows = client.query("SELECT Key, Id FROM sessions FINAL WHERE Name = 'by hand'").result_rows
    assert [tuple(row) for row in rows] == [("id", "a")]


def test_many_groups_are_folded_in_steps(store: Store) -> None:
    """Sessions are folded in steps of bounded size, and each of them gets its row."""
    many = {number: [span(session=f"s{number // 2:02d}")] for number in range(2, 40)}
    insert_groups(store, groups_of(many), version=1)
    SessionRows(store, groups_at_once=3)
    assert listed(store) == [f"s{number:02d}" for number in range(1, 20)]
    assert list_sessions(store).total == 19


def test_a_session_that_lost_its_traces_before_a_crash(store: Store) -> None:
    """The next process drops the row of a session that lost its trace groups before a crash."""
    store_groups(store, groups_of(SOME), version=1)
    insert_groups(store, [], [(3, ("id", "c"))], version=2)
    SessionRows(store)
    assert listed(store) == ["a", "b"]


def test_sessions_that_began_before(store: Store) -> None:
    """`rewrite_older` writes the rows of older sessions again, and drops those of sessions without traces."""
    store_groups(store, groups_of({1: [span(session="old", start=5)], 2: [span(session="both", start=6)]}), version=1)
    late = {3: [span(session="both", start=90)], 4: [span(session="new", start=90)]}
    store_groups(store, groups_of(late), version=2)
    insert_groups(store, [], [(1, ("id", "old")), (2, ("id", "both"))], version=3)
    rows = SessionRows(store)
    with rows.paused():
        rows.rewrite_older(50, 3)
    assert list_sessions(store, sort="name").sessions == sessions_of(late)


def test_while_lists_are_read_new_sessions_are_folded_in_memory(store: Store) -> None:
    """New sessions are folded in memory for some commits after a list, and from the stored trace groups afterwards."""
    rows = SessionRows(store, list_window=1)

    def seen_after(version: int) -> int:
        rows.mark_changed(groups_of({version: [span(session=f"s{version}")]}), (), version)
        rows.refresh()
        return count(store, "sessions")

    # The groups are not stored, so a row can only be folded from those in memory.
    assert seen_after(1) == 0
    rows.refresh(for_list=True)
    assert seen_after(2) == 1
    assert seen_after(3) == 1
    rows.refresh(for_list=True)
    assert seen_after(4) == 2


def test_the_hash_of_an_id(store: Store) -> None:
    """`id_hash` computes the same hash of an id as ClickHouse."""
    store_groups(store, groups_of({1: [span(session="é")]}))
    with store.reading() as client:
        ((there,),) = client.query("SELECT IdHash FROM session_traces").result_rows
    assert there == id_hash("é")


def test_names_and_metadata_are_the_last_ones(store: Store) -> None:
    """Name and metadata in a row are the last ones of all traces of the session."""
    labels = [Labels("first", metadata=(("plan", "free"), ("seats", 1))), Labels("last", metadata=(("plan", "pro"),))]
    some: Traces = {
        number: [span(session="s", start=number, labels=label)] for number, label in enumerate(labels, start=1)
    }
    store_groups(store, groups_of(some))
    with store.reading() as client:
        (row,) = client.query("SELECT Name, MetadataKeys, MetadataValues FROM sessions").result_rows
    assert row == ("last", ["plan", "seats"], ['"pro"', "1"])


class After(Enum):
    """The event that follows a commit."""

    NOTHING = auto()
    LIST = auto()
    MANY = auto()
    RESTART = auto()
    RETENTION = auto()


@given(
    parts=st.lists(st.tuples(traces, st.sampled_from(After)), max_size=5),
    recent=st.sampled_from([0, 3, 1000]),
    at_once=st.integers(1, 3),
)
@settings(max_examples=40, deadline=None, suppress_health_check=MANY_EXAMPLES)
def test_rows_follow_groups(emptied: Emptied, parts: list[tuple[Traces, After]], recent: int, at_once: int) -> None:
    """Every session has one row that equals the library's fold in every column, for any traces in any number of commits."""
    store = emptied()
    whole = committed(store, parts, recent, at_once)
    assert rows_of(store) == {
        (group.key, group.value): row_of(group.key, group.value, groups_of(whole)) for group in groups_of(whole)
    }


def rows_of(store: Store) -> dict[tuple[str, str], tuple[Any, ...]]:
    """The columns of each row that are folded from trace groups, by key and id."""
    names = ", ".join(column.name for column in SESSION_COLUMNS)
    with store.reading() as client:
        found = client.query(f"SELECT Key, Id, {names} FROM sessions FINAL").result_rows
    assert len({row[:2] for row in found}) == len(found)
    return {(key, id_): tuple(values) for key, id_, *values in found}


def row_of(key: str, value: str, groups: Iterable[TraceGroup]) -> tuple[Any, ...]:
    """The values that the library folds from these trace groups, column by column."""
    session = SessionSum(key, value)
    for group in groups:
        if (group.key, group.value) == (key, value):
            session.add(group)
    return tuple(column.value(session) for column in SESSION_COLUMNS)


def committed(store: Store, parts: list[tuple[Traces, After]], recent: int, at_once: int) -> Traces:
    """Commit the parts one after the other, and return all traces in their last states."""

    def opened() -> SessionRows:
        return SessionRows(
            store, recent=RecentSessions(recent), list_window=2, sessions_at_once=at_once, groups_at_once=at_once
        )

    rows = opened()
    rows.refresh(for_list=True)
    whole: Traces = {}
    for version, (part, after) in enumerate(parts, start=1):
        before = {trace_id: groups_of({trace_id: whole.get(trace_id, [])}) for trace_id in part}
        whole = {**whole, **part}
        changed = [
            ChangedTrace(trace_id, spans, [(group.key, group.value) for group in before[trace_id]])
            for trace_id, spans in part.items()
        ]
        changes = project(store, changed, version, None)
        rows.mark_changed(changes.written, changes.lost, version)
        if after is After.LIST:
            rows.refresh(for_list=True)
        elif after is After.MANY:
            rows.refresh()
        elif after is After.RESTART:
            rows = opened()
        elif after is After.RETENTION:
            with rows.paused():
                rows.rewrite_older(2**63, version)
    rows.refresh()
    return whole


def many_groups(number: int) -> list[TraceGroup]:
    """Trace groups of one session with more values of each kind than a fold keeps."""

    def some(prefix: str, most: int) -> frozenset[str]:
        return frozenset(f"{prefix}{number * most // 2 + place:05d}" for place in range(most))

    call = Totals()
    call.add_call(Usage(1), None)
    return [
        TraceGroup(
            key="id",
            value="s",
            trace_id=number + 1,
            start=number,
            end=number + 5,
            span_count=1,
            failed=False,
            operations=frozenset({"o"}),
            models={
                (f"p{provider:02d}", name): call
                for name in some("m", MODELS_KEPT)
                for provider in range(number % 2 + 1)
            },
            services=some("v", SET_KEPT),
            environments=some("e", SET_KEPT),
            user_ids=some("u", SET_KEPT),
            tags=some("t", SET_KEPT),
            name=None,
            metadata=dict.fromkeys(some("n", SET_KEPT), (number, number)),
        )
    ]


@pytest.mark.parametrize("in_memory", [True, False])
def test_rows_have_the_bounds_of_the_fold(store: Store, in_memory: bool) -> None:
    """A row leaves out the same values as the session itself, so that a filter finds no value that the session does not show."""
    rows = SessionRows(store)
    if in_memory:
        rows.refresh(for_list=True)
    groups = [group for number in range(4) for group in many_groups(number)]
    insert_groups(store, groups, version=1)
    rows.mark_changed(groups, (), 1)
    rows.refresh()
    (row,) = rows_of(store).values()
    assert row == row_of("id", "s", groups)
    columns = dict(zip((column.name for column in SESSION_COLUMNS), row, strict=True))
    assert {name: len(columns[name]) for name in ("Tags", "Models", "MetadataKeys")} == {
        "Tags": SET_KEPT,
        "Models": MODELS_KEPT + 1,
        "MetadataKeys": SET_KEPT,
    }


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (True, "x"),
        (1, 1.5),
        ("10", 9),
        (1, True),
        (1, 1.0),
        ("é", "z"),
        (-(2**63), 2**63 - 1),
        (0.0, -0.0),
        ("", False),
    ],
)
def test_values_of_one_moment(store: Store, one: MetadataValue, other: MetadataValue) -> None:
    """Of two metadata values with the same time, filters find the one that the session shows, whatever their types."""
    some: Traces = {
        number: [span(session="s", labels=Labels(metadata=(("name", value),)))]
        for number, value in enumerate((one, other), start=1)
    }
    for version, order in enumerate((groups_of(some), groups_of(some)[::-1]), start=1):
        store_groups(store, order, version=version)
        (shown,) = list_sessions(store).sessions
        (row,) = rows_of(store).values()
        columns = dict(zip((column.name for column in SESSION_COLUMNS), row, strict=True))
        assert columns["MetadataValues"] == [metadata_json(shown.metadata["name"])]
