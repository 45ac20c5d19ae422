"""Rows of sessions say what the trace groups come to, whenever they are written and whatever breaks off."""

from __future__ import annotations

from decimal import Decimal
from enum import Enum, auto

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.server.building import Traces, call, count, groups_of, sessions_of, span, store_groups, traces
from tests.server.conftest import MANY_EXAMPLES, Emptied

from otel_sessions.counting.facts import Labels
from otel_sessions.counting.measures import sort_sessions
from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.clickhouse.errors import StoreError
from otel_sessions.server.projections import sessions as module
from otel_sessions.server.projections.recent_sessions import FreshSessions
from otel_sessions.server.projections.session_row import id_hash
from otel_sessions.server.projections.sessions import SessionRows, catch_up, write_old_rows, write_rows
from otel_sessions.server.projections.trace_groups import insert_groups
from otel_sessions.server.queries.sessions import keys, list_sessions

SOME: Traces = {
    1: [span(session="a", **call("0.5"))],
    2: [span(session="b"), span(2, session="a")],
    3: [span(session="c", failed=True)],
}


def listed(store: Store) -> list[str]:
    """The ids in a list."""
    return [session.id for session in list_sessions(store, sort="name", descending=False).sessions]


def test_what_was_noted_is_written_when_it_is_wanted(store: Store) -> None:
    """Not before, and once."""
    rows = SessionRows(store)
    insert_groups(store, groups_of(SOME), version=3)
    assert rows.note(groups_of(SOME), (), 3) == 3
    assert listed(store) == []
    for _ in range(2):
        rows.refresh()
        assert list_sessions(store, sort="cost").sessions == sessions_of(SOME)
    assert rows.note((), (), 4) == 0


def test_a_session_without_traces_has_no_row(store: Store) -> None:
    """The others keep theirs, also where all of a key go."""
    store_groups(store, groups_of(SOME), version=1)
    rows = SessionRows(store)
    insert_groups(store, [], [(1, ("id", "a")), (2, ("id", "b"))], version=2)
    rows.note([], [("id", "a"), ("id", "b")], 2)
    rows.refresh()
    assert listed(store) == ["a", "c"]
    store_groups(store, [], [(2, ("id", "a")), (3, ("id", "c"))], version=3)
    assert (listed(store), keys(store)) == ([], [])


def test_what_cannot_be_written_stays_noted(store: Store) -> None:
    """Until it can."""
    rows = SessionRows(store)
    insert_groups(store, groups_of(SOME), version=1)
    rows.note(groups_of(SOME), (), 1)
    with store.writing() as client:
        client.command("RENAME TABLE sessions TO elsewhere")
        with pytest.raises(StoreError):
            rows.refresh()
        client.command("RENAME TABLE elsewhere TO sessions")
    with rows.paused():
        assert listed(store) == ["a", "b", "c"]


def test_what_an_earlier_process_did_not_write(store: Store) -> None:
    """New sessions, and those that changed."""
    store_groups(store, groups_of({1: SOME[1]}), version=1)
    insert_groups(store, groups_of(SOME), version=2)
    SessionRows(store)
    assert list_sessions(store, sort="cost").sessions == sessions_of(SOME)


def test_steps_that_were_broken_off(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the steps that came to an end have written does not hide what the others have not."""
    store_groups(store, groups_of({9: [span(session="z")]}), version=1)
    insert_groups(store, groups_of(SOME), version=2)
    with monkeypatch.context() as patched:
        patched.setattr(module, "SESSIONS_AT_ONCE", 1)
        with pytest.raises(StoreError):
            write_rows(store, {("id", "a"): 2, ("id", "b"): 2, ("\ud800", "c"): 2}, (), 2)
    SessionRows(store)
    assert listed(store) == ["a", "b", "c", "z"]


def test_a_deletion_that_was_broken_off(store: Store) -> None:
    """What it took is not known, so all rows are written anew."""
    store_groups(store, groups_of(SOME), version=1)
    with store.writing() as client:
        client.command("DELETE FROM session_traces WHERE Id = 'b'")
        client.command("INSERT INTO doomed_spans VALUES ('aa', '*')")
    assert list_sessions(store).total == 3
    SessionRows(store)
    assert (listed(store), list_sessions(store).total, count(store, "doomed_spans")) == (["a", "c"], 2, 0)


def test_many_groups_are_added_up_in_shares(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each session is in one of them."""
    monkeypatch.setattr(module, "GROUPS_AT_ONCE", 2)
    many = {number: [span(session=f"s{number:02d}")] for number in range(1, 20)}
    insert_groups(store, groups_of(many), version=1)
    catch_up(store)
    assert listed(store) == [f"s{number:02d}" for number in range(1, 20)]
    assert list_sessions(store).total == 19


def test_sessions_that_began_before(store: Store) -> None:
    """Their rows are written anew, those of sessions without traces go."""
    store_groups(store, groups_of({1: [span(session="old", start=5)], 2: [span(session="both", start=6)]}), version=1)
    late = {3: [span(session="both", start=90)], 4: [span(session="new", start=90)]}
    store_groups(store, groups_of(late), version=2)
    insert_groups(store, [], [(1, ("id", "old")), (2, ("id", "both"))], version=3)
    write_old_rows(store, 50, 3)
    assert list_sessions(store, sort="name").sessions == sessions_of(late)


def test_young_and_old_sessions(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of one that began lately only what is new is looked at; of one that grew old everything."""
    monkeypatch.setattr(module, "YOUNG", 2)
    rows = SessionRows(store, fresh=FreshSessions(0))
    whole: Traces = {}
    for version in range(1, 6):
        new = {version: [span(session="s")], 10 + version: [span(session=f"only {version}")]}
        whole = {**whole, **new}
        insert_groups(store, groups_of(new), version=version)
        rows.note(groups_of(new), (), version)
        rows.refresh()
        assert list_sessions(store, sort="name").sessions == sort_sessions(sessions_of(whole), "name")


def test_while_lists_are_read_new_sessions_are_added_up_in_memory(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their groups are not looked up; when no list was read for some commits, those of the next ones are."""
    monkeypatch.setattr(module, "LISTED", 1)
    rows = SessionRows(store)

    def seen_after(version: int) -> int:
        rows.note(groups_of({version: [span(session=f"s{version}")]}), (), version)
        rows.refresh()
        return count(store, "sessions")

    assert seen_after(1) == 0
    rows.refresh(for_list=True)
    assert seen_after(2) == 1
    assert seen_after(3) == 1
    rows.refresh(for_list=True)
    assert seen_after(4) == 2


def test_the_hash_of_an_id(store: Store) -> None:
    """Is the one that the engine computes."""
    store_groups(store, groups_of({1: [span(session="é")]}))
    with store.reading() as client:
        ((there,),) = client.query("SELECT IdHash FROM session_traces").result_rows
    assert there == int.from_bytes(id_hash("é".encode()), "little")


def test_names_and_metadata_are_the_last_ones(store: Store) -> None:
    """Of several traces, wherever they are stored."""
    labels = [Labels("first", metadata=(("plan", "free"), ("seats", 1))), Labels("last", metadata=(("plan", "pro"),))]
    some: Traces = {
        number: [span(session="s", start=number, labels=label)] for number, label in enumerate(labels, start=1)
    }
    store_groups(store, groups_of(some))
    with store.reading() as client:
        (row,) = client.query("SELECT Name, MetadataKeys, MetadataValues FROM sessions").result_rows
    assert row == ("last", ["plan", "seats"], ['"pro"', "1"])


class After(Enum):
    """What happens after a commit."""

    NOTHING = auto()
    LIST = auto()
    MANY = auto()
    RESTART = auto()
    RETENTION = auto()


@given(
    parts=st.lists(st.tuples(traces, st.sampled_from(After)), max_size=5),
    fresh=st.sampled_from([0, 3, 1000]),
    at_once=st.integers(1, 3),
)
@settings(max_examples=40, deadline=None, suppress_health_check=MANY_EXAMPLES)
def test_rows_follow_groups(emptied: Emptied, parts: list[tuple[Traces, After]], fresh: int, at_once: int) -> None:
    """One row for each session, whatever comes in however many commits, and whoever writes the row."""
    store = emptied()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "SESSIONS_AT_ONCE", at_once)
        patch.setattr(module, "GROUPS_AT_ONCE", at_once)
        patch.setattr(module, "LISTED", 2)
        whole = committed(store, parts, fresh)
    for key in {group.key for group in groups_of(whole)}:
        expected = [(one.id, one.total_cost or Decimal(0)) for one in sessions_of(whole, key)]
        with store.reading() as client:
            found = client.query(
                "SELECT Id, ifNull(Cost, 0) FROM sessions FINAL WHERE Key = {key:String} ORDER BY Id",
                parameters={"key": key},
            ).result_rows
        assert found == sorted(expected)


def committed(store: Store, parts: list[tuple[Traces, After]], fresh: int) -> Traces:
    """Commit parts one after the other; all traces, in their last states."""
    rows = SessionRows(store, fresh=FreshSessions(fresh))
    rows.refresh(for_list=True)
    whole: Traces = {}
    for version, (part, after) in enumerate(parts, start=1):
        before = {trace_id: groups_of({trace_id: whole.get(trace_id, [])}) for trace_id in part}
        whole = {**whole, **part}
        written = groups_of(part)
        now = {(group.trace_id, group.key, group.value) for group in written}
        gone = [
            (trace_id, (group.key, group.value))
            for trace_id, groups in before.items()
            for group in groups
            if (trace_id, group.key, group.value) not in now
        ]
        insert_groups(store, written, gone, version)
        rows.note(written, {pair for _, pair in gone}, version)
        if after is After.LIST:
            rows.refresh(for_list=True)
        elif after is After.MANY:
            rows.refresh()
        elif after is After.RESTART:
            rows = SessionRows(store, fresh=FreshSessions(fresh))
        elif after is After.RETENTION:
            with rows.paused():
                write_old_rows(store, 2**63, version)
    rows.refresh()
    return whole
