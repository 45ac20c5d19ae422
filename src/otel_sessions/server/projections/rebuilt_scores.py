"""`rebuild_scores`: the scores of stored events again, and the sessions that each score is counted in.

Scores that came by requests are kept, since they are nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from otel_sessions.counting.score import Score, is_score, read_score
from otel_sessions.dialects.evaluation import EVENT_NAME, EVENT_NAME_ATTRIBUTE
from otel_sessions.resource import read_resource
from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.otlp.values import attributes_from_text
from otel_sessions.server.projections.scores import delete_scores, place_scores
from otel_sessions.server.projections.statements import statement
from otel_sessions.server.projections.stored_span import resource_of
from otel_sessions.server.projections.trace_facts import chunks, facts_of, stream

_ID_DIGITS: Final = 32


def rebuild_scores(store: Store, version: int, batch: int) -> None:
    """Read the scores of all stored events again, and count all scores where they belong now.

    Args:
        store: where the rows are.
        version: of the change; greater than that of all scores there are.
        batch: how many scores are in memory and in one insert.
    """
    names = {"event": EVENT_NAME, "attribute": EVENT_NAME_ATTRIBUTE}
    given: set[int] = set()
    for some in chunks(_given_by_events(store, names), batch):
        given.update(score.id for score in some)
        _place(store, {score.trace_id for score in some}, version, some)
    with store.reading() as client:
        stored = client.query(statement("scores_of_events")).result_rows
    for gone in chunks((id_ for (id_,) in stored if id_ not in given), batch):
        delete_scores(store, "named_scores", {"ids": gone})
    for trace_ids in chunks((row["TraceId"] for row in stream(store, statement("scored_traces"))), batch):
        _place(store, trace_ids, version, ())


def _place(store: Store, trace_ids: Iterable[int], version: int, new: Iterable[Score]) -> None:
    wanted = [trace_id for trace_id in trace_ids if trace_id]
    place_scores(store, {**dict.fromkeys(wanted, ()), **facts_of(store, wanted)}, version, list(new))


def _given_by_events(store: Store, names: dict[str, Any]) -> Iterator[Score]:
    for row in stream(store, statement("score_logs"), names):
        values = _values(row["LogAttributes"], row["LogAttributeTypes"])
        if is_score(row["EventName"], values):
            resource = read_resource(resource_of(row["ResourceAttributes"], row["ResourceAttributeTypes"]))
            trace_id = int(row["TraceId"], 16) if len(row["TraceId"]) == _ID_DIGITS else 0
            span_id = int(row["SpanId"] or "0", 16)
            yield from _read(values, row["Time"], trace_id, span_id, resource.session_id)
    for row in stream(store, statement("score_events"), names):
        types = row["EventAttributeTypes"] or [{}] * len(row["Names"])
        for name, time, texts, letters in zip(row["Names"], row["Times"], row["Attributes"], types, strict=True):
            values = _values(texts, letters)
            if is_score(name, values):
                yield from _read(values, time, int(row["TraceId"], 16), int(row["SpanId"], 16), None)


def _read(values: dict[str, Any], time: int, trace_id: int, span_id: int, session_id: str | None) -> Iterator[Score]:
    score = read_score(values, time=time, trace_id=trace_id, span_id=span_id, session_id=session_id)
    if score is not None:
        yield score


def _values(texts: dict[str, str], types: dict[str, str]) -> dict[str, Any]:
    values = attributes_from_text(texts.items(), types)
    return {name: value for name, value in values.items() if value is not None}
