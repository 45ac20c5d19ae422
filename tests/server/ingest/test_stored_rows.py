"""Stored rows are found by segment and by trace."""

from __future__ import annotations

from typing import Any

from tests.server.building import AT, columns_of, empty, span

from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.clickhouse.columns import COLUMNS, LOGS
from otel_sessions.server.clickhouse.insert import insert_rows
from otel_sessions.server.ingest.stored_rows import stored_log_rows, stored_spans


def insert(store: Store, segment: int, rows: list[int]) -> None:
    """Store log records of a segment."""
    columns: dict[str, list[Any]] = {name: [empty(kind)] * len(rows) for name, kind in COLUMNS[LOGS].items()}
    columns["Timestamp"] = [AT] * len(rows)
    columns["Segment"] = [segment] * len(rows)
    columns["SegmentRow"] = rows
    insert_rows(store, LOGS, columns)


def test_the_rows_of_a_segment(store: Store) -> None:
    """The rows of the segment are found, no others; a segment without records has none."""
    insert(store, 7, [0, 1, 5])
    insert(store, 7, [2**32 - 1])
    insert(store, 2**63, [3])
    assert stored_log_rows(store, 7) == {0, 1, 5, 2**32 - 1}
    assert stored_log_rows(store, 2**63) == {3}
    assert stored_log_rows(store, 8) == set()


def test_rows_of_a_collector(store: Store) -> None:
    """Rows of a Collector belong to no segment."""
    with store.writing() as client:
        client.command("INSERT INTO otel_logs (Timestamp, Body) VALUES (now(), 'hello')")
    assert stored_log_rows(store, 1) == set()


def test_stored_spans(store: Store) -> None:
    """The rows that are there are found, also by several queries."""
    insert_rows(store, "otel_traces", columns_of([(1, span(1)), (1, span(2)), (2**128 - 1, span(2**64 - 1))]))
    assert stored_spans(store, [1, 5, 6, 2**128 - 1], at_once=2) == {(1, 1), (1, 2), (2**128 - 1, 2**64 - 1)}
    assert stored_spans(store, [], at_once=2) == set()
