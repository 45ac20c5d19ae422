"""`Rollups`: traces open, closed and forgotten, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from tests.counting.building import AT, fact, in_session, read

from otel_sessions.counting.calls import Skipped
from otel_sessions.counting.facts import Call, SpanFacts
from otel_sessions.counting.session import SessionRollup
from otel_sessions.counting.tokens import Usage
from otel_sessions.counting.trace import TraceRollup
from otel_sessions.drops import DropCounter
from otel_sessions.rollups import RollupLimits, Rollups


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        """Start at 0 s."""
        self.now = 0.0

    def __call__(self) -> float:
        """The time in seconds."""
        return self.now


class Kept:
    """Rollups with a clock and what they told."""

    def __init__(self, **limits: Any) -> None:
        """Within limits."""
        self.clock = Clock()
        self.told: list[TraceRollup] = []
        self.drops = DropCounter()
        self.rollups = Rollups(
            limits=RollupLimits(**limits), on_trace=self.told.append, drops=self.drops, clock=self.clock
        )

    def add(self, trace: int, *spans: SpanFacts, at: float | None = None) -> None:
        """Spans of a trace arrive at a time."""
        if at is not None:
            self.clock.now = at
        self.rollups.add((trace, span) for span in spans)

    def session(self, name: str = "s1", key: str = "id") -> SessionRollup:
        """A session that must be there."""
        session = self.rollups.session(name, key)
        assert session is not None
        return session

    @property
    def closed(self) -> list[tuple[int, int]]:
        """Trace and number of spans of what was told."""
        return [(one.trace_id, one.whole.span_count) for one in self.told]


def call(span_id: int, session: str | None = "s1", tokens: int = 10, parent: int | None = None) -> SpanFacts:
    """A model call in a session."""
    own = {} if session is None else in_session(session)
    start = AT + span_id * 10**9
    return fact(span_id, parent, kind="llm", call=Call(Usage(tokens)), start=start, end=start + 10**8, **own)


def test_defaults() -> None:
    """Rollups made without arguments have bounds, a clock and no callback."""
    rollups = Rollups()
    rollups.add([(1, call(1))])
    rollups.close_all()
    session = rollups.session("s1", "id")
    assert session is not None
    assert session.span_count == 1
    assert RollupLimits() == RollupLimits(60_000, 20_000, 100_000, 50_000, 30.0)


def test_an_idle_trace_is_closed_when_others_come() -> None:
    """A trace is closed after the idle time and passed to the callback once, the one idle longest first."""
    kept = Kept()
    kept.add(1, call(1), at=0)
    kept.add(2, call(1), at=10)
    kept.add(1, call(2), at=20)
    kept.add(3, call(1), at=39.9)
    assert kept.closed == []
    kept.add(3, call(2), at=40)
    assert kept.closed == [(2, 1)]
    kept.add(4, call(1), at=100)
    assert kept.closed == [(2, 1), (1, 2), (3, 2)]
    assert kept.session().span_count == 6


def test_a_late_span_opens_a_closed_trace_again() -> None:
    """The session is recomputed with a late span, and the callback gets the trace again."""
    kept = Kept()
    kept.add(1, call(2, parent=1), at=0)
    kept.add(2, call(1), at=31)
    assert kept.closed == [(1, 1)]
    kept.add(1, fact(1, kind="agent", call=Call(Usage(10)), **in_session("s1")), at=32)
    assert (kept.session().span_count, kept.session().input_tokens) == (3, 20)
    kept.rollups.close_all()
    assert kept.closed == [(1, 1), (2, 1), (1, 2)]
    assert kept.drops.counts() == {}


def test_a_retry_is_nothing_new() -> None:
    """A batch that comes again opens its trace, and the callback does not get the trace again."""
    kept = Kept()
    kept.add(1, call(1), call(2))
    kept.rollups.close_all()
    kept.add(1, call(1), call(2))
    kept.rollups.close_all()
    assert kept.closed == [(1, 2)]
    kept.add(1, call(1))
    kept.add(1, call(3))
    kept.rollups.close_all()
    assert kept.closed == [(1, 2), (1, 3)]


def test_what_is_told_explains_itself() -> None:
    """The callback gets the surplus of a span that is not counted over those that are."""
    kept = Kept()
    kept.add(1, fact(1, kind="agent", call=Call(Usage(15)), **in_session("s1")), call(2, parent=1))
    kept.rollups.close_all()
    assert kept.told[0].skipped == {1: Skipped("covered_by_children", residual=Usage(5))}


def test_of_closed_traces_the_first_is_forgotten_first() -> None:
    """The trace that was closed first is forgotten first."""
    kept = Kept(traces=2)
    kept.add(1, call(1))
    kept.add(2, call(1))
    kept.rollups.close_all()
    kept.add(3, call(1))
    kept.add(2, call(2))
    assert kept.drops.counts() == {}
    kept.add(1, call(2))
    assert kept.drops.counts() == {("exporter", "late_spans"): 1}


def test_a_trace_is_told_when_its_room_is_needed() -> None:
    """A trace beyond the bound on traces or spans is passed to the callback, forgotten, and still in its session."""
    for limits in ({"traces": 2}, {"spans": 4}):
        kept = Kept(**limits)
        for trace in range(1, 5):
            kept.add(trace, call(1), call(2))
        assert kept.closed == [(1, 2), (2, 2)]
        assert (kept.session().trace_count, kept.session().input_tokens) == (4, 80)


def test_closed_traces_are_forgotten_first() -> None:
    """An open trace stays as long as there is a closed one."""
    kept = Kept(traces=2)
    kept.add(1, call(1), at=0)
    kept.add(2, call(1), at=29)
    kept.add(1, call(2), at=30)
    kept.add(2, call(2), at=30)
    kept.rollups.close_all()
    kept.add(2, call(3), at=31)
    kept.add(3, call(1), at=31)
    kept.add(1, call(3), at=31)
    assert kept.drops.counts() == {("exporter", "late_spans"): 1}
    kept.add(2, call(4), at=31)
    assert kept.session().span_count == 2 + 4 + 1


def test_a_trace_larger_than_all_room() -> None:
    """A trace larger than the bound is added to its session and forgotten at once, and its further spans are late."""
    kept = Kept(spans=3)
    kept.add(1, *(call(i) for i in range(1, 6)))
    kept.add(1, call(6), call(7))
    assert kept.closed == [(1, 5)]
    assert (kept.session().span_count, kept.session().late_span_count) == (5, 2)
    assert kept.session().dropped == {"late_spans": 2}


def test_late_spans_of_a_forgotten_trace() -> None:
    """Late spans are counted for the sessions that they name, or else for those that their trace had."""
    kept = Kept(traces=1)
    kept.add(1, call(1, "a"), call(2, "b"))
    kept.add(2, call(1, "c"))
    kept.add(1, call(3, None), call(4, "a"), call(5, "c"), call(6, "never seen"))
    late = {name: kept.session(name).late_span_count for name in ("a", "b", "c")}
    assert late == {"a": 2, "b": 1, "c": 1}
    assert kept.rollups.session("never seen", "id") is None
    assert kept.drops.counts() == {("exporter", "late_spans"): 4}
    kept.add(2, call(2, "c"))
    assert (kept.session("c").late_span_count, kept.session("c").span_count) == (1, 2)


def test_a_forgotten_trace_is_itself_forgotten() -> None:
    """A trace whose id is beyond the bound on forgotten traces is counted as a new one."""
    kept = Kept(traces=1, forgotten_traces=1)
    for trace in (1, 2, 3):
        kept.add(trace, call(1))
    kept.add(1, call(2))
    assert (kept.session().trace_count, kept.drops.counts()) == (4, {})
    kept.add(2, call(2))
    kept.add(1, call(3))
    assert kept.session().trace_count == 5
    assert kept.drops.counts() == {("exporter", "late_spans"): 1}


def test_the_quietest_session_makes_room() -> None:
    """The session that was quiet for longest is dropped and counted, and the others do not change."""
    kept = Kept(sessions=2)
    kept.add(1, call(1, "a"))
    kept.add(2, call(1, "b"))
    kept.rollups.sessions("id")
    kept.add(1, call(2, "a"))
    kept.rollups.sessions("id")
    kept.add(3, call(1, "c"))
    assert {one.id: one.span_count for one in kept.rollups.sessions("id")} == {"a": 2, "c": 1}
    assert kept.drops.counts() == {("exporter", "sessions"): 1}


def test_a_session_that_was_given_up_may_come_back() -> None:
    """A dropped session is counted from its next trace on."""
    kept = Kept(sessions=1)
    kept.add(1, call(1, "a"))
    kept.rollups.sessions("id")
    kept.add(2, call(1, "b"))
    kept.rollups.sessions("id")
    kept.add(1, call(2, "a"))
    assert {one.id: one.span_count for one in kept.rollups.sessions("id")} == {"a": 2}


def test_a_trace_that_changes_its_session() -> None:
    """A trace whose root turns out to have another session moves there, and an empty session is removed."""
    kept = Kept()
    kept.add(1, fact(2, 1), call(3, "a", parent=1))
    assert kept.session("a").span_count == 2
    kept.add(1, fact(1, **in_session("b")))
    assert (kept.session("a").span_count, kept.session("b").span_count) == (1, 2)
    kept.add(1, call(3, "b", parent=1)._replace(end=AT + 99 * 10**9))
    assert kept.rollups.session("a", "id") is None
    assert kept.session("b").span_count == 3


def test_a_session_keeps_what_forgotten_traces_gave() -> None:
    """A session keeps the numbers of forgotten traces when its last trace in memory moves to another one."""
    kept = Kept(traces=1)
    kept.add(1, call(1, "a"))
    kept.add(2, call(1, "a"))
    assert kept.session("a").trace_count == 2
    kept.add(2, call(1, "b")._replace(end=AT + 99 * 10**9))
    assert (kept.session("a").trace_count, kept.session("b").trace_count) == (1, 1)


def test_repetition_is_no_change() -> None:
    """A repeated span adds nothing, and no trace is recomputed for it."""
    kept = Kept()
    kept.add(1, call(1), call(1))
    before = kept.session()
    kept.add(1, call(1))
    assert kept.session() == before
    assert before.span_count == 1


def test_placeholders_alone_are_no_trace() -> None:
    """Placeholders alone make no session and are not passed to the callback."""
    kept = Kept()
    kept.add(1, fact(1, kind="pending", **in_session("s1")))
    assert kept.rollups.session("s1", "id") is None
    kept.rollups.close_all()
    assert kept.told == []


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
@pytest.mark.parametrize("end", [0, 5])
def test_a_placeholder_never_replaces_its_span(order: Iterable[int], end: int) -> None:
    """A placeholder counts for nothing beside its span, in either order and whatever end it claims."""
    kept = Kept()
    final = call(1)
    placeholder = fact(1, kind="pending", start=final.start, end=final.end + end, **in_session("s1"))
    for index in order:
        kept.add(1, (placeholder, final)[index])
    assert (kept.session().span_count, kept.session().input_tokens) == (1, 10)


def test_sessions_of_one_key() -> None:
    """Each key has its own sessions, of the same traces."""
    kept = Kept()
    kept.add(1, fact(1, values=(("id", "a"), ("ticket", "t"))))
    kept.add(2, fact(1, values=(("ticket", "t"),)))
    assert [(one.key, one.id, one.trace_count) for one in kept.rollups.sessions("ticket")] == [("ticket", "t", 2)]
    assert [one.id for one in kept.rollups.sessions("id")] == ["a"]
    assert kept.rollups.sessions("other") == []


def test_a_callback_that_raises_is_counted() -> None:
    """The callback gets the next trace after it has raised, and the fault is counted."""
    drops = DropCounter()
    told: list[int] = []

    def on_trace(rollup: TraceRollup) -> None:
        told.append(rollup.trace_id)
        raise ValueError

    rollups = Rollups(on_trace=on_trace, drops=drops)
    rollups.add([(1, call(1)), (2, call(1))])
    rollups.close_all()
    assert (told, drops.counts()) == ([1, 2], {("exporter", "on_trace_errors"): 2})


def lost(rollups: Rollups, *spans: SpanFacts) -> dict[int, int]:
    """Which span tells the session of which."""
    return {span_id: donor.span_id for span_id, donor in rollups.lost_sessions(1, spans).items()}


def test_lost_sessions() -> None:
    """A lost session comes from the nearest ancestor that has all of it, or else from the first span by id."""
    rollups = Rollups()
    rollups.add([(1, fact(1, **in_session("a"))), (1, fact(2, 1, **in_session("a")))])
    assert lost(rollups, fact(4, 3), fact(3, 2)) == {3: 2, 4: 2}
    assert lost(rollups, fact(9)) == {9: 1}
    assert lost(rollups, fact(9, **in_session("b"))) == {}
    assert lost(rollups) == {}
    assert lost(Rollups(), fact(1), fact(2, 1)) == {}


def test_lost_sessions_of_several_keys() -> None:
    """A lost session comes only from a span with every key, and a span with every key has lost nothing."""
    both = (("id", "a"), ("ticket", "t"))
    spans = (fact(1, values=both), fact(2, 1, values=both[:1]), fact(3, 2, values=both[1:]), fact(4, 3))
    assert lost(Rollups(), *spans) == {2: 1, 3: 1, 4: 1}
    apart = (fact(1, values=both[:1]), fact(2, values=both[1:]))
    assert lost(Rollups(), *apart) == {}


def test_lost_sessions_in_a_cycle() -> None:
    """The search ends in a cycle of parents, and a placeholder has lost nothing."""
    spans = (fact(1, 2), fact(2, 1), fact(3, 3, **in_session("a")), fact(4, 9, kind="pending"))
    assert lost(Rollups(), *spans) == {1: 3, 2: 3}
    assert lost(Rollups(), *spans, fact(5, **in_session("b"))) == {}


def test_lost_sessions_of_a_cut_span() -> None:
    """A span outside its ancestors' session has lost nothing."""
    cut = read({"session.cut": ["*"]}, span_id=2, parent_id=1)
    assert lost(Rollups(), fact(1, **in_session("a")), cut) == {}
