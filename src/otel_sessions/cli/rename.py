"""`otel-sessions rename`."""

from __future__ import annotations

from typing import Annotated

import typer

from otel_sessions.cli.client import session_path
from otel_sessions.cli.errors import WRONG_USAGE, CommandError, ending
from otel_sessions.cli.output import JsonOption
from otel_sessions.cli.server_options import DEFAULT_KEY, FolderOption, KeyOption, UrlOption, asking
from otel_sessions.cli.session_ids import SessionArgument, found_session
from otel_sessions.cli.told import tell


def rename(
    session: SessionArgument,
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="The new name.", show_default=False)] = None,
    *,
    url: UrlOption = None,
    store: FolderOption = None,
    key: KeyOption = DEFAULT_KEY,
    clear: Annotated[
        bool, typer.Option("--clear", help="Take back the name that was given with this command.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Give a session another name, which records that come later do not change."""
    with ending():
        if (name is None) != clear:
            raise CommandError("give the new NAME, or --clear to take it back; one of them", status=WRONG_USAGE)
        with asking(url, store) as client:
            id_ = str(found_session(client, session, key)["id"])
            answer = client.patch(session_path(id_), {"name": name}, {"key": key})
            tell(answer, f"took back the name of {id_}" if name is None else f"{id_} is named {name}", json=json)
