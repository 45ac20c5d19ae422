"""Rows that are made in Python, such as sessions, as CSV, JSON lines or Parquet."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.exporting.records import csv_line, write_parquet
from otel_sessions.server.exporting.statements import statement

Columns = Mapping[str, str]
"""By name, the ClickHouse type of a column: a nullable scalar; what is a list or an object goes in as JSON."""

TEXT: Final = "Nullable(String)"
_FORMULA: Final = re.compile(r"[=+\-@\t\r]")
_to_json: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def table_json_lines(rows: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    """Each row as one line of JSON."""
    for row in rows:
        yield _to_json(row).encode() + b"\n"


def table_csv_lines(columns: Columns, rows: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    """Rows as CSV with a head. What is unknown is empty; a text that a program would take for a formula is behind a `'`."""
    yield csv_line(list(columns))
    for row in rows:
        yield csv_line([_cell(row[name]) for name in columns])


def table_parquet(store: Store, columns: Columns, rows: Iterable[Mapping[str, Any]], path: Path) -> None:
    """Write rows as Parquet into a file that does not exist.

    Raises:
        StoreError: the engine cannot write them.
        OSError: a file cannot be written.
    """
    structure = ", ".join(f"`{name}` {kind}" for name, kind in columns.items())
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".jsonl") as lines:
        for row in rows:
            lines.write(_to_json({name: _flat(row[name]) for name in columns}).encode() + b"\n")
        lines.flush()
        sql = statement("json_lines", structure=structure.replace("'", "\\'"))
        write_parquet(store, sql, {"rows": lines.name}, path)


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    flat = _flat(value)
    return f"'{flat}" if isinstance(flat, str) and _FORMULA.match(flat) else flat


def _flat(value: Any) -> Any:
    return _to_json(value) if isinstance(value, list | dict) else value
