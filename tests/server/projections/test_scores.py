"""Scores follow the facts of their traces, in whatever order and parts both come, and go with retention."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.server.building import AT, SECOND, count, span, write
from tests.server.conftest import MANY_EXAMPLES, Emptied

from otel_sessions.counting.facts import SpanFacts
from otel_sessions.counting.score import Score, identified
from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.projections.given_to_sessions import Annotation, insert_annotations, insert_names
from otel_sessions.server.projections.retention import drop_older
from otel_sessions.server.projections.scores import has_scores, place_scores
from otel_sessions.server.projections.sessions import SessionRows
from otel_sessions.server.queries.filters import SessionFilters
from otel_sessions.server.queries.scores import session_annotations, session_scores
from otel_sessions.server.queries.sessions import get_session, list_sessions


def a_score(name: str = "n", value: float = 1.0, *, trace: int = 0, span: int = 0, at: int = AT, **more: Any) -> Score:
    """A score with the id of what it says."""
    return identified(Score(0, name, value, None, None, "otel", at, trace, span, **more))


SPANS = (span(1, session="s"), span(2, 1), span(3, 2, session="o"), span(4, 3), span(5))
SCORES = (
    a_score(value=0.1, trace=1),
    a_score(value=0.2, trace=1, span=2),
    a_score(value=0.3, trace=1, span=4),
    a_score(value=0.4, trace=1, span=9),
    a_score(value=0.5, trace=1, span=2, given=(("id", "x"),)),
    a_score(value=0.6, given=(("id", "s"),)),
)


def counted(store: Store) -> dict[str, list[float | None]]:
    """By session, the values of its scores."""
    return {
        session: [one.value for one in session_scores(store, ("id", session), limit=50).scores] for session in "sox"
    }


@settings(max_examples=15, deadline=None, suppress_health_check=MANY_EXAMPLES)
@given(st.permutations([*SPANS, *SCORES]), st.lists(st.integers(0, 11), max_size=4))
def test_scores_and_spans_come_in_any_order(emptied: Emptied, told: list[Any], cuts: list[int]) -> None:
    """Shuffled, in parts and with repetitions, the same scores are in the same sessions in the end."""
    store = emptied()
    known: list[SpanFacts] = []
    edges = sorted({0, len(told), *cuts})
    for version, (first, last) in enumerate(pairwise(edges), start=1):
        part = told[:last] if version % 2 else told[first:last]
        known += [one for one in part if isinstance(one, SpanFacts)]
        place_scores(store, {1: known}, version, [one for one in part if isinstance(one, Score)])
    found = {session: sorted(filter(None, values)) for session, values in counted(store).items()}
    assert found == {"s": [0.1, 0.2, 0.6], "o": [0.1, 0.3], "x": [0.5]}


def test_what_changes_nothing_is_not_written(store: Store) -> None:
    """A score that is stored and counted where it was writes no row, and says that no session changed."""
    assert not has_scores(store)
    assert place_scores(store, {1: SPANS}, 1, SCORES) == {("id", "s"), ("id", "o"), ("id", "x")}
    rows = count(store, "scores"), count(store, "session_scores")
    assert place_scores(store, {1: SPANS}, 2, SCORES) == frozenset()
    assert (count(store, "scores"), count(store, "session_scores")) == rows
    assert has_scores(store)


def test_retention_takes_what_is_old(store: Store) -> None:
    """Scores on a trace go with it; those on sessions, annotations, and scores on traces that never came by their age."""
    new = AT + 100 * SECOND
    write(store, {1: [span(1, session="s")], 2: [span(1, session="o", start=new)]})
    scores = (
        a_score("old trace", trace=1, at=new),
        a_score("new trace", trace=2, at=AT),
        a_score("no trace", trace=3, at=AT, given=(("id", "o"),)),
        a_score("old", at=AT, given=(("id", "o"),)),
        a_score("new", at=new, given=(("id", "o"),)),
    )
    place_scores(store, {1: [span(1, session="s")], 2: [span(1, session="o", start=new)]}, 1, scores)
    for number, (session, at) in enumerate((("s", AT), ("o", AT), ("o", new))):
        insert_annotations(store, [(("id", session), Annotation(number, "hm", at))], 1)
    for session in "so":
        insert_names(store, {("id", session): f"named {session}"}, 2)
    rows = SessionRows(store)
    with rows.paused():
        assert drop_older(store, rows, AT + 50 * SECOND, version=3) == 1
    assert [one.name for one in session_scores(store, ("id", "o"), limit=9).scores] == ["new trace", "new"]
    assert session_scores(store, ("id", "s"), limit=9).total == 0
    assert session_annotations(store, ("id", "o"), limit=9).total == 1
    assert count(store, "session_names") == 1
    found = get_session(store, "o")
    assert found is not None
    assert (found.name, found.annotation_count, sorted(found.scores)) == ("named o", 1, ["new", "new trace"])
    assert [one.name for one in list_sessions(store, SessionFilters(name="named o")).sessions] == ["named o"]


def test_a_name_whose_row_was_not_written_is_found_by_the_next_process(store: Store) -> None:
    """A process that dies between storing a name and the row of the session leaves nothing that a start does not mend."""
    write(store, {1: [span(1, session="s")]})
    insert_names(store, {("id", "s"): "named"}, 2)
    SessionRows(store)
    assert [one.id for one in list_sessions(store, SessionFilters(name="named")).sessions] == ["s"]
