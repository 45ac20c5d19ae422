"""Options that several commands have, and what goes wrong with them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:
    from otel_sessions.server.process.settings import Settings

StoreOption = Annotated[
    str | None,
    typer.Option(
        help="Where everything is kept: chdb:///folder, or http(s)://user:password@host:port/database of a ClickHouse.",
        show_default="a folder in your data directory",
    ),
]
PricesOption = Annotated[Path | None, typer.Option(help="A file of your own prices.", show_default="public prices")]
ConfigOption = Annotated[Path | None, typer.Option(help="A TOML file with these settings.")]


def settings_of(**given: Any) -> Settings:
    """The settings, or the end of the command with a line that says what is wrong."""
    from otel_sessions.server.process.settings import SettingsError, load_settings  # noqa: PLC0415 - slow to import

    try:
        return load_settings(**given)
    except SettingsError as error:
        fail(error)


def fail(error: Exception) -> NoReturn:
    """End the command with one line on stderr and status 1."""
    typer.echo(f"otel-sessions: {' '.join(str(error).split())}", err=True)
    raise typer.Exit(1)
