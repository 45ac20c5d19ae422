"""Options of the commands, as `SETTINGS` describes them, and how a command ends that cannot use them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from otel_sessions.cli.errors import FAILED, say
from otel_sessions.server.process.setting_texts import SETTINGS

if TYPE_CHECKING:
    from otel_sessions.server.process.settings import Settings


def option(name: str, *flags: str) -> Any:
    """The option of a setting. What is not given here may come from the environment or the file.

    Args:
        name: the setting.
        flags: how it is written, if not like its name.
    """
    return typer.Option(*flags, help=SETTINGS[name].about, show_default=SETTINGS[name].default)


StoreOption = Annotated[str | None, option("store")]
PricesOption = Annotated[Path | None, option("prices")]
ConfigOption = Annotated[Path | None, option("config")]


def settings_of(**given: Any) -> Settings:
    """The settings; if one is not valid, the command ends with a line that says which."""
    from otel_sessions.server.process.settings import SettingsError, load_settings  # noqa: PLC0415 - slow to import

    try:
        return load_settings(**given)
    except SettingsError as error:
        fail(error)


def fail(error: Exception) -> NoReturn:
    """End the command with the error as one line on stderr, and status 1."""
    say(str(error))
    raise typer.Exit(FAILED)
