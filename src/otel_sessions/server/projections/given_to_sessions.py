"""What people give to sessions by requests: annotations, and names that come before those of spans."""

from __future__ import annotations

from typing import Any, NamedTuple

from otel_sessions.counting.membership import Pair
from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.clickhouse.columns import ANNOTATIONS, NAMES
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


def insert_annotation(store: Store, session: Pair, annotation: Annotation, version: int) -> None:
    """Add an annotation to a session."""
    insert_rows(
        store,
        ANNOTATIONS,
        {
            "Key": [session[0]],
            "IdHash": [id_hash(session[1])],
            "AnnotationId": [annotation.id],
            "Time": [annotation.time],
            "Text": [annotation.text],
            "Author": [annotation.author],
            "TraceId": [annotation.trace_id],
            "SpanId": [annotation.span_id],
            "Version": [version],
        },
    )


def insert_name(store: Store, session: Pair, name: str | None, version: int) -> None:
    """Give a session a name, or with `None` take back the one that it was given; then write its row of `sessions` again."""
    columns: dict[str, list[Any]] = {
        "Key": [session[0]],
        "IdHash": [id_hash(session[1])],
        "Name": [name],
        "Version": [version],
    }
    insert_rows(store, NAMES, columns)


def delete_given(store: Store, session: Pair) -> None:
    """Delete a session's annotations and name, and the scores that name it; those on its spans go with the spans."""
    key, session_id = session
    delete_scores(store, "scores_that_name", {"key": key, "session": session_id})
    parameters = {"key": key, "hash": id_hash(session_id)}
    with store.writing() as client:
        for name in ("delete_annotations", "delete_name"):
            client.command(statement(name), parameters=parameters)
