"""The table `trace_facts`: the facts of spans, by trace."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import islice
from struct import Struct
from typing import Any, Final, TypeVar

from otel_sessions.counting.distinct_spans import distinct_spans
from otel_sessions.counting.facts import SpanFacts
from otel_sessions.counting.membership import sessions_of
from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.clickhouse.columns import COLUMNS, FACTS
from otel_sessions.server.clickhouse.insert import insert_written
from otel_sessions.server.clickhouse.row_binary import raw_string
from otel_sessions.server.clickhouse.span_rows import AS_NUMBERS
from otel_sessions.server.projections.facts_json import WrittenFacts, from_json, write_facts
from otel_sessions.server.projections.statements import statement

TRACES_PER_QUERY: Final = 500

_T = TypeVar("_T")

_NUMBERS: Final = Struct("<QQQ").pack
"""Version, Start, End."""


def insert_facts(store: Store, facts: Mapping[int, Collection[SpanFacts]], version: int, *, table: str = FACTS) -> None:
    """Add facts of spans, by trace id; the same facts may come again.

    Args:
        store: where the table is.
        facts: by trace id.
        version: of the commit, or of the deletion that left these facts of a trace.
        table: `trace_facts`, or a table of the same columns.
    """
    insert_written_facts(
        store, {trace_id: write_facts(trace_id, spans) for trace_id, spans in facts.items()}, version, table=table
    )


def insert_written_facts(store: Store, facts: Mapping[int, WrittenFacts], version: int, *, table: str = FACTS) -> None:
    """Add facts that are JSON already, as `insert_facts` does."""
    rows = [
        b"".join(
            (
                trace_id.to_bytes(16, "little"),
                _NUMBERS(version, start, end),
                raw_string(json),
                b"\x01" if is_cell else b"\0",
            )
        )
        for trace_id, (start, end, json, is_cell) in facts.items()
    ]
    insert_written(store, table, list(COLUMNS[FACTS]), rows)


def facts_of(
    store: Store, trace_ids: Iterable[int], *, at_once: int = TRACES_PER_QUERY, table: str = FACTS
) -> dict[int, list[SpanFacts]]:
    """All stored facts of these traces, repetitions included; a trace without any is missing."""
    found: dict[int, list[SpanFacts]] = {}
    for some in chunks(trace_ids, at_once):
        with store.reading() as client:
            rows = client.query(statement("facts_of_traces", table=table), parameters={"trace_ids": some}).result_rows
        for trace_id, written in rows:
            found.setdefault(trace_id, []).extend(from_json(written))
    return found


def members(facts: Iterable[SpanFacts], session: tuple[str, str]) -> list[SpanFacts]:
    """The spans and log records of one trace that belong to a session, in the order of their start."""
    spans = distinct_spans(facts)
    if not spans:
        return []
    sessions = sessions_of(spans)
    found = [span for span_id, span in spans.items() if session in sessions[span_id]]
    return sorted(found, key=lambda span: (span.start, span.span_id))


def seen_trace_ids(store: Store) -> array[int]:
    """The lower 64 bits of the ids of all traces with facts, sorted."""
    return numbers(store, statement("seen_trace_ids"))


def has_cells(store: Store) -> bool:
    """Return True if there are facts of log records that are in no trace."""
    with store.reading() as client:
        return bool(client.query(statement("has_cells")).result_rows)


def numbers(store: Store, sql: str, parameters: dict[str, Any] | None = None) -> array[int]:
    """The answer to a query whose columns are all `UInt64`, row by row, in 8 bytes a number."""
    found = array("Q")
    with store.reading() as client:
        found.frombytes(client.raw_query(sql, parameters=parameters, fmt="RowBinary"))
    return found


def stream(store: Store, sql: str, parameters: dict[str, Any] | None = None) -> Iterator[dict[str, Any]]:
    """The rows of an answer of any size by column name, with times as integers."""
    with (
        store.reading() as client,
        client.query_row_block_stream(sql, parameters=parameters, query_formats=AS_NUMBERS) as blocks,
    ):
        names = blocks.source.column_names
        for block in blocks:
            for row in block:
                yield dict(zip(names, row, strict=True))


def last_version(store: Store) -> int:
    """The greatest version of all facts and trace groups; 0 in an empty store."""
    with store.reading() as client:
        return int(client.query(statement("last_version")).result_rows[0][0])


def chunks(values: Iterable[_T], size: int) -> Iterator[list[_T]]:
    """The values in lists of at most `size`."""
    rest = iter(values)
    while some := list(islice(rest, size)):
        yield some
