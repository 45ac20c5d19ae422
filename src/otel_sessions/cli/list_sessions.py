"""`otel-sessions list`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

import typer

from otel_sessions.cli.errors import WRONG_USAGE, CommandError, ending
from otel_sessions.cli.output import FieldsOption, JsonLinesOption, JsonOption, Layout, Listing, write
from otel_sessions.cli.server_options import DEFAULT_KEY, FolderOption, KeyOption, UrlOption, asking
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
    store: FolderOption = None,
    key: KeyOption = DEFAULT_KEY,
    q: Annotated[
        str | None, typer.Option("--q", metavar="TEXT", help="Only sessions with this text in id, name or messages.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="Only sessions with exactly this name.")] = None,
    user: Annotated[str | None, typer.Option(help="Only sessions of this user id.")] = None,
    environment: Annotated[str | None, typer.Option(help="Only sessions of this deployment environment.")] = None,
    service: Annotated[str | None, typer.Option(help="Only sessions with this service.")] = None,
    model: Annotated[str | None, typer.Option(help="Only sessions with this model.")] = None,
    tag: Annotated[str | None, typer.Option(help="Only sessions with this tag.")] = None,
    metadata: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="Only sessions with this metadata; repeatable.")
    ] = None,
    status: Annotated[
        str | None, typer.Option(help="Only sessions with this status, such as failed, partly_failed or running.")
    ] = None,
    failed: Annotated[
        bool | None, typer.Option("--failed/--not-failed", help="Only sessions in which a trace failed, or none did.")
    ] = None,
    unpriced: Annotated[
        bool | None,
        typer.Option("--unpriced/--priced", help="Only sessions with a call without a price, or without such a call."),
    ] = None,
    since: Annotated[
        str | None, typer.Option(metavar="AGE|TIME", help="Only sessions active since then: 2h, 30d, 2026-11-20.")
    ] = None,
    until: Annotated[
        str | None, typer.Option(metavar="AGE|TIME", help="Only sessions that started before then.")
    ] = None,
    min_cost: Annotated[str | None, typer.Option(metavar="USD", help="Only sessions of at least this cost.")] = None,
    min_score: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="Only sessions of at least this score; repeatable.")
    ] = None,
    max_score: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="Only sessions of at most this score; repeatable.")
    ] = None,
    label: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=LABEL", help="Only sessions whose score has this label; repeatable."),
    ] = None,
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
        wanted = {
            "key": key,
            "q": q,
            "name": name,
            "user_id": user,
            "environment": environment,
            "service": service,
            "model": model,
            "tag": tag,
            "status": status,
            "failed": None if failed is None else str(failed).lower(),
            "unpriced": None if unpriced is None else str(unpriced).lower(),
            "since": None if since is None else moment_of(since, now=now),
            "until": None if until is None else moment_of(until, now=now, option="--until"),
            "min_cost": min_cost,
            "sort": sort,
            "order": order,
            **named("metadata", "--metadata", metadata),
            **named("min_score", "--min-score", min_score),
            **named("max_score", "--max-score", max_score),
            **named("label", "--label", label),
        }
        given = {parameter: value for parameter, value in wanted.items() if value is not None}
        with asking(url, store) as client:
            write(client.items("/v1/sessions", given, most=limit), layout, _listing(now))


def named(prefix: str, option: str, given: Sequence[str] | None) -> dict[str, str]:
    """The parameters of an option that is written as `NAME=VALUE`: `metadata.plan` of `plan=pro`.

    Raises:
        CommandError: one is written otherwise, or a name is given twice.
    """
    found: dict[str, str] = {}
    for text in given or ():
        name, is_pair, value = text.partition("=")
        parameter = f"{prefix}.{name.strip()}"
        if not is_pair or not name.strip():
            raise CommandError(f"{option} {text!r} is no pair; write it like {option} name=value", status=WRONG_USAGE)
        if parameter in found:
            raise CommandError(f"{option} names {name.strip()!r} twice; give it once", status=WRONG_USAGE)
        found[parameter] = value
    return found


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
