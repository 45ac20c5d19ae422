"""`otel-sessions rm`."""

from __future__ import annotations

import sys
from typing import Annotated, Any, Final

import typer

from otel_sessions.cli.client import session_path
from otel_sessions.cli.errors import FAILED, WRONG_USAGE, CommandError, ending
from otel_sessions.cli.output import JsonOption
from otel_sessions.cli.server_options import DEFAULT_KEY, FolderOption, KeyOption, UrlOption, asking
from otel_sessions.cli.session_ids import SessionArgument, found_session
from otel_sessions.cli.shown import number
from otel_sessions.cli.told import tell
from otel_sessions.server.process.log_lines import escaped

_COUNTS: Final = (
    ("span_count", "spans"),
    ("log_record_count", "log records"),
    ("message_count", "messages"),
)


def rm(
    session: SessionArgument,
    *,
    url: UrlOption = None,
    store: FolderOption = None,
    key: KeyOption = DEFAULT_KEY,
    content_only: Annotated[
        bool, typer.Option("--content-only", help="Delete messages, inputs and outputs, and keep every number.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    json: JsonOption = False,
) -> None:
    """Delete a session: its spans, log records, scores and notes. It cannot be taken back.

    A terminal is asked first; elsewhere --yes is needed.
    """
    with ending(), asking(url, store) as client:
        found = found_session(client, session, key)
        id_ = str(found["id"])
        if not yes:
            _ask(found, content_only=content_only)
        only = {"content": "only"} if content_only else {}
        answer = client.delete(session_path(id_), {"key": key, **only})
        what = "messages, inputs and outputs of " if content_only else ""
        counts = ((answer["data"].get(name), of) for name, of in _COUNTS)
        known = ", ".join(f"{number(count)} {of}" for count, of in counts if count is not None)
        tell(answer, f"deleted {what}{id_}{known and f' ({known})'}", json=json)


def _ask(session: dict[str, Any], *, content_only: bool) -> None:
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise CommandError("nothing was deleted: give --yes where no terminal can be asked", status=WRONG_USAGE)
    name = session.get("title") or session.get("name")
    what = "the messages, inputs and outputs of" if content_only else "all of"
    named = f"{session['id']}{f' ({name})' if name else ''}, {number(session.get('span_count'))} spans"
    if not typer.confirm(f"Delete {what} {escaped(named)}?", err=True):
        raise CommandError("nothing was deleted", status=FAILED)
