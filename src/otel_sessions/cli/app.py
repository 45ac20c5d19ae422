"""`app`: all commands. What a command needs is imported when it runs, so that none waits for what others need."""

from __future__ import annotations

from importlib.metadata import version
from typing import Annotated, Final

import typer

from otel_sessions.cli.rebuild import rebuild
from otel_sessions.cli.serve import serve

app: Final = typer.Typer(
    help="Sessions for OpenTelemetry: a local backend, and commands on what is in it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(serve)
app.command()(rebuild)


def _version(*, asked: bool) -> None:
    if asked:
        typer.echo(f"otel-sessions {version('otel-sessions')}")
        raise typer.Exit


@app.callback()
def _options(
    *,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Sessions for OpenTelemetry: a local backend, and commands on what is in it."""
