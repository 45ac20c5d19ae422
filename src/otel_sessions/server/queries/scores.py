"""The scores and the annotations of one session, by page."""

from __future__ import annotations

from typing import NamedTuple

from otel_sessions.counting.membership import Pair
from otel_sessions.counting.score import Score
from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.clickhouse.columns import COLUMNS, SCORES
from otel_sessions.server.projections.given_to_sessions import Annotation
from otel_sessions.server.projections.scores import stored_score
from otel_sessions.server.projections.session_row import id_hash
from otel_sessions.server.queries.statements import statement


class ScorePage(NamedTuple):
    """Some scores of a session, and how many it has in all."""

    scores: list[Score]
    total: int


class AnnotationPage(NamedTuple):
    """Some annotations of a session, and how many it has in all."""

    annotations: list[Annotation]
    total: int


def session_exists(store: Store, session: Pair) -> bool:
    """Return True if something of the session, by its key and id, is stored."""
    with store.reading() as client:
        return bool(client.query(statement("session_exists"), parameters=_of(session)).result_rows)


def session_scores(store: Store, session: Pair, *, limit: int, offset: int = 0) -> ScorePage:
    """A page of the scores that are counted in a session, in the order of their times."""
    sql = statement("scores_page", columns=", ".join(COLUMNS[SCORES]))
    with store.reading() as client:
        total = client.query(statement("count_scores"), parameters=_of(session)).result_rows[0][0]
        rows = client.query(sql, parameters={**_of(session), "limit": limit, "offset": offset}).result_rows
    return ScorePage([stored_score(row).score for row in rows], total)


def session_annotations(store: Store, session: Pair, *, limit: int, offset: int = 0) -> AnnotationPage:
    """A page of the annotations of a session, in the order of their times."""
    with store.reading() as client:
        total = client.query(statement("count_annotations"), parameters=_of(session)).result_rows[0][0]
        rows = client.query(
            statement("annotations_page"), parameters={**_of(session), "limit": limit, "offset": offset}
        ).result_rows
    return AnnotationPage([Annotation(*row) for row in rows], total)


def stored_annotation(store: Store, session: Pair, annotation_id: int) -> Annotation | None:
    """An annotation of a session by its id; `None` if the session does not have it."""
    with store.reading() as client:
        rows = client.query(
            statement("annotation"), parameters={**_of(session), "annotation_id": annotation_id}
        ).result_rows
    return Annotation(*rows[0]) if rows else None


def stored_score_of(store: Store, session: Pair, score_id: int) -> Score | None:
    """A score that is counted in a session, by its id; `None` if the session does not have it."""
    sql = statement("score", columns=", ".join(COLUMNS[SCORES]))
    with store.reading() as client:
        rows = client.query(sql, parameters={**_of(session), "score_id": score_id}).result_rows
    return stored_score(rows[0]).score if rows else None


def _of(session: Pair) -> dict[str, object]:
    return {"key": session[0], "hash": id_hash(session[1])}
