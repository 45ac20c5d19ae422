"""`otel-sessions annotate`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from otel_sessions.cli.client import session_path
from otel_sessions.cli.errors import WRONG_USAGE, CommandError, ending
from otel_sessions.cli.output import JsonOption
from otel_sessions.cli.server_options import DEFAULT_KEY, FolderOption, KeyOption, UrlOption, asking
from otel_sessions.cli.session_ids import SessionArgument, found_session
from otel_sessions.cli.told import tell


def annotate(
    session: SessionArgument,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="The note; - reads it from stdin.")],
    *,
    url: UrlOption = None,
    store: FolderOption = None,
    key: KeyOption = DEFAULT_KEY,
    json: JsonOption = False,
) -> None:
    """Add a note to a session. Notes are added, never changed."""
    with ending():
        note = sys.stdin.read().strip() if text == "-" else text
        if not note.strip():
            raise CommandError("the note is empty; give its text", status=WRONG_USAGE)
        with asking(url, store) as client:
            id_ = str(found_session(client, session, key)["id"])
            answer = client.post(session_path(id_, "annotations"), {"text": note}, {"key": key})
            tell(answer, f"added a note to {id_}", json=json)
