"""What people give to sessions by requests: annotations, and names that come before those of spans."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from otel_sessions.counting.membership import Pair
from otel_sessions.counting.score import Score
from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.clickhouse.columns import ANNOTATIONS, COLUMNS, NAMES
from otel_sessions.server.clickhouse.insert import insert_rows
from otel_sessions.server.projections.scores import delete_scores
from otel_sessions.server.projections.session_row import id_hash
from otel_sessions.server.projections.statements import statement


class Annotation(NamedTuple):
    """A remark on a session; ids as integers, 0 for none, the time in nanoseconds UTC.

    Attributes:
        id: the same for every delivery of the same annotation.
        text: the remark.
        time: when it was given.
        trace_id: the trace that it is about.
        span_id: the span that it is about.
        author: who gave it.
    """

    id: int
    text: str
    time: int
    trace_id: int = 0
    span_id: int = 0
    author: str | None = None


class GivenRecords(NamedTuple):
    """Scores, annotations and names that sessions were given, with the ids that they have."""

    scores: list[Score]
    annotations: list[tuple[Pair, Annotation]]
    names: dict[Pair, str]


def insert_annotations(store: Store, given: Sequence[tuple[Pair, Annotation]], version: int) -> None:
    """Add annotations to sessions."""
    if not given:
        return
    rows = [
        (key, id_hash(id_), one.id, one.time, one.text, one.author, one.trace_id, one.span_id, version)
        for (key, id_), one in given
    ]
    insert_rows(store, ANNOTATIONS, dict(zip(COLUMNS[ANNOTATIONS], map(list, zip(*rows, strict=True)), strict=True)))


def insert_names(store: Store, given: Mapping[Pair, str | None], version: int) -> None:
    """Give sessions names, or with `None` take back the one that a session was given; then write their rows of `sessions` again."""
    if not given:
        return
    columns: dict[str, list[Any]] = {
        "Key": [key for key, _ in given],
        "IdHash": [id_hash(id_) for _, id_ in given],
        "Name": list(given.values()),
        "Version": [version] * len(given),
    }
    insert_rows(store, NAMES, columns)


def unknown_annotations(store: Store, given: Iterable[tuple[Pair, Annotation]]) -> list[tuple[Pair, Annotation]]:
    """Those of some annotations that are not stored, each once."""
    by_place = {(session[0], id_hash(session[1]), one.id): (session, one) for session, one in given}
    known = _known(store, "known_annotations", "ids", [annotation_id for _, _, annotation_id in by_place])
    return [one for place, one in by_place.items() if place not in known]


def unknown_names(store: Store, given: Mapping[Pair, str]) -> dict[Pair, str | None]:
    """Those of some names whose sessions were never given one, so that no later name is lost."""
    known = _known(store, "known_names", "hashes", [id_hash(id_) for _, id_ in given])
    return {(key, id_): name for (key, id_), name in given.items() if (key, id_hash(id_)) not in known}


def _known(store: Store, name: str, parameter: str, wanted: list[int]) -> set[tuple[Any, ...]]:
    if not wanted:
        return set()
    with store.reading() as client:
        return set(map(tuple, client.query(statement(name), parameters={parameter: wanted}).result_rows))


def delete_given(store: Store, session: Pair) -> None:
    """Delete a session's annotations and name, and the scores that name it; those on its spans go with the spans."""
    key, session_id = session
    delete_scores(store, "scores_that_name", {"key": key, "session": session_id})
    parameters = {"key": key, "hash": id_hash(session_id)}
    with store.writing() as client:
        for name in ("delete_annotations", "delete_name"):
            client.command(statement(name), parameters=parameters)
