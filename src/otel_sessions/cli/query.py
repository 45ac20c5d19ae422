"""`otel-sessions query`."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

import typer

from otel_sessions.cli.errors import WRONG_USAGE, CommandError, ending, say
from otel_sessions.cli.output import (
    FieldsOption,
    JsonLinesOption,
    JsonOption,
    Layout,
    Listing,
    value_text,
    write,
)
from otel_sessions.cli.server_options import FolderOption, UrlOption, asking
from otel_sessions.cli.tables import Column, cell

Item = Mapping[str, Any]

ROWS: Final = 1_000


def query(
    sql: Annotated[
        str, typer.Argument(metavar="SQL", help="A SELECT on the tables of the store; - reads it from stdin.")
    ],
    *,
    url: UrlOption = None,
    store: FolderOption = None,
    json: JsonOption = False,
    jsonl: JsonLinesOption = False,
    limit: Annotated[int, typer.Option(min=1, help="How many rows to return at most.")] = ROWS,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV with a head.")] = False,
    fields: FieldsOption = None,
) -> None:
    """Run read-only SQL in ClickHouse's dialect; rows and time are bounded by the server.

    A terminal gets a table; a pipe gets a line a row, with tabs between the columns and without a head.
    """
    with ending():
        layout = Layout.of(json=json, jsonl=jsonl, fields=fields)
        if as_csv and (json or jsonl):
            raise CommandError("--csv, --json and --jsonl are three layouts; give one of them", status=WRONG_USAGE)
        statement = sys.stdin.read() if sql == "-" else sql
        if not statement.strip():
            raise CommandError(
                "the statement is empty; write it like: SELECT count() FROM sessions", status=WRONG_USAGE
            )
        with asking(url, store) as client:
            answer = client.post("/v1/query", {"sql": statement, "limit": limit})
        names, rows = rows_of(answer)
        if as_csv:
            _write_csv(names, rows, layout.fields)
        else:
            write(rows, layout, _listing(names))
        if answer.get("truncated"):
            say(f"there are more than these {len(rows):,} rows; --limit shows more")


def rows_of(answer: Mapping[str, Any]) -> tuple[list[str], list[Item]]:
    """The names of the columns of an answer, and its rows by these names."""
    columns = [str(one["name"] if isinstance(one, dict) else one) for one in answer.get("columns") or ()]
    rows: list[Item] = [
        one if isinstance(one, dict) else dict(zip(columns, one, strict=True)) for one in answer["data"]
    ]
    return columns or list(dict.fromkeys(name for row in rows for name in row)), rows


def _listing(names: Sequence[str]) -> Listing:
    return Listing(
        columns=lambda rows: tuple(_column(name, rows, rank) for rank, name in enumerate(names)),
        fields=tuple(names),
        empty="no rows",
    )


def _column(name: str, rows: Sequence[Item], rank: int) -> Column:
    is_number = all(isinstance(row.get(name), int | float | None) for row in rows)
    return Column(cell(name), lambda row: cell(value_text(row.get(name))), rank=rank, right=is_number, flexible=True)


def _write_csv(names: Sequence[str], rows: Sequence[Item], fields: Sequence[str] | None) -> None:
    unknown = next((name for name in fields or () if name not in names), None)
    if unknown is not None:
        raise CommandError(f"there is no field {unknown!r}; the fields are {', '.join(names)}", status=WRONG_USAGE)
    for row in [dict(zip(names, names, strict=True)), *rows]:
        typer.echo(_csv_line([value_text(row.get(name)) for name in fields or names]))


def _csv_line(values: Sequence[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(values)
    return text.getvalue()
