"""The spans of a session are read page by page."""

from __future__ import annotations

from hypothesis import given, settings
from tests.server.building import (
    AT,
    SECOND,
    Traces,
    groups_of,
    read_span,
    span,
    store_groups,
    traces,
    write,
)
from tests.server.conftest import MANY_EXAMPLES, Emptied

from otel_sessions.counting.distinct_spans import distinct_spans
from otel_sessions.counting.facts import SpanFacts
from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.projections.trace_facts import members
from otel_sessions.server.queries.spans import session_spans

TRACES: Traces = {
    9: [span(1, session="s"), span(2, 1, start=AT + 3), span(3, 1, start=AT + 2, session="other")],
    4: [span(1, session="s", start=AT - 5), span(7, 1)],
    2: [span(i, session="s", start=AT + SECOND) for i in range(1, 6)],
}
IN_ORDER = [(4, 1), (4, 7), (9, 1), (9, 2), (2, 1), (2, 2), (2, 3), (2, 4), (2, 5)]


def ids(store: Store, limit: int = 100, offset: int = 0) -> list[tuple[int, int]]:
    """The (trace id, span id) of each span on a page of the session `s`."""
    found = session_spans(store, "s", limit=limit, offset=offset)
    assert found.total == len(IN_ORDER)
    return [(int(row["TraceId"], 16), int(row["SpanId"], 16)) for row in found.spans]


def test_spans_come_trace_by_trace(store: Store) -> None:
    """Spans of a session come trace by trace, without those of other sessions; every page is a slice of the whole list."""
    write(store, TRACES)
    assert ids(store) == IN_ORDER
    for limit in range(1, 10):
        for offset in range(11):
            assert ids(store, limit=limit, offset=offset) == IN_ORDER[offset : offset + limit]


def test_a_session_that_is_not_there(store: Store) -> None:
    """An unknown session has no spans."""
    assert session_spans(store, "none") == ([], 0, 0)


def test_rows_that_went_meanwhile(store: Store) -> None:
    """A trace group whose spans were deleted gives a page without them, not an error."""
    store_groups(store, groups_of(TRACES), version=1)
    assert session_spans(store, "s") == ([], len(IN_ORDER), 100)


def test_the_latest_state_of_a_span(store: Store) -> None:
    """A span that was stored twice is returned once, in the state that the library counts."""
    early = span(1, session="s", name="early")
    late = span(1, session="s", name="late", end=AT + 5 * SECOND)
    for order in ([early, late], [late, early]):
        write(store, {1: order})
    assert [row["SpanName"] for row in session_spans(store, "s").spans] == ["late"]


def test_a_page_of_large_spans_is_short(store: Store) -> None:
    """A page of large spans has as many as fit into its bytes, and at least one; the next page begins after them."""
    write(store, {1: [span(i, session="s", start=AT + i, name="x" * size) for i, size in enumerate(SIZES, 1)]})
    pages = []
    offset = 0
    while offset < len(SIZES):
        page = session_spans(store, "s", offset=offset, max_bytes=100_000)
        pages.append([len(row["SpanName"]) for row in page.spans])
        assert page.next == offset + len(page.spans)
        offset = page.next
    assert pages == [[10_000, 20_000], [200_000], [10_000]]


SIZES = [10_000, 20_000, 200_000, 10_000]


@given(some=traces)
@settings(max_examples=20, deadline=None, suppress_health_check=MANY_EXAMPLES)
def test_spans_are_the_members_of_the_session(emptied: Emptied, some: Traces) -> None:
    """The spans of a session are exactly the counted ones, as they were sent."""
    store = emptied()
    write(store, some)
    for group in groups_of(some):
        if group.key != "id":
            continue
        expected: list[SpanFacts] = members(some[group.trace_id], (group.key, group.value))
        found = [
            read_span(row).facts
            for row in session_spans(store, group.value).spans
            if int(row["TraceId"], 16) == group.trace_id
        ]
        known = distinct_spans(expected)
        assert [one.span_id for one in found] == [one.span_id for one in expected]
        assert len(known) == group.span_count == len(found)


def test_members_of_nothing() -> None:
    """No facts, or facts of placeholders only, give no members."""
    assert members([], ("id", "s")) == []
    assert members([span(kind="pending", session="s")], ("id", "s")) == []
