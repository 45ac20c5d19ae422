"""`otel-sessions open`."""

from __future__ import annotations

import webbrowser
from typing import Annotated
from urllib.parse import quote, urlencode

import typer

from otel_sessions.cli.completion import completed_ids
from otel_sessions.cli.errors import ending, say
from otel_sessions.cli.server_options import DEFAULT_KEY, KeyOption, UrlOption, client_of
from otel_sessions.cli.session_ids import found_session


def open_page(
    session: Annotated[
        str | None,
        typer.Argument(
            metavar="[ID]",
            help="The session: its id, a beginning of it, or last; without it, the list is opened.",
            show_default=False,
            autocompletion=completed_ids,
        ),
    ] = None,
    *,
    url: UrlOption = None,
    key: KeyOption = DEFAULT_KEY,
    no_browser: Annotated[bool, typer.Option("--no-browser", "-n", help="Print the address only.")] = False,
) -> None:
    """Open the page of a session, or the list, in the browser; where no browser can be opened, print its address."""
    with ending():
        client = client_of(url)
        query = {} if key == DEFAULT_KEY else {"key": key}
        if session is None:
            client.get("/v1/keys", {"limit": "1"})  # says what to do if no server answers
            path = "/"
        else:
            path = f"/sessions/{quote(str(found_session(client, session, key)['id']), safe='')}"
        address = f"{client.url}{path}{f'?{urlencode(query)}' if query else ''}"
        if no_browser or not _opened(address):
            typer.echo(address)
        else:
            say(f"opened {address}")


def _opened(address: str) -> bool:
    """Open the address in a browser; False where no browser can be opened."""
    try:
        return webbrowser.open(address)
    except webbrowser.Error:
        return False
