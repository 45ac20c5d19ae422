"""`otel-sessions list`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

import typer

from otel_sessions.cli.errors import ending
from otel_sessions.cli.output import FieldsOption, JsonLinesOption, JsonOption, Layout, Listing, write
from otel_sessions.cli.server_options import DEFAULT_KEY, KeyOption, UrlOption, client_of
from otel_sessions.cli.shown import ago, amount, now_ns, number
from otel_sessions.cli.since import moment_of
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


def list_sessions(
    *,
    url: UrlOption = None,
    key: KeyOption = DEFAULT_KEY,
    user: Annotated[str | None, typer.Option(help="Only sessions of this user id.")] = None,
    environment: Annotated[str | None, typer.Option(help="Only sessions of this deployment environment.")] = None,
    service: Annotated[str | None, typer.Option(help="Only sessions with this service.")] = None,
    model: Annotated[str | None, typer.Option(help="Only sessions with this model.")] = None,
    tag: Annotated[str | None, typer.Option(help="Only sessions with this tag.")] = None,
    failed: Annotated[
        bool | None, typer.Option("--failed/--not-failed", help="Only sessions in which a trace failed, or none did.")
    ] = None,
    since: Annotated[
        str | None, typer.Option(metavar="AGE|TIME", help="Only sessions active since then: 2h, 30d, 2026-11-20.")
    ] = None,
    sort: Annotated[
        str, typer.Option(help="last_active, created, cost, tokens, duration, traces, failure_rate or name.")
    ] = "last_active",
    order: Annotated[str, typer.Option(help="desc: greatest first, asc: least first.")] = "desc",
    limit: Annotated[int, typer.Option(min=1, help="How many sessions to list at most.")] = 50,
    json: JsonOption = False,
    jsonl: JsonLinesOption = False,
    fields: FieldsOption = None,
) -> None:
    """List the sessions of a running server.

    A terminal gets a table; a pipe gets a line a session, with tabs between its fields and without a head.
    """
    with ending():
        layout = Layout.of(json=json, jsonl=jsonl, fields=fields)
        now = now_ns()
        wanted = {
            "key": key,
            "user_id": user,
            "environment": environment,
            "service": service,
            "model": model,
            "tag": tag,
            "failed": None if failed is None else str(failed).lower(),
            "since": None if since is None else moment_of(since, now=now),
            "sort": sort,
            "order": order,
        }
        given = {name: value for name, value in wanted.items() if value is not None}
        write(client_of(url).items("/v1/sessions", given, most=limit), layout, _listing(now))


def _listing(now: int) -> Listing:
    return Listing(
        columns=lambda _: (
            Column("ID", lambda one: cell(str(one["id"])), rank=0, flexible=True, narrowest=12),
            Column("TITLE", _name, rank=6, flexible=True, narrowest=12),
            Column("LAST ACTIVE", lambda one: ago(one["end"], now=now), rank=1),
            Column("STATUS", lambda one: cell(str(one["status"])), rank=5),
            Column("CALLS", lambda one: number(one["call_count"]), rank=3, right=True),
            Column("TOKENS", lambda one: number(one["total_tokens"]), rank=4, right=True),
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
