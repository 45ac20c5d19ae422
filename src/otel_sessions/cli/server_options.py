"""The options that say which server a command asks."""

from __future__ import annotations

import os
from typing import Annotated, Final

import typer

from otel_sessions.attributes import ID_KEY
from otel_sessions.cli.client import DEFAULT_URL, Client
from otel_sessions.environment_variables import API_KEY, URL

UrlOption = Annotated[
    str | None,
    typer.Option("--url", metavar="URL", help="The address of the server.", show_default=DEFAULT_URL, envvar=URL),
]
KeyOption = Annotated[str, typer.Option("--key", metavar="KEY", help="The session key.")]
DEFAULT_KEY: Final = ID_KEY


def client_of(url: str | None) -> Client:
    """The client of the server at an address, by default on this machine, with the API key of the environment.

    Raises:
        CommandError: the address or the key cannot be used.
    """
    return Client(url or DEFAULT_URL, api_key=os.environ.get(API_KEY) or None)
