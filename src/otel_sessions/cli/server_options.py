"""The options that say what a command asks: a running server, or a folder that no server holds."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Final
from urllib.parse import urlsplit

import typer

from otel_sessions.attributes import ID_KEY
from otel_sessions.cli.client import DEFAULT_URL, SECONDS, Client, UnreachableError
from otel_sessions.cli.errors import UNREACHABLE, WRONG_USAGE, CommandError
from otel_sessions.environment_variables import API_KEY, STORE, URL

UrlOption = Annotated[
    str | None,
    typer.Option(
        "--url",
        metavar="URL",
        help="The address of a running server.",
        show_default=f"{URL}, else {DEFAULT_URL}",
    ),
]
FolderOption = Annotated[
    str | None,
    typer.Option(
        "--store",
        metavar="FOLDER",
        help="Read this folder instead, which no server may hold.",
        show_default=f"{STORE} if no server answers",
    ),
]
KeyOption = Annotated[str, typer.Option("--key", metavar="KEY", help="The session key.")]
DEFAULT_KEY: Final = ID_KEY

_CONNECT_SECONDS: Final = 1.0


@contextmanager
def asking(url: str | None, store: str | None) -> Iterator[Client]:
    """The client of what a command asks, in this order: `--url` or `--store`, the variable of the URL, the server at the default
    address if one answers, the folder that the variable of the store names.

    The variable of the store comes last because it is a setting of the server too: where it is set, a server may be running on it.

    Raises:
        CommandError: what is named cannot be used, or nothing is named and no server answers.
    """  # noqa: D205 - one sentence
    if url is not None and store is not None:
        raise CommandError("--url and --store are two places to look; give one of them", status=WRONG_USAGE)
    if store is None and (named := url or os.environ.get(URL)):
        yield client_of(named)
        return
    store = store or _store_of_the_environment()
    if store is not None:
        from otel_sessions.cli.local_server import local_server  # noqa: PLC0415 - only for folders

        with local_server(store) as client:
            yield client
        return
    try:
        yield client_of(None)
    except UnreachableError as error:
        raise CommandError(_with_default_folder(str(error)), status=UNREACHABLE) from None


def client_of(url: str | None, *, seconds: float = SECONDS) -> Client:
    """The client of the server at an address, else at that of the environment, else on this machine.

    Args:
        url: the address.
        seconds: how long one answer may take.

    Raises:
        CommandError: the address or the key cannot be used.
    """
    return Client(url or os.environ.get(URL) or DEFAULT_URL, api_key=os.environ.get(API_KEY) or None, seconds=seconds)


def _store_of_the_environment() -> str | None:
    """The folder that the environment names, unless a server answers at the default address."""
    named = os.environ.get(STORE) or None
    if named is None or named.startswith("http"):  # a database of a ClickHouse server, which only a server works on
        return None
    parts = urlsplit(DEFAULT_URL)
    try:
        socket.create_connection((str(parts.hostname), int(parts.port or 0)), _CONNECT_SECONDS).close()
    except OSError:
        return named
    return None


def _with_default_folder(message: str) -> str:
    """The message, and how to read the folder that a server would take, if there is one."""
    from otel_sessions.cli.local_server import is_store  # noqa: PLC0415 - only for this message
    from otel_sessions.server.process.settings import data_folder  # noqa: PLC0415 - slow to import

    folder = data_folder()
    return f"{message}; to read the last store without a server: --store {folder}" if is_store(folder) else message
