"""The columns that inserts write are the columns that the schema creates."""

from __future__ import annotations

import pytest

from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.clickhouse.columns import COLUMNS
from otel_sessions.server.otlp.batch import LOG_COLUMNS
from otel_sessions.server.otlp.spans import ROW
from otel_sessions.server.projections.sessions import SessionRows


@pytest.mark.parametrize("table", list(COLUMNS))
def test_columns_are_those_of_the_table(store: Store, table: str) -> None:
    """`COLUMNS` has the names, order and types of all columns of the table that ClickHouse does not compute."""
    SessionRows(store)  # adds the columns of `sessions` that are newer than the table
    with store.reading() as client:
        rows = client.query(f"DESCRIBE TABLE {table}").result_rows
    given = [(name, kind) for name, kind, default, *_ in rows if default != "MATERIALIZED"]
    assert given == list(COLUMNS[table].items())


def test_batches_have_the_same_columns() -> None:
    """Decoded batches have the columns of the tables that they are stored in."""
    assert set(COLUMNS["otel_traces"]) == set(ROW)
    assert {*LOG_COLUMNS, "Segment", "SegmentRow", "ContentRemoved"} == set(COLUMNS["otel_logs"])
