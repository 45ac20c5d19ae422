"""`otel-sessions calls`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

import typer

from otel_sessions.cli.errors import ending
from otel_sessions.cli.output import FieldsOption, JsonLinesOption, JsonOption, Layout, Listing, write
from otel_sessions.cli.server_options import DEFAULT_KEY, FolderOption, KeyOption, UrlOption, asking
from otel_sessions.cli.session_ids import SessionArgument, in_session, part_of
from otel_sessions.cli.shown import amount, clock, day_of, decimal, dollars, duration, number
from otel_sessions.cli.tables import Column, cell
from otel_sessions.money import money_sum

FIELDS: Final = (
    "start",
    "provider",
    "model",
    "lane",
    "counted",
    "reason",
    "input_tokens",
    "output_tokens",
    "total_cost",
    "cost_exact",
    "cost_note",
    "failed",
    "trace_id",
    "span_id",
)
"""What a line with tabs has."""

COUNTED: Final = "yes"


def calls(
    session: SessionArgument,
    *,
    url: UrlOption = None,
    store: FolderOption = None,
    key: KeyOption = DEFAULT_KEY,
    limit: Annotated[
        int | None, typer.Option(min=1, help="How many calls to list at most.", show_default="all")
    ] = None,
    json: JsonOption = False,
    jsonl: JsonLinesOption = False,
    fields: FieldsOption = None,
) -> None:
    """List the model calls of a session, and what was not counted as one with the reason.

    A terminal gets a table with the totals below it; a pipe gets a line a call, with tabs between its fields and without a head.
    """
    with ending():
        layout = Layout.of(json=json, jsonl=jsonl, fields=fields)
        with asking(url, store) as client:
            found = in_session(client, session, key, lambda id_: part_of(client, id_, "calls", key, most=limit))
            write(found, layout, _listing(limit))


def totals(found: Sequence[Mapping[str, Any]], *, of: str = "") -> str:
    """What the listed calls add up to, in words.

    Args:
        found: the calls.
        of: what they are if they are not all calls of the session.
    """
    counted = [call for call in found if call.get("counted")]
    left_out = len(found) - len(counted)
    cost = money_sum(money for call in counted if (money := decimal(call.get("total_cost"))) is not None)
    exact = all(map(_is_exact, counted))
    unpriced = sum(call.get("total_cost") is None and not _is_exact(call) for call in counted)
    parts = [
        f"{_calls_counted(len(counted))}" + (f" ({left_out:,} more not counted)" if left_out else ""),
        f"{number(_sum(counted, 'input_tokens'))} input tokens",
        f"{number(_sum(counted, 'output_tokens'))} output tokens",
        "cost not known" if cost is None else f"{'' if exact else 'at least '}{dollars(cost)}",
    ]
    without = f" ({_calls_counted(unpriced)} without a price)" if unpriced else ""
    return f"total{of and f' of {of}'}: {', '.join(parts)}{without}"


def _calls_counted(count: int) -> str:
    return f"{count:,} call" + ("" if count == 1 else "s")


def _sum(found: Sequence[Mapping[str, Any]], field: str) -> int | None:
    known = [count for call in found if (count := call.get(field)) is not None]
    return sum(known) if known else None


def _why(call: Mapping[str, Any]) -> str:
    return COUNTED if call.get("counted") else cell(str(call.get("reason") or "no"))


def _columns(found: Sequence[Mapping[str, Any]]) -> Sequence[Column]:
    one_day = len({day_of(call.get("start")) for call in found}) == 1
    return (
        Column("START", lambda call: clock(call.get("start"), day=not one_day), rank=5),
        Column("MODEL", lambda call: cell(call.get("model") or ""), rank=0, flexible=True, preferred=14),
        Column("LANE", lambda call: cell(call.get("lane") or ""), rank=8, flexible=True),
        Column("COUNTED", _why, rank=1, flexible=True, narrowest=12, preferred=19),
        Column("INPUT", lambda call: number(call.get("input_tokens")), rank=3, right=True),
        Column("CACHED", lambda call: number(call.get("cache_read_tokens")), rank=6, right=True),
        Column("OUTPUT", lambda call: number(call.get("output_tokens")), rank=4, right=True),
        Column("TOOK", lambda call: duration(call.get("duration_ms")), rank=7, right=True),
        Column("COST", _cost, rank=2, right=True),
        Column("SEEN IN", lambda call: cell(", ".join(map(str, call.get("evidence") or ()))), rank=9),
        Column(
            "NOT EXACT, BECAUSE", lambda call: cell(call.get("cost_note") or ""), rank=10, flexible=True, preferred=24
        ),
    )


def _listing(limit: int | None) -> Listing:
    return Listing(
        columns=_columns,
        fields=FIELDS,
        empty="the session has no model calls, and nothing that reports tokens",
        summary=lambda found: totals(found, of="the first" if len(found) == limit else ""),
        is_faint=lambda call: not call.get("counted"),
    )


def _cost(call: Mapping[str, Any]) -> str:
    return amount(call.get("total_cost"), exact=_is_exact(call))


def _is_exact(call: Mapping[str, Any]) -> bool:
    return call.get("cost_exact") is not False
