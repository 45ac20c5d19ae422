"""Rows are inserted once, whatever their times."""

from __future__ import annotations

from typing import Any

import pytest
from tests.server.building import AT, HOSTILE_TEXTS, columns_of, count, empty, span

from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.clickhouse.columns import COLUMNS
from otel_sessions.server.clickhouse.insert import insert_rows
from otel_sessions.server.clickhouse.times import LATEST, LATEST_PARTITION
from otel_sessions.timestamps import DAY_NS


def query(store: Store, sql: str) -> list[Any]:
    """The rows of a query, with times as integer nanoseconds UTC."""
    with store.reading() as client:
        return list(client.query(sql, query_formats={"DateTime64*": "int"}).result_rows)


def test_a_token_that_was_used_adds_nothing(store: Store) -> None:
    """An insert with a token that was used before adds no rows; one without a token, or with another token, does."""
    columns = columns_of([(1, span())])
    for token, rows in (("7-spans", 1), ("7-spans", 1), ("8-spans", 2), (None, 3), (None, 4)):
        insert_rows(store, "otel_traces", columns, token=token)
        assert count(store, "otel_traces") == rows


def test_all_columns_read_back(store: Store) -> None:
    """Every column of both tables reads back as it was inserted, with SQL and HTML in every text."""
    for table in ("otel_traces", "otel_logs"):
        columns: dict[str, list[Any]] = {}
        for name, kind in COLUMNS[table].items():
            one: list[Any] = [3 if empty(kind) == 0 else text for text in HOSTILE_TEXTS]
            if "Map" in kind:
                one = [{text: text} for text in HOSTILE_TEXTS]
            if kind.startswith("Array"):
                one = [[AT, 5] if "DateTime" in kind else [value, value] for value in one]
            columns[name] = one
        insert_rows(store, table, columns)
        quoted = ", ".join(f"`{name}`" for name in COLUMNS[table])
        key = "TraceId"
        rows = query(store, f"SELECT {quoted} FROM {table} ORDER BY {key}")
        assert rows == sorted(zip(*columns.values(), strict=True), key=lambda row: row[1].encode())


def test_times_outside_of_what_the_engine_holds(store: Store) -> None:
    """Times from 1970 on are kept; a time after 2106 is cut to the last one that the sort key holds, and is kept in full in its own column."""
    times = [0, 1, LATEST_PARTITION, LATEST_PARTITION + 1, 2**63 - 1, 2**64 - 1]
    insert_rows(
        store, "otel_traces", columns_of((1, span(i + 1, start=time, end=time)) for i, time in enumerate(times))
    )
    rows = query(store, "SELECT StartTimeUnixNano, Timestamp FROM otel_traces ORDER BY SpanId")
    assert rows == [(time, min(time, LATEST_PARTITION)) for time in times]
    partitions = query(
        store,
        "SELECT DISTINCT partition FROM system.parts WHERE active AND table = 'otel_traces' "
        "AND database = currentDatabase() ORDER BY partition",
    )
    assert partitions == [("1970-01-01",), ("2106-02-07",)]


def test_times_of_events(store: Store) -> None:
    """The time of an event is cut to the last one that its column holds; other times stay."""
    columns = columns_of([(1, span(1)), (1, span(2))])
    columns["Events.Timestamp"] = [[AT, 2**64 - 1], []]
    columns["Events.Name"] = [["a", "b"], []]
    columns["Events.Attributes"] = [[{}, {}], []]
    columns["EventAttributeTypes"] = [[{}, {}], []]
    insert_rows(store, "otel_traces", columns)
    assert query(store, "SELECT `Events.Timestamp` FROM otel_traces ORDER BY SpanId") == [
        ([AT, LATEST],),
        ([],),
    ]


def test_many_days_in_one_insert(store: Store) -> None:
    """Rows of more days than ClickHouse accepts in a block are all stored, and a repeated insert adds none."""
    spans = [(1, span(i + 1, start=AT + (i * 7 % 120) * DAY_NS)) for i in range(240)]
    for _ in range(2):
        insert_rows(store, "otel_traces", columns_of(spans), token="9-spans")
        assert count(store, "otel_traces") == 240
    assert query(store, "SELECT uniqExact(toDate(Timestamp)), uniqExact(SpanId) FROM otel_traces") == [(120, 240)]


@pytest.mark.parametrize("days_apart", [0, 2])
def test_many_rows_in_one_insert(store: Store, days_apart: int) -> None:
    """Rows that fill more than one block are all stored once, on few days and on many."""
    columns = columns_of((1, span(i + 1, start=AT + i * days_apart * DAY_NS)) for i in range(25))
    insert_rows(store, "otel_traces", columns, token="a", rows_per_block=10)
    assert query(store, "SELECT uniqExact(SpanId), count() FROM otel_traces") == [(25, 25)]


def test_no_rows(store: Store) -> None:
    """An insert without rows succeeds and adds nothing."""
    insert_rows(store, "otel_traces", columns_of([]), token="a")
    assert count(store, "otel_traces") == 0
