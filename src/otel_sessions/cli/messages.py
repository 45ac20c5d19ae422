"""`otel-sessions messages`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, Final

import typer

from otel_sessions.cli.client import Client, session_path
from otel_sessions.cli.errors import ending
from otel_sessions.cli.output import FieldsOption, JsonLinesOption, JsonOption, Layout, Listing, write
from otel_sessions.cli.server_options import DEFAULT_KEY, FolderOption, KeyOption, UrlOption, asking
from otel_sessions.cli.session_ids import SessionArgument, in_session, part_of
from otel_sessions.cli.styles import columns
from otel_sessions.cli.transcript import MAIN, transcript, words

FIELDS: Final = ("index", "turn", "time", "role", "lane", "branch", "text")
"""What a line with tabs has."""


def messages(
    session: SessionArgument,
    *,
    url: UrlOption = None,
    store: FolderOption = None,
    key: KeyOption = DEFAULT_KEY,
    full: Annotated[bool, typer.Option("--full", help="Show long messages to their end.")] = False,
    since_turn: Annotated[int, typer.Option(metavar="TURN", help="Only messages of this turn and later.")] = 0,
    lane: Annotated[
        str | None, typer.Option(help=f"Only messages of this sub-agent; {MAIN} for the main agent.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="How many messages to show at most.", show_default="all")
    ] = None,
    json: JsonOption = False,
    jsonl: JsonLinesOption = False,
    fields: FieldsOption = None,
) -> None:
    """Show the conversation of a session: each message once, when it was new.

    A terminal gets a transcript; a pipe gets a line a message, with tabs between its fields and without a head.
    """
    with ending():
        layout = Layout.of(json=json, jsonl=jsonl, fields=fields)
        with asking(url, store) as client:
            id_, found = in_session(
                client,
                session,
                key,
                lambda id_: (id_, part_of(client, id_, "messages", key, most=_most(limit, since_turn, lane))),
            )
            wanted = _wanted(found, since_turn, lane, limit)
            write(_whole(client, id_, key, wanted) if full else wanted, layout, _listing(full=full))


def _most(limit: int | None, since_turn: int, lane: str | None) -> int | None:
    """How many messages are asked for: not more than are shown, unless some are left out here."""
    return limit if lane is None and since_turn <= 0 else None


def _wanted(
    found: Iterable[Mapping[str, Any]], since_turn: int, lane: str | None, limit: int | None
) -> Iterator[Mapping[str, Any]]:
    left = limit
    for message in found:
        if left == 0:
            return
        if (message.get("turn") or 0) < since_turn or lane not in (None, message.get("lane") or MAIN):
            continue
        left = None if left is None else left - 1
        yield message


def _whole(
    client: Client, session_id: str, key: str, found: Iterable[Mapping[str, Any]]
) -> Iterator[Mapping[str, Any]]:
    """The messages, with those read again that the list has cut."""
    for message in found:
        if message.get("truncated"):
            yield client.get(session_path(session_id, f"messages/{message['index']}"), {"key": key})["data"]
        else:
            yield message


def _listing(*, full: bool) -> Listing:
    def show(found: Iterable[Mapping[str, Any]]) -> None:
        for line in transcript(found, width=columns(), full=full):
            typer.echo(line, color=True)

    return Listing(
        columns=lambda _: (),
        fields=FIELDS,
        empty="there are no such messages in the session",
        texts={"text": words},
        show=show,
    )
