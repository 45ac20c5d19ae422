"""Inserts of columns, with a token against repetition, in blocks that ClickHouse takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import chain
from typing import Any, Final
from uuid import uuid4

from clickhouse_connect.datatypes.base import ClickHouseType
from clickhouse_connect.datatypes.registry import get_from_name

from otel_sessions.server.store.client import Store
from otel_sessions.server.store.columns import COLUMNS

DAY_NS: Final = 86_400 * 10**9

LATEST_NS: Final = 65_536 * DAY_NS - 1
"""The last moment of June 6th, 2149: a partition is a `Date`, which starts anew in 1970 after that."""

LATEST_TIME_NS: Final = 2**63 - 1
"""What a `DateTime64(9)` can hold, in April 2262."""

DAYS_PER_BLOCK: Final = 45
"""ClickHouse takes 100 partitions a block. They are days of its own time zone, so one of ours can be two of them."""

ROWS_PER_BLOCK: Final = 32_768


def insert_rows(
    store: Store,
    table: str,
    columns: Mapping[str, Sequence[Any]],
    *,
    token: str | None = None,
    into: str | None = None,
) -> None:
    """Insert rows; a time that the engine cannot hold becomes the last one that it can.

    Args:
        store: where to.
        table: one of `COLUMNS`.
        columns: all its columns, or some: the others stay empty. Times as integer nanoseconds UTC.
        token: an insert of the same rows with a token that was used lately adds nothing.
        into: a table that was made like this one, instead of it.
    """
    names = [name for name in COLUMNS[table] if name in columns]
    types = _types(table)
    data: list[Sequence[Any]] = [_storable(name, types[name], columns[name]) for name in names]
    if token is None:
        # Without one the engine would compare contents, and rows that were deleted could not come again.
        token = uuid4().hex
    blocks: Iterator[list[Sequence[Any]]] = iter([data])
    if "Timestamp" in columns:
        blocks = _blocks(data, data[names.index("Timestamp")])
    with store.writing() as client:
        for number, block in enumerate(blocks):
            client.insert(
                into or table,
                block,
                column_names=names,
                column_types=[types[name] for name in names],
                column_oriented=True,
                settings={"insert_deduplication_token": f"{token}-{number}"},
            )


def _blocks(data: list[Sequence[Any]], times: Sequence[int]) -> Iterator[list[Sequence[Any]]]:
    """The rows in blocks of so many rows and days at most; in order of days where these are many."""
    days = [time // DAY_NS for time in times]
    if len(times) <= ROWS_PER_BLOCK and len(set(days)) <= DAYS_PER_BLOCK:
        if times:
            yield data
        return
    rows: list[int] = []
    days_of_block: set[int] = set()
    for row in sorted(range(len(times)), key=days.__getitem__):
        if len(rows) == ROWS_PER_BLOCK or (days[row] not in days_of_block and len(days_of_block) == DAYS_PER_BLOCK):
            yield [[column[row] for row in rows] for column in data]
            rows, days_of_block = [], set()
        rows.append(row)
        days_of_block.add(days[row])
    yield [[column[row] for row in rows] for column in data]


def _storable(name: str, kind: ClickHouseType, values: Sequence[Any]) -> Sequence[Any]:
    if name == "Timestamp":
        if max(values, default=0) > LATEST_NS:
            return [min(value, LATEST_NS) for value in values]
    elif kind.name == "Array(DateTime64(9))" and max(chain.from_iterable(values), default=0) > LATEST_TIME_NS:
        return [[min(time, LATEST_TIME_NS) for time in times] for times in values]
    return values


@cache
def _types(table: str) -> dict[str, ClickHouseType]:
    return {name: get_from_name(kind) for name, kind in COLUMNS[table].items()}
