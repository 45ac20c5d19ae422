"""`otel-sessions list`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

import typer

from otel_sessions.cli.conditions import Conditions, with_conditions
from otel_sessions.cli.errors import ending
from otel_sessions.cli.output import FieldsOption, JsonLinesOption, JsonOption, Layout, Listing, write
from otel_sessions.cli.server_options import DEFAULT_KEY, FolderOption, KeyOption, UrlOption, asking
from otel_sessions.cli.shown import ago, amount, now_ns, number
from otel_sessions.cli.tables import Column, cell

FIELDS: Final = (
    "id",
    "end",
    "status",
    "trace_count",
    "call_count",
    "total_tokens",
    "total_cost",
    "cost_exact",
    "title",
)
"""What a line with tabs has."""


@with_conditions
def list_sessions(
    *,
    url: UrlOption = None,
    store: FolderOption = None,
    key: KeyOption = DEFAULT_KEY,
    conditions: Conditions,
    sort: Annotated[
        str,
        typer.Option(
            help="last_active, created, cost, tokens, duration, traces, failure_rate, name or score.NAME.",
        ),
    ] = "last_active",
    order: Annotated[str, typer.Option(help="desc: greatest first, asc: least first.")] = "desc",
    limit: Annotated[int, typer.Option(min=1, help="How many sessions to list at most.")] = 50,
    json: JsonOption = False,
    jsonl: JsonLinesOption = False,
    fields: FieldsOption = None,
) -> None:
    """List sessions.

    A terminal gets a table; a pipe gets a line a session, with tabs between its fields and without a head.
    """
    with ending():
        layout = Layout.of(json=json, jsonl=jsonl, fields=fields)
        now = now_ns()
        wanted = {"key": key, "sort": sort, "order": order, **conditions.parameters(now=now)}
        with asking(url, store) as client:
            write(client.items("/v1/sessions", wanted, most=limit), layout, _listing(now))


def _listing(now: int) -> Listing:
    return Listing(
        columns=lambda _: (
            Column("ID", lambda one: cell(str(one["id"])), rank=0, flexible=True, narrowest=12),
            Column("TITLE", _name, rank=3, flexible=True, narrowest=12),
            Column("LAST ACTIVE", lambda one: ago(one["end"], now=now), rank=1),
            Column("STATUS", lambda one: cell(str(one["status"])), rank=6),
            Column("CALLS", lambda one: number(one["call_count"]), rank=4, right=True),
            Column("TOKENS", lambda one: number(one["total_tokens"]), rank=5, right=True),
            Column("COST", lambda one: amount(one["total_cost"], exact=one["cost_exact"]), rank=2, right=True),
            Column("MODELS", _models, rank=7, flexible=True, narrowest=12),
        ),
        fields=FIELDS,
        empty="no session meets these conditions; to see where records come from: otel-sessions connect --help",
    )


def _name(session: Mapping[str, Any]) -> str:
    return cell(session.get("title") or session["name"] or "")


def _models(session: Mapping[str, Any]) -> str:
    return cell(", ".join(use["model"] for use in session["models"] if use["model"]))
