"""`app`: all commands. A command imports what it needs when it runs, so that `--help` and other commands start fast."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from otel_sessions.cli.annotate import annotate
from otel_sessions.cli.calls import calls
from otel_sessions.cli.connect import connect
from otel_sessions.cli.demo import demo
from otel_sessions.cli.doctor import doctor
from otel_sessions.cli.export_file import export
from otel_sessions.cli.get import get
from otel_sessions.cli.import_files import import_files
from otel_sessions.cli.list_sessions import list_sessions
from otel_sessions.cli.logs import logs
from otel_sessions.cli.mcp import mcp
from otel_sessions.cli.messages import messages
from otel_sessions.cli.open_page import open_page
from otel_sessions.cli.prices import prices
from otel_sessions.cli.query import query
from otel_sessions.cli.rebuild import rebuild
from otel_sessions.cli.rename import rename
from otel_sessions.cli.retry_refused import retry_refused
from otel_sessions.cli.rm import rm
from otel_sessions.cli.score import score
from otel_sessions.cli.serve import serve
from otel_sessions.cli.tail import tail

app: Final = typer.Typer(
    help="Sessions for OpenTelemetry: a local backend, and commands on what is in it.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    # Importing rich takes longer than all else that help needs.
    rich_markup_mode=None,
)
app.command()(serve)
app.command()(connect)
app.command()(demo)
app.command()(doctor)
app.command("list")(list_sessions)
app.command()(get)
app.command()(messages)
app.command()(calls)
app.command()(logs)
app.command()(tail)
app.command("open")(open_page)
app.command()(query)
app.command()(mcp)
app.command()(score)
app.command()(annotate)
app.command()(rename)
app.command()(rm)
app.command()(export)
app.command("import")(import_files)
app.add_typer(prices, name="prices")
app.command()(rebuild)
app.command()(retry_refused)


def _print_version(*, wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version  # noqa: PLC0415 - slow to import

        typer.echo(f"otel-sessions {version('otel-sessions')}")
        raise typer.Exit


@app.callback()
def _options(
    *,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Sessions for OpenTelemetry: a local backend, and commands on what is in it."""
