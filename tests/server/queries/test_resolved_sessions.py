"""Pages of calls that were helped by earlier pages are the same as pages that were not."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.server.building import call, groups_of, insert_groups, span, write
from tests.server.conftest import MANY_EXAMPLES, Emptied

from otel_sessions.counting.facts import SpanFacts
from otel_sessions.counting.ledger import Unit
from otel_sessions.counting.resolved import resolve
from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.projections.trace_facts import insert_facts
from otel_sessions.server.queries.calls import session_calls
from otel_sessions.server.queries.resolved_sessions import ResolvedSession, ResolvedSessions

CALL = call("0.1", 5, "gpt-4o")


def unit(records: int) -> Unit:
    """A trace with this number of calls."""
    return Unit(1, None, resolve([span(number, session="s", **CALL) for number in range(1, records + 1)]))


@given(
    changes=st.lists(
        st.tuples(st.integers(1, 4), st.lists(st.integers(1, 9), min_size=1, max_size=3, unique=True)), max_size=6
    ),
    places=st.lists(st.tuples(st.integers(1, 5), st.integers(0, 12)), min_size=1, max_size=3),
)
@settings(max_examples=20, deadline=None, suppress_health_check=MANY_EXAMPLES)
def test_a_page_after_any_change_is_that_of_the_store(
    emptied: Emptied, changes: list[tuple[int, list[int]]], places: list[tuple[int, int]]
) -> None:
    """After each change of some trace, pages with and without a cache are equal, when they are first asked for and again."""
    store = emptied()
    traces: dict[int, list[SpanFacts]] = {}
    finished = 0
    kept = ResolvedSessions(lambda: finished)
    for version, (trace_id, ids) in enumerate(changes, start=1):
        known = {one.span_id for one in traces.get(trace_id, [])}
        added = [span(number, session="s", **CALL) for number in ids if number not in known]
        traces.setdefault(trace_id, []).extend(added)
        write(store, {trace_id: traces[trace_id]}, version=version)
        finished = version
        for limit, offset in places * 2:
            page = session_calls(store, "s", limit=limit, offset=offset, kept=kept)
            assert page == session_calls(store, "s", limit=limit, offset=offset)


def test_a_page_while_a_change_is_under_way_helps_no_later_page(store: Store) -> None:
    """Trace groups are written before facts; what was read between the two is not kept."""
    finished = 1
    kept = ResolvedSessions(lambda: finished)
    first, second = span(1, session="s", **CALL), span(2, session="s", **CALL)
    write(store, {1: [first]})
    assert kept.get(("id", "s"), 0).units == {}
    insert_groups(store, groups_of({1: [first, second]}), version=2)
    during = session_calls(store, "s", kept=kept)
    insert_facts(store, {1: [second]}, 2)
    finished = 2
    after = session_calls(store, "s", kept=kept)
    assert during is not None
    assert after is not None
    assert [len(during.calls), len(after.calls)] == [1, 2]


def test_the_session_that_was_used_least_recently_is_dropped() -> None:
    """The sessions that are kept have no more records than the bound together, and one in another state is not found."""
    kept = ResolvedSessions(lambda: 1, records=10)
    for name in ("a", "b"):
        kept.keep(("id", name), ResolvedSession(7, {}, {1: unit(4), 2: Unit(2, None, None)}))
    assert kept.get(("id", "a"), 7).units.keys() == {1, 2}
    assert kept.get(("id", "a"), 8).units == {}
    kept.keep(("id", "c"), ResolvedSession(7, {}, {1: unit(4)}))
    assert [bool(kept.get(("id", name), 7).units) for name in ("a", "b", "c")] == [True, False, True]
    kept.keep(("id", "c"), ResolvedSession(7, {}, {1: unit(11)}))
    assert not any(kept.get(("id", name), 7).units for name in ("a", "b", "c"))
