"""`place_scores`: the rows of scores, and in which sessions each of them is counted.

    scores of events and requests -> `scores` (each once) -> `session_scores` (once for each session that it is counted in)

Which sessions these are follows the spans of the trace that a score is on. So whatever changes spans also calls `place_scores`, which
writes the scores of these traces again where their sessions changed. Rows of `session_scores` are written first: a change that was cut
short is then found again by the rows of `scores`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from otel_sessions.counting.distinct_spans import distinct_spans
from otel_sessions.counting.facts import SpanFacts
from otel_sessions.counting.membership import Pair, sessions_of
from otel_sessions.counting.score import Places, Score, places_of
from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.clickhouse.columns import COLUMNS, SCORES, SESSION_SCORES
from otel_sessions.server.clickhouse.insert import insert_rows
from otel_sessions.server.projections.session_row import id_hash
from otel_sessions.server.projections.statements import statement
from otel_sessions.server.projections.trace_facts import TRACES_PER_QUERY, chunks

_COLUMNS: Final = tuple(COLUMNS[SCORES])


class StoredScore(NamedTuple):
    """A score as it is stored, and the sessions that it is counted in."""

    score: Score
    posted: bool
    places: Places


class _Written(NamedTuple):
    """A score whose rows are written: where it was counted before, and is now."""

    score: Score
    posted: bool
    before: Places
    places: Places


def has_scores(store: Store) -> bool:
    """Return True if a score on a trace or a span is stored."""
    with store.reading() as client:
        return bool(client.query(statement("has_scores")).result_rows)


def place_scores(
    store: Store,
    traces: Mapping[int, Iterable[SpanFacts]],
    version: int,
    new: Collection[Score] = (),
    *,
    posted: bool = False,
) -> frozenset[Pair]:
    """Write new scores, and those on some traces whose sessions changed; return the sessions that got or lost one.

    A score that is stored already and is counted where it was changes nothing.

    Args:
        store: where the scores are.
        traces: the facts of the traces that changed, and of those that new scores are on, by trace id.
        version: of the change; greater than that of all before.
        new: scores to store.
        posted: the new ones came by requests.
    """
    alone = [score.id for score in new if not score.trace_id]
    stored = {one.score.id: one for one in (*scores_of(store, traces), *_scores_alone(store, alone))}
    spans_of: dict[int, tuple[Mapping[int, SpanFacts], Mapping[int, tuple[Pair, ...]]]] = {0: ({}, {})}
    written = []
    for score, is_posted in [*((one, posted) for one in new), *((one.score, one.posted) for one in stored.values())]:
        if score.trace_id not in spans_of:
            spans = distinct_spans(traces.get(score.trace_id, ()))
            spans_of[score.trace_id] = spans, sessions_of(spans) if spans else {}
        places = places_of(score, *spans_of[score.trace_id])
        known = stored.get(score.id)
        if known is None or known.places != places:
            written.append(_Written(score, is_posted, () if known is None else known.places, places))
            stored[score.id] = StoredScore(score, is_posted, places)
    _write(store, written, version)
    return frozenset(pair for one in written for pair, _ in (*one.before, *one.places))


def delete_scores(store: Store, which: str, parameters: Mapping[str, Any]) -> None:
    """Delete scores from both tables.

    Args:
        store: where they are.
        which: the name of a condition on rows of `scores`, a file of SQL.
        parameters: of the condition.
    """
    condition = statement(which)
    with store.writing() as client:
        for name in ("delete_session_scores", "delete_scores"):
            client.command(statement(name, which=condition), parameters=dict(parameters))


def scores_of(store: Store, trace_ids: Iterable[int]) -> Iterator[StoredScore]:
    """The stored scores on traces and their spans."""
    return _found(store, "scores_of_traces", "trace_ids", (one for one in trace_ids if one))


def _scores_alone(store: Store, ids: Iterable[int]) -> Iterator[StoredScore]:
    """The stored scores on no trace with these ids."""
    return _found(store, "scores_of_sessions", "ids", ids)


def _found(store: Store, name: str, parameter: str, wanted: Iterable[int]) -> Iterator[StoredScore]:
    sql = statement(name, columns=", ".join(_COLUMNS))
    for some in chunks(wanted, TRACES_PER_QUERY):
        with store.reading() as client:
            rows = client.query(sql, parameters={parameter: some}).result_rows
        yield from map(stored_score, rows)


def stored_score(row: Iterable[Any]) -> StoredScore:
    """The score of a row of `scores` with all its columns."""
    of = dict(zip(_COLUMNS, row, strict=True))
    return StoredScore(
        Score(
            of["Id"],
            of["Name"],
            of["Value"],
            of["Label"],
            of["Comment"],
            of["Source"],
            of["Time"],
            of["TraceId"],
            of["SpanId"],
            of["Author"],
            tuple(zip(of["GivenKeys"], of["GivenIds"], strict=True)),
            bool(of["GivenByResource"]),
        ),
        bool(of["Posted"]),
        tuple(((key, id_), level) for key, id_, level in zip(of["Keys"], of["Ids"], of["Levels"], strict=True)),
    )


def _write(store: Store, written: Collection[_Written], version: int) -> None:
    if not written:
        return
    rows = [row for one in written for row in _session_rows(one, version)]
    if rows:
        insert_rows(store, SESSION_SCORES, _as_columns(SESSION_SCORES, rows))
    insert_rows(store, SCORES, _as_columns(SCORES, [_row(one, version) for one in written]))


def _session_rows(one: _Written, version: int) -> Iterator[tuple[Any, ...]]:
    """The rows of a score, and of the sessions that it is no longer counted in."""
    score = one.score
    now = {pair for pair, _ in one.places}
    gone = [(pair, level) for pair, level in one.before if pair not in now]
    for places, deleted in ((one.places, 0), (gone, 1)):
        for (key, session_id), level in places:
            yield (
                key,
                id_hash(session_id),
                score.id,
                score.trace_id,
                level,
                score.time,
                score.name,
                score.value,
                score.label,
                version,
                deleted,
            )


def _row(one: _Written, version: int) -> tuple[Any, ...]:
    score = one.score
    return (
        score.id,
        score.trace_id,
        score.span_id,
        score.time,
        score.name,
        score.value,
        score.label,
        score.comment,
        score.source,
        score.author,
        one.posted,
        [key for key, _ in score.given],
        [id_ for _, id_ in score.given],
        score.by_resource,
        [key for (key, _), _ in one.places],
        [id_ for (_, id_), _ in one.places],
        [level for _, level in one.places],
        version,
    )


def _as_columns(table: str, rows: Collection[tuple[Any, ...]]) -> dict[str, list[Any]]:
    return dict(zip(COLUMNS[table], map(list, zip(*rows, strict=True)), strict=True))
