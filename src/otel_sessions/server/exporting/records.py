"""Spans and log records of an export: as OTLP requests without loss, and as rows of a table."""

from __future__ import annotations

import csv
import io
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from clickhouse_connect.driver.client import Client

from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.clickhouse.columns import COLUMNS, LOGS, TRACES
from otel_sessions.server.clickhouse.span_rows import AS_NUMBERS
from otel_sessions.server.exporting.kinds import KIND, LOG_LINE, SPAN_LINE
from otel_sessions.server.exporting.selection import Selection
from otel_sessions.server.exporting.statements import statement
from otel_sessions.server.otlp.batch import SENT_LOG_COLUMNS
from otel_sessions.server.otlp.objects import Row
from otel_sessions.server.otlp.requests_of_rows import json_requests, protobuf_requests
from otel_sessions.server.signals import TRACES as SPANS

READ_BYTES: Final = 1 << 20
ROWS_AT_ONCE: Final = 1_024
"""Rows that are read at once; each may have values of megabytes."""

SORT_BYTES: Final = 256 << 20
"""Bytes of rows that are sorted in memory; more go to the disk meanwhile."""

SPAN_COLUMNS: Final = tuple(COLUMNS[TRACES])
FORMULA: Final = "^[=+\\\\-@\\\\t\\\\r]"
"""How a text begins that programs for spreadsheets take for a formula."""


def columns_of(signal: str) -> tuple[str, ...]:
    """The columns of spans or log records that an export has, in the order of the table."""
    return SPAN_COLUMNS if signal == SPANS else SENT_LOG_COLUMNS


def otlp_lines(store: Store, signal: str, selection: Selection) -> Iterator[bytes]:
    """OTLP/JSON, a request a line, as the file exporter of the Collector writes it."""
    with closing(_rows(store, signal, selection)) as rows:
        for request in json_requests(signal, rows):
            yield request + b"\n"


def otlp_messages(store: Store, signal: str, selection: Selection) -> Iterator[bytes]:
    """Serialized requests, each behind its length in four bytes, as the file exporter of the Collector writes them."""
    with closing(_rows(store, signal, selection)) as rows:
        for request in protobuf_requests(signal, rows):
            yield len(request).to_bytes(4) + request


def json_lines(store: Store, signal: str, selection: Selection) -> Iterator[bytes]:
    """Rows as JSON, one a line: all columns, times as integer nanoseconds UTC."""
    kind = f"'{SPAN_LINE if signal == SPANS else LOG_LINE}' AS {KIND}"
    columns = ", ".join([kind, *(_as_number(name, COLUMNS[_table(signal)][name]) for name in columns_of(signal))])
    return _raw(store, signal, selection, columns, "JSONEachRow")


def csv_lines(store: Store, signal: str, selection: Selection) -> Iterator[bytes]:
    """Rows as CSV with a head: maps and lists as JSON. A text that a program would take for a formula is behind a `'`."""
    kinds = COLUMNS[_table(signal)]
    columns = ", ".join(_as_cell(name, kinds[name]) for name in columns_of(signal))
    yield csv_line(columns_of(signal))
    yield from _raw(store, signal, selection, columns, "CSV")


def parquet(store: Store, signal: str, selection: Selection, path: Path) -> None:
    """Write rows as Parquet into a file that does not exist.

    Raises:
        StoreError: they cannot be read or written.
        OSError: the file cannot be written.
    """
    columns = ", ".join(_as_parquet(name, COLUMNS[_table(signal)][name]) for name in columns_of(signal))
    sql, parameters = _statement(store, signal, selection, columns)
    write_parquet(store, sql, parameters, path)


def write_parquet(store: Store, sql: str, parameters: dict[str, Any], path: Path) -> None:
    """Write the answer to a query as Parquet into a file that does not exist."""
    with store.reading() as client:
        if store.is_embedded:
            # As a stream, each block would be a file of its own.
            client.command(statement("into_file", sql=sql), parameters={**parameters, "path": str(path)})
            return
        with path.open("wb") as file:
            for chunk in _stream(client, sql, parameters, "Parquet"):
                file.write(chunk)


def csv_line(cells: Sequence[Any]) -> bytes:
    """A line of CSV."""
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(cells)
    return line.getvalue().encode()


def _rows(store: Store, signal: str, selection: Selection) -> Generator[Row]:
    names = columns_of(signal)
    sql, parameters = _statement(store, signal, selection, ", ".join(f"`{name}`" for name in names))
    with (
        store.reading() as client,
        client.query_column_block_stream(sql, parameters=parameters, query_formats=AS_NUMBERS) as blocks,
    ):
        for block in blocks:
            for values in zip(*block, strict=True):
                yield dict(zip(names, values, strict=True))


def _raw(store: Store, signal: str, selection: Selection, columns: str, format_: str) -> Iterator[bytes]:
    sql, parameters = _statement(store, signal, selection, columns)
    with store.reading() as client:
        yield from _stream(client, sql, parameters, format_)


def _stream(client: Client, sql: str, parameters: dict[str, Any], format_: str) -> Iterator[bytes]:
    stream: Any = client.raw_stream(sql, parameters=parameters, fmt=format_)
    with closing(stream):
        while chunk := stream.read(READ_BYTES):
            yield chunk


def _statement(store: Store, signal: str, selection: Selection, columns: str) -> tuple[str, dict[str, Any]]:
    which, parameters = selection.spans() if signal == SPANS else selection.logs(store)
    name = "spans" if signal == SPANS else "logs"
    sql = statement(name, columns=columns, which=which, rows=str(ROWS_AT_ONCE), sort_bytes=str(SORT_BYTES))
    return sql, parameters


def _table(signal: str) -> str:
    return TRACES if signal == SPANS else LOGS


def _as_number(name: str, kind: str) -> str:
    if kind == "DateTime64(9)":
        return f"toUnixTimestamp64Nano(`{name}`) AS `{name}`"
    if kind == "Array(DateTime64(9))":
        return f"arrayMap(moment -> toUnixTimestamp64Nano(moment), `{name}`) AS `{name}`"
    return f"`{name}`"


def _as_cell(name: str, kind: str) -> str:
    if "String" not in kind or kind.startswith(("Map", "Array")):
        return _as_number(name, kind) if not kind.startswith(("Map", "Array")) else f"toJSONString(`{name}`)"
    return f"if(match(`{name}`, '{FORMULA}'), concat('\\'', `{name}`), `{name}`)"


def _as_parquet(name: str, kind: str) -> str:
    return f"toTimeZone(`{name}`, 'UTC') AS `{name}`" if kind == "DateTime64(9)" else f"`{name}`"
