"""`otel-sessions tail`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, Final

import typer

from otel_sessions.cli.client import Client
from otel_sessions.cli.errors import ending, say
from otel_sessions.cli.live_changes import CHANGED, DELETED, NEW, QUIET_SECONDS, LiveChanges
from otel_sessions.cli.output import FieldsOption, JsonLinesOption, Layout, Listing, write
from otel_sessions.cli.server_options import DEFAULT_KEY, KeyOption, UrlOption, client_of
from otel_sessions.cli.shown import amount, clock, number
from otel_sessions.cli.styles import columns, shortened, styled
from otel_sessions.cli.tables import UNKNOWN, cell

FIELDS: Final = (
    "end",
    "change",
    "id",
    "status",
    "trace_count",
    "call_count",
    "total_tokens",
    "total_cost",
    "cost_exact",
    "title",
)
"""What a line with tabs has."""

SHOWN: Final = 10
_COLOURS: Final = {NEW: "green", CHANGED: "cyan", DELETED: "red"}


def tail(
    *,
    url: UrlOption = None,
    key: KeyOption = DEFAULT_KEY,
    last: Annotated[
        int, typer.Option(min=0, help="How many sessions are shown at the start, those last active.")
    ] = SHOWN,
    limit: Annotated[
        int | None, typer.Option(min=1, help="End after this number of changes.", show_default="Ctrl-C ends")
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="End after the first change.")] = False,
    jsonl: JsonLinesOption = False,
    fields: FieldsOption = None,
) -> None:
    """Follow the sessions of a running server: a line for each that is new or has changed, until Ctrl-C.

    When the server goes away, the command says so once, and goes on when it is back.
    """
    with ending():
        layout = Layout.of(json=False, jsonl=jsonl, fields=fields)
        client = client_of(url, seconds=QUIET_SECONDS)
        try:
            write(_limited(_followed(client, key, last), 1 if once else limit), layout, LISTING)
        except KeyboardInterrupt:
            return


def _followed(client: Client, key: str, last: int) -> Iterator[Mapping[str, Any]]:
    return LiveChanges(client, key, told=say).follow(last=last)


def _limited(found: Iterator[Mapping[str, Any]], limit: int | None) -> Iterator[Mapping[str, Any]]:
    """What is shown at the start, and then at most the given number of changes."""
    left = limit
    for session in found:
        yield session
        if session["change"] is not None and left is not None:
            left -= 1
            if not left:
                return


def _show(found: Iterable[Mapping[str, Any]]) -> None:
    for session in found:
        typer.echo(line_of(session, width=columns()), color=True)


def line_of(session: Mapping[str, Any], *, width: int) -> str:
    """One line of a session: when, what happened to it, its id, what it cost, and as much of the rest as fits."""
    time = clock(session["end"], day=False) if session.get("end") else ""
    change = session.get("change") or ""
    calls, tokens = session.get("call_count"), session.get("total_tokens")
    facts = [
        amount(session["total_cost"], exact=session.get("cost_exact") is not False)
        if session.get("total_cost")
        else "",
        f"{number(calls)} call{'' if calls == 1 else 's'}" if calls else "",
        f"{number(tokens)} tokens" if tokens else "",
        "" if session.get("status") in (None, "ok") else cell(str(session["status"])),
        cell(str(session.get("title") or session.get("name") or "")),
    ]
    id_ = cell(str(session["id"]))
    rest = " · ".join([id_, *(fact for fact in facts if fact not in ("", UNKNOWN))])
    head = f"{time:<8} {change:<7} "
    return (
        styled(f"{time:<8}", "faint")
        + " "
        + styled(f"{change:<7}", *_styles(change))
        + " "
        + shortened(rest, width - len(head))
    )


def _styles(change: str) -> tuple[str, ...]:
    return (_COLOURS[change],) if change in _COLOURS else ()


LISTING: Final = Listing(
    columns=lambda _: (),
    fields=FIELDS,
    empty="no session changed",
    show=_show,
)
