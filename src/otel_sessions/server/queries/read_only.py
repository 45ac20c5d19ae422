"""`ask`: a question in SQL, which can change nothing, and is bounded in rows, bytes, time and memory."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from string import Template
from typing import Any, Final, NamedTuple

from clickhouse_connect.driver.client import Client
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
PART_BYTES: Final = 1 << 20

_ENDED: Final = {
    "TIMEOUT_EXCEEDED": "the query was stopped after {seconds:g} s; ask for less, or allow more `seconds`",
    "MEMORY_LIMIT_EXCEEDED": f"the query was stopped, since it needs more than {MEMORY_BYTES >> 20} MiB of memory; ask for less at once",
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
            checked = checked_query(client, sql, is_embedded=store.is_embedded)
            bounds = Template(statement("bounds_of_query")).substitute(
                limit=limit + 1, seconds=seconds, memory=MEMORY_BYTES, disk=DISK_BYTES
            )
            query = f"{checked.sql}\n{bounds}"
            if checked.is_select:
                columns = _columns(client, checked.sql)
                found = _rows(client, query)
            else:
                told = json.loads(client.raw_query(query, fmt="JSONCompact"))
                columns, found = [(one["name"], one["type"]) for one in told["meta"]], told["data"]
        except Error as error:
            raise _failed(store, error, seconds) from error
    readers = [_as_text if any(wide in kind for wide in _WIDE) else None for _, kind in columns]
    rows = [_row(row, readers) for row in found[:limit]]
    return Answer(_unique(columns), rows, len(found) > limit)


def _columns(client: Client, query: str) -> list[tuple[str, str]]:
    """The names and types of the columns of a query."""
    sql = Template(statement("columns_of_query")).substitute(query=query)
    return [(name, kind) for name, kind, *_ in client.query(sql).result_rows]


def _rows(client: Client, query: str) -> list[list[Any]]:
    """The rows of an answer, read while the engine makes them, so that a large one never is in memory.

    Raises:
        QueryFailedError: it is too large.
    """
    answer = bytearray()
    with client.raw_stream(query, fmt="JSONEachRow") as stream:
        while part := stream.read(PART_BYTES):
            answer += part
            if len(answer) > ANSWER_BYTES:
                raise QueryFailedError(
                    f"the answer has more than {ANSWER_BYTES >> 20} MiB; select fewer columns or rows"
                )
    # Columns may have the same name, so a row is read as pairs.
    return [_values(line) for line in answer.split(b"\n") if line]


def _values(line: bytes | bytearray) -> list[Any]:
    """The values of a row in their order; only its outermost object, which is read last, stays a list of pairs."""
    pairs: list[tuple[str, Any]] = []

    def read(found: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal pairs
        pairs = found
        return dict(found)

    json.loads(line, object_pairs_hook=read)
    return [value for _, value in pairs]


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
