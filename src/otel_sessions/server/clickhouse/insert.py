"""Insert columns, or rows in RowBinary, in blocks that ClickHouse accepts, with a token that keeps a repeated insert out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final
from uuid import uuid4

from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.clickhouse.columns import COLUMNS, LOGS, TRACES
from otel_sessions.server.clickhouse.row_binary import Writer, writer
from otel_sessions.server.clickhouse.times import LATEST_PARTITION
from otel_sessions.timestamps import DAY_NS

DAYS_PER_BLOCK: Final = 45
"""ClickHouse accepts 100 partitions in a block. They are days in its own time zone, so one day in UTC can be two of them."""

ROWS_PER_BLOCK: Final = 32_768

_WITHOUT_INDEXES: Final = {"materialize_skip_indexes_on_insert": 0}
_SETTINGS: Final = {TRACES: _WITHOUT_INDEXES, LOGS: _WITHOUT_INDEXES}
"""Spans and log records have many indexes. The first merge builds them, for many inserts at once. Until then a query scans new rows."""

_NOTHING: Final = object()


def insert_rows(
    store: Store,
    table: str,
    columns: Mapping[str, Sequence[Any]],
    *,
    token: str | None = None,
    rows_per_block: int = ROWS_PER_BLOCK,
) -> None:
    """Insert rows given as columns. A time that ClickHouse cannot hold becomes the latest one that it can.

    Args:
        store: where the table is.
        table: one of `COLUMNS`.
        columns: all its columns, or some: the others stay empty. Times as integer nanoseconds UTC.
        token: an insert of the same rows with a token that was used lately adds nothing.
        rows_per_block: how many rows a block has at most.
    """
    names = [name for name in COLUMNS[table] if name in columns]
    timestamps = columns.get("Timestamp")
    if timestamps is not None:
        timestamps = [min(time, LATEST_PARTITION) for time in timestamps]
        columns = {**columns, "Timestamp": timestamps}
    written = [_written(columns[name], writer(COLUMNS[table][name])) for name in names]
    rows = [b"".join(values) for values in zip(*written, strict=True)]
    insert_written(store, table, names, rows, timestamps, token=token, rows_per_block=rows_per_block)


def _written(values: Iterable[Any], write: Writer) -> Iterator[bytes]:
    """The values in RowBinary. Rows share much, such as the attributes of a resource; what is repeated is written once."""
    last: Any = _NOTHING
    raw = b""
    for value in values:
        if value is not last:
            last, raw = value, write(value)
        yield raw


def insert_written(
    store: Store,
    table: str,
    names: Sequence[str],
    rows: Sequence[bytes],
    timestamps: Sequence[int] | None = None,
    *,
    token: str | None = None,
    rows_per_block: int = ROWS_PER_BLOCK,
) -> None:
    """Insert rows in RowBinary.

    Args:
        store: where the table is.
        table: its name.
        names: the columns in the order of a row.
        rows: each in RowBinary.
        timestamps: of each row, the time that the table is partitioned by, nanoseconds UTC; `None` if it is not.
        token: as in `insert_rows`.
        rows_per_block: as in `insert_rows`.
    """
    # Without a token ClickHouse compares contents, so rows that were deleted could not be inserted again.
    token = token or uuid4().hex
    with store.writing() as client:
        for number, places in enumerate(_blocks(len(rows), timestamps, rows_per_block)):
            client.raw_insert(
                table,
                names,
                b"".join([rows[place] for place in places]),
                settings={"insert_deduplication_token": f"{token}-{number}", **_SETTINGS.get(table, {})},
                fmt="RowBinary",
            )


def _blocks(count: int, times: Sequence[int] | None, rows_per_block: int) -> Iterator[Sequence[int]]:
    """The indices of the rows of each block, which has at most `rows_per_block` rows of `DAYS_PER_BLOCK` days."""
    if times is None or not times or max(times) // DAY_NS - min(times) // DAY_NS < DAYS_PER_BLOCK:
        for first in range(0, count, rows_per_block):
            yield range(first, min(first + rows_per_block, count))
        return
    days = [time // DAY_NS for time in times]
    rows: list[int] = []
    days_of_block: set[int] = set()
    for row in sorted(range(len(times)), key=days.__getitem__):
        if len(rows) == rows_per_block or (days[row] not in days_of_block and len(days_of_block) == DAYS_PER_BLOCK):
            yield rows
            rows, days_of_block = [], set()
        rows.append(row)
        days_of_block.add(days[row])
    yield rows
