"""`ask`: a question in SQL, which can change nothing, and is bounded in rows, bytes, time and memory."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from string import Template
from typing import Any, Final, NamedTuple

from clickhouse_connect.driver.exceptions import Error

from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.clickhouse.engine_errors import store_error
from otel_sessions.server.clickhouse.errors import StoreAwayError
from otel_sessions.server.queries.query_check import checked_query
from otel_sessions.server.queries.statements import statement

MOST_ROWS: Final = 100_000
ROWS: Final = 1_000
MOST_SECONDS: Final = 60.0
SECONDS: Final = 10.0
MEMORY_BYTES: Final = 1 << 30
ANSWER_BYTES: Final = 64 << 20
DISK_BYTES: Final = 1 << 30

_ENDED: Final = {
    "TIMEOUT_EXCEEDED": "the query was stopped after {seconds:g} s; ask for less, or allow more `seconds`",
    "MEMORY_LIMIT_EXCEEDED": f"the query was stopped, since it needs more than {MEMORY_BYTES >> 20} MiB of memory; ask for less at once",
    "TOO_MANY_ROWS_OR_BYTES": f"the answer has more than {ANSWER_BYTES >> 20} MiB; select fewer columns or rows",
    "TOO_MANY_BYTES": f"the query needs more than {DISK_BYTES >> 20} MiB of disk; ask for less at once",
}
_WIDE: Final = ("Int128", "Int256")


class QueryFailedError(Exception):
    """The engine refused or stopped the query; the message says why."""


class Answer(NamedTuple):
    """The answer to a question.

    Attributes:
        columns: the name and the ClickHouse type of each column; names are unique.
        rows: the values, in the order of the columns. Integers of 128 bits and more, and decimals, are text.
        truncated: there are more rows.
    """

    columns: list[tuple[str, str]]
    rows: list[list[Any]]
    truncated: bool


def ask(store: Store, sql: str, *, limit: int = ROWS, seconds: float = SECONDS) -> Answer:
    """The answer to a question in SQL, as `Reader.ask` describes it."""
    with store.asking() as client:
        try:
            query = checked_query(client, sql, is_embedded=store.is_embedded)
            bounded = Template(statement("bounded_query")).substitute(
                query=query,
                limit=str(limit + 1),
                seconds=str(seconds),
                memory=str(MEMORY_BYTES),
                bytes=str(ANSWER_BYTES),
                disk=str(DISK_BYTES),
            )
            found = json.loads(client.raw_query(bounded))
        except Error as error:
            raise _failed(store, error, seconds) from error
    columns = _unique([(one["name"], one["type"]) for one in found["meta"]])
    readers = [_as_text if any(wide in kind for wide in _WIDE) else None for _, kind in columns]
    rows = [_row(row, readers) for row in found["data"][:limit]]
    return Answer(columns, rows, len(found["data"]) > limit)


def _row(row: list[Any], readers: Sequence[Callable[[Any], Any] | None]) -> list[Any]:
    return [value if reader is None else reader(value) for value, reader in zip(row, readers, strict=True)]


def _as_text(value: Any) -> Any:
    """The value with its integers as text, also those inside of it."""
    if isinstance(value, list):
        return [_as_text(item) for item in value]
    if isinstance(value, dict):
        return {name: _as_text(item) for name, item in value.items()}
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _unique(columns: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The columns with a number behind names that came before."""
    seen: set[str] = set()
    found = []
    for name, kind in columns:
        unique, number = name, 1
        while unique in seen:
            number += 1
            unique = f"{name}_{number}"
        seen.add(unique)
        found.append((unique, kind))
    return found


def _failed(store: Store, error: Error, seconds: float) -> Exception:
    ended = _ENDED.get(error.name or "")
    if ended is not None:
        return QueryFailedError(ended.format(seconds=seconds))
    known = store_error(store.shown, error)
    if isinstance(known, StoreAwayError):
        return known
    return QueryFailedError(str(error).partition("(version")[0].strip())
