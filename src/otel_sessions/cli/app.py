"""`app`: all commands. A command imports what it needs when it runs, so that `--help` and other commands start fast."""

from __future__ import annotations

from importlib.metadata import version
from typing import Annotated, Final

import typer

from otel_sessions.cli.calls import calls
from otel_sessions.cli.connect import connect
from otel_sessions.cli.list_sessions import list_sessions
from otel_sessions.cli.mcp import mcp
from otel_sessions.cli.rebuild import rebuild
from otel_sessions.cli.retry_refused import retry_refused
from otel_sessions.cli.serve import serve

app: Final = typer.Typer(
    help="Sessions for OpenTelemetry: a local backend, and commands on what is in it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    # Importing rich takes longer than all else that help needs.
    rich_markup_mode=None,
)
app.command()(serve)
app.command()(connect)
app.command("list")(list_sessions)
app.command()(calls)
app.command()(mcp)
app.command()(rebuild)
app.command()(retry_refused)


def _print_version(*, wanted: bool) -> None:
    if wanted:
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
