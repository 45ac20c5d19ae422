"""What sessions were given by requests, as lines of an export: scores, annotations and names, which no span or log record holds.

In OTLP each is a log record of the scope `SCOPE`, whose body is the line. A program that does not know them takes them for log records.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator
from contextlib import closing
from itertools import islice
from typing import Any, Final

from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.clickhouse.columns import COLUMNS, SCORES
from otel_sessions.server.clickhouse.span_rows import span_hex, trace_hex
from otel_sessions.server.exporting.kinds import ANNOTATION_LINE, EVENTS, KIND, NAME_LINE, SCOPE, SCORE_LINE
from otel_sessions.server.exporting.selection import Selection
from otel_sessions.server.exporting.statements import statement
from otel_sessions.server.otlp.json_requests import logs_of_object
from otel_sessions.server.projections.scores import stored_score
from otel_sessions.timestamps import format_time

ROWS_AT_ONCE: Final = 1_000
_RECORDS: Final = 500
"""Of one request."""

Line = dict[str, Any]

_to_json: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def given_lines(store: Store, selection: Selection) -> Iterator[bytes]:
    """A line of JSON for each score, annotation and name."""
    for line in _lines(store, selection):
        yield _to_json(line).encode() + b"\n"


def given_otlp_lines(store: Store, selection: Selection) -> Iterator[bytes]:
    """OTLP/JSON, a request a line."""
    for request in _requests(store, selection):
        yield _to_json(request).encode() + b"\n"


def given_otlp_messages(store: Store, selection: Selection) -> Iterator[bytes]:
    """Serialized requests, each behind its length in four bytes."""
    for request in _requests(store, selection):
        raw = bytes(logs_of_object(request)[0].SerializeToString())
        yield len(raw).to_bytes(4) + raw


def _requests(store: Store, selection: Selection) -> Iterator[Line]:
    with closing(_lines(store, selection)) as lines:
        while some := list(islice(lines, _RECORDS)):
            records = [
                {"eventName": EVENTS[line[KIND]], "body": {"stringValue": _to_json(line)}, "severityNumber": 9}
                for line in some
            ]
            yield {"resourceLogs": [{"resource": {}, "scopeLogs": [{"scope": {"name": SCOPE}, "logRecords": records}]}]}


def _lines(store: Store, selection: Selection) -> Generator[Line]:
    chosen = selection.given()
    for columns, which, line in (
        ("given_scores", chosen.scores, _score),
        ("given_annotations", chosen.others, _annotation),
        ("given_names", chosen.others, _name),
    ):
        sql = statement(columns, columns=", ".join(COLUMNS[SCORES]), which=which, rows=str(ROWS_AT_ONCE))
        with store.reading() as client, client.query_row_block_stream(sql, parameters=chosen.parameters) as blocks:
            for block in blocks:
                yield from map(line, block)


def _score(row: Any) -> Line:
    score = stored_score(row).score
    ((key, session_id),) = score.given
    return {
        KIND: SCORE_LINE,
        "session_key": key,
        "session_id": session_id,
        "id": trace_hex(score.id),
        "name": score.name,
        "value": score.value,
        "label": score.label,
        "comment": score.comment,
        "source": score.source,
        **_on(score.time, score.trace_id, score.span_id, score.author),
    }


def _annotation(row: Any) -> Line:
    key, session_id, annotation_id, text, time, trace_id, span_id, author = row
    return {
        KIND: ANNOTATION_LINE,
        "session_key": key,
        "session_id": session_id,
        "id": trace_hex(annotation_id),
        "text": text,
        **_on(time, trace_id, span_id, author),
    }


def _name(row: Any) -> Line:
    key, session_id, name = row
    return {KIND: NAME_LINE, "session_key": key, "session_id": session_id, "name": name}


def _on(time: int, trace_id: int, span_id: int, author: str | None) -> Line:
    return {
        "time": format_time(time),
        "trace_id": trace_hex(trace_id) if trace_id else None,
        "span_id": span_hex(span_id) if span_id else None,
        "author": author,
    }
