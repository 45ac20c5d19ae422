"""Memory holds all trace groups of a recent session, or none of them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from tests.server.building import groups_of, span

from otel_sessions.counting.trace import TraceGroup
from otel_sessions.server.projections.recent_sessions import RecentSessions


def group(session: str, trace_id: int, name: str = "") -> TraceGroup:
    """A trace group of a session."""
    (made,) = groups_of({trace_id: [span(session=session, name=name)]})
    return made


def ids(sessions: RecentSessions, session: str) -> list[int] | None:
    """The ids of the kept traces of a session, sorted; `None` if it is not kept."""
    groups = sessions.groups_of(("id", session))
    return None if groups is None else sorted(group.trace_id for group in groups)


def test_all_groups_of_new_sessions() -> None:
    """All groups of a new session are kept, and no group of other sessions; a later state of a group replaces the earlier one."""
    sessions = RecentSessions()
    sessions.add(group("a", 1), is_new=True)
    sessions.add(group("b", 2), is_new=False)
    sessions.add(group("a", 3), is_new=False)
    sessions.add(group("a", 3, "later"), is_new=False)
    assert (ids(sessions, "a"), ids(sessions, "b")) == ([1, 3], None)
    groups = sessions.groups_of(("id", "a"))
    assert groups is not None
    assert groups[1].operations == {"later"}


def test_what_is_forgotten() -> None:
    """One session or all sessions can be forgotten; a later group does not bring a forgotten session back."""
    sessions = RecentSessions()
    for session in "abc":
        sessions.add(group(session, 1), is_new=True)
    sessions.forget(("id", "a"))
    sessions.forget(("id", "unknown"))
    sessions.add(group("a", 2), is_new=False)
    assert (ids(sessions, "a"), ids(sessions, "b")) == (None, [1])
    sessions.clear()
    assert (ids(sessions, "b"), ids(sessions, "c")) == (None, None)


@given(touched=st.lists(st.tuples(st.sampled_from("abcd"), st.integers(1, 5)), max_size=30), bound=st.integers(0, 6))
def test_the_least_recently_touched_go_first(touched: list[tuple[str, int]], bound: int) -> None:
    """The least recently changed sessions are dropped until the number of groups is within the bound."""
    sessions = RecentSessions(bound)
    seen: dict[str, set[int]] = {}
    for session, trace_id in touched:
        sessions.add(group(session, trace_id), is_new=True)
        seen[session] = {*seen.pop(session, ()), trace_id}
        sessions.trim()
        while sum(map(len, seen.values())) > bound:
            del seen[next(iter(seen))]
    assert {session: ids(sessions, session) for session in "abcd"} == {
        session: sorted(seen[session]) if session in seen else None for session in "abcd"
    }
