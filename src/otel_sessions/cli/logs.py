"""`otel-sessions logs`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, Final

import typer

from otel_sessions.cli.errors import ending
from otel_sessions.cli.output import FieldsOption, JsonLinesOption, JsonOption, Layout, Listing, as_json, write
from otel_sessions.cli.server_options import DEFAULT_KEY, FolderOption, KeyOption, UrlOption, asking
from otel_sessions.cli.session_ids import SessionArgument, in_session, part_of
from otel_sessions.cli.shown import clock, day_of
from otel_sessions.cli.styles import cells, columns, lines_of, shortened, styled
from otel_sessions.cli.tables import cell

FIELDS: Final = ("time", "severity_text", "service", "event_name", "trace_id", "span_id", "body")
"""What a line with tabs has."""

_ELSEWHERE: Final = ("event.name", "event.timestamp", "session.id")
_INDENT: Final = "  "
_LEVELS: Final = ((17, "red"), (13, "yellow"), (9, "green"))
"""Colours by the least severity number that has them, as OpenTelemetry numbers errors, warnings and information."""


def logs(
    session: SessionArgument,
    *,
    url: UrlOption = None,
    store: FolderOption = None,
    key: KeyOption = DEFAULT_KEY,
    severity: Annotated[
        str | None,
        typer.Option(metavar="LEVEL", help="Only records of this severity: trace, debug, info, warn, error or fatal."),
    ] = None,
    grep: Annotated[str | None, typer.Option(metavar="TEXT", help="Only records with this text in their body.")] = None,
    event: Annotated[str | None, typer.Option(metavar="NAME", help="Only records of this event.")] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="How many records to show at most.", show_default="all")
    ] = None,
    json: JsonOption = False,
    jsonl: JsonLinesOption = False,
    fields: FieldsOption = None,
) -> None:
    """Show the log records of a session, in the order of their time.

    A terminal gets lines to read; a pipe gets a line a record, with tabs between its fields and without a head.
    """
    with ending():
        layout = Layout.of(json=json, jsonl=jsonl, fields=fields)
        wanted = {"severity": severity, "q": grep, "event": event}
        given = {name: value for name, value in wanted.items() if value is not None}
        with asking(url, store) as client:
            found = in_session(client, session, key, lambda id_: part_of(client, id_, "logs", key, given, most=limit))
            write(found, layout, LISTING)


def log_lines(records: Iterable[Mapping[str, Any]], *, width: int) -> Iterator[str]:
    """The lines of log records to read: time, severity, service, event, and the body below where it is long.

    Args:
        records: as the API answers with them, in their order.
        width: of the terminal.
    """
    day = None
    for record in records:
        today = day_of(record.get("time"))
        if today != day:
            day = today
            yield styled(f"── {clock(record.get('time'), day=True).rpartition(' ')[0]}", "bold")
        level = cell(str(record.get("severity_text") or record.get("severity") or ""))
        colour = next((name for least, name in _LEVELS if (record.get("severity") or 0) >= least), "faint")
        time = clock(record.get("time"), day=False)
        about = "".join(f" {cell(str(record[name]))}" for name in ("service", "event_name") if record.get(name))
        start = f"{styled(time, 'faint')} {styled(shortened(level, width - len(time) - 1), colour)}"
        taken = len(time) + 1 + cells(level)
        about = shortened(about, width - taken) if taken < width else ""
        body = _body(record)
        if body == str(record.get("event_name") or "") or body.endswith(f".{record.get('event_name')}"):
            # An event of an agent says what it has to say in its attributes.
            body = shortened(next(lines_of(_attributes(record), 4 * width)), width - len(_INDENT))
        lines = list(lines_of(body, width - len(_INDENT)))
        if len(lines) == 1 and taken + cells(about) + 1 + cells(lines[0]) <= width:
            yield f"{start}{about} {lines[0]}"
        else:
            yield start + about
            yield from (_INDENT + line for line in lines)


def _body(record: Mapping[str, Any]) -> str:
    body = record.get("body")
    return "" if body is None else body if isinstance(body, str) else as_json(body)


def _attributes(record: Mapping[str, Any]) -> str:
    """The attributes in one line, without what stands elsewhere."""
    told = record.get("attributes") or {}
    shown = {name: value for name, value in told.items() if name not in _ELSEWHERE}
    return " ".join(f"{name}={value if isinstance(value, str) else as_json(value)}" for name, value in shown.items())


def _show(found: Iterable[Mapping[str, Any]]) -> None:
    for line in log_lines(found, width=columns()):
        typer.echo(line, color=True)


LISTING: Final = Listing(
    columns=lambda _: (),
    fields=FIELDS,
    empty="there are no such log records in the session",
    show=_show,
)
