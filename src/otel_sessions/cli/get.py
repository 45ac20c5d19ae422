"""`otel-sessions get`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import typer

from otel_sessions.cli.errors import ending
from otel_sessions.cli.output import FieldsOption, JsonLinesOption, JsonOption, Layout, as_json, write_one
from otel_sessions.cli.server_options import DEFAULT_KEY, FolderOption, KeyOption, UrlOption, asking
from otel_sessions.cli.session_ids import SessionArgument, found_session
from otel_sessions.cli.shown import amount, clock, duration, number
from otel_sessions.cli.styles import columns, lines_of, styled
from otel_sessions.cli.tables import UNKNOWN, Column, cell, print_table

Item = Mapping[str, Any]

TRACES: Final = 10
"""How many traces are shown."""

_LABEL: Final = 12
_WITH_LABELS: Final = 40
"""Names of facts have a column of their own where the terminal is this wide."""

_WHO: Final = {
    "user": "user_ids",
    "service": "services",
    "environment": "environments",
    "operation": "operations",
    "tag": "tags",
}
_TIMES: Final = ("human_ms", "generation_ms", "model_wait_ms", "tool_ms", "other_ms", "idle_ms")


def get(
    session: SessionArgument,
    *,
    url: UrlOption = None,
    store: FolderOption = None,
    key: KeyOption = DEFAULT_KEY,
    json: JsonOption = False,
    jsonl: JsonLinesOption = False,
    fields: FieldsOption = None,
) -> None:
    """Show one session: what it is, what it cost, by whom, where its time went, and its first traces.

    A terminal gets groups of facts; a pipe gets a line a field, with a tab between name and value.
    """
    with ending():
        layout = Layout.of(json=json, jsonl=jsonl, fields=fields)
        with asking(url, store) as client:
            write_one(found_session(client, session, key), layout, _show)


def _show(session: Item) -> None:
    width = columns()
    for title, facts in _groups(session):
        shown = [(name, text) for name, text in facts if text and text != UNKNOWN]
        for line in lines_of(title, width) if shown else ():
            typer.echo(styled(line, "bold"), color=True)
        for name, text in shown:
            _print_fact(name, text, width)
    _print_uses("MODEL", "model", session.get("models") or [])
    _print_uses("LANE", "lane", session.get("lanes") or [])
    _print_traces(session.get("traces") or {})


def _groups(session: Item) -> Iterable[tuple[str, Sequence[tuple[str, str]]]]:
    exact = session.get("cost_exact") is not False
    cache = session.get("cache") or {}
    time = session.get("time") or {}
    yield (
        str(session.get("id")),
        (
            ("title", str(session.get("title") or session.get("name") or "")),
            ("status", str(session.get("status") or "")),
            ("key", "" if session.get("key") == DEFAULT_KEY else str(session.get("key") or "")),
            ("asked", str(session.get("first_input") or "")),
            ("answered", str(session.get("last_output") or "")),
        ),
    )
    yield (
        "who",
        (
            *((name, ", ".join(map(str, session.get(field) or ()))) for name, field in _WHO.items()),
            ("metadata", _pairs(session.get("metadata"))),
            ("scores", _scores(session.get("scores"))),
        ),
    )
    yield (
        "what",
        (
            ("traces", _with(session, "trace_count", "failed_trace_count", "failed")),
            ("calls", _with(session, "call_count", "unpriced_call_count", "without a price")),
            ("input", _with(session, "input_tokens", "cache_read_tokens", "from a cache", unit=" tokens")),
            ("output", _with(session, "output_tokens", "reasoning_tokens", "reasoning", unit=" tokens")),
            ("cost", amount(session.get("total_cost"), exact=exact)),
            ("rebuilt", _rebuilt(cache)),
        ),
    )
    yield (
        "when",
        (
            ("start", clock(session.get("start"), day=True)),
            ("end", clock(session.get("end"), day=True)),
            ("duration", duration(session.get("duration_ms"))),
            ("active", duration(session.get("active_ms"))),
            *(
                (name.removesuffix("_ms").replace("_", " "), duration(time.get(name)))
                for name in _TIMES
                if time.get(name)
            ),
        ),
    )


def _print_fact(name: str, text: str, width: int) -> None:
    indent = 2 + _LABEL if width >= _WITH_LABELS else 2
    lines = list(lines_of(text, width - indent))
    if indent > 2:
        typer.echo(f"  {styled(f'{name:<{_LABEL}}', 'faint')}{lines[0]}", color=True)
    else:
        lines = list(lines_of(f"{name}: {text}", width - indent))
        typer.echo(f"  {lines[0]}", color=True)
    for line in lines[1:]:
        typer.echo(" " * indent + line)


def _print_uses(title: str, field: str, uses: Sequence[Item]) -> None:
    if not uses:
        return
    typer.echo("")
    table = (
        Column(title, lambda use: cell(str(use.get(field) or ("" if field == "model" else "main"))), flexible=True),
        Column("CALLS", lambda use: number(use.get("call_count")), rank=2, right=True),
        Column("INPUT", lambda use: number(use.get("input_tokens")), rank=3, right=True),
        Column("OUTPUT", lambda use: number(use.get("output_tokens")), rank=4, right=True),
        Column(
            "COST",
            lambda use: amount(use.get("total_cost"), exact=use.get("cost_exact") is not False),
            rank=1,
            right=True,
        ),
    )
    print_table(uses, table, is_faint=lambda _: False, last_line=None)


def _print_traces(page: Item) -> None:
    traces = page.get("data") or []
    if not traces:
        return
    typer.echo("")
    table = (
        Column("TRACE", lambda one: cell(str(one.get("trace_id") or "")), flexible=True, narrowest=8),
        Column("START", lambda one: clock(one.get("start"), day=True), rank=3),
        Column("OPERATIONS", lambda one: cell(", ".join(map(str, one.get("operations") or ()))), rank=4, flexible=True),
        Column("STATUS", lambda one: cell(str(one.get("status") or "")), rank=2),
        Column("TOOK", lambda one: duration(one.get("duration_ms")), rank=5, right=True),
        Column("CALLS", lambda one: number(one.get("call_count")), rank=6, right=True),
        Column(
            "COST",
            lambda one: amount(one.get("total_cost"), exact=one.get("cost_exact") is not False),
            rank=1,
            right=True,
        ),
    )
    total = (page.get("pagination") or {}).get("total") or len(traces)
    shown = traces[:TRACES]
    more = f"… {total - len(shown):,} more" if total > len(shown) else None
    print_table(shown, table, is_faint=lambda _: False, last_line=more)


def _with(session: Item, field: str, part: str, called: str, *, unit: str = "") -> str:
    if session.get(field) is None:
        return UNKNOWN
    more = session.get(part)
    return f"{number(session[field])}{unit}" + (f" ({number(more)} {called})" if more else "")


def _rebuilt(cache: Item) -> str:
    if not cache.get("rebuilt_count"):
        return ""
    exact = cache.get("cost_exact") is not False
    return f"{number(cache['rebuilt_count'])} times, {amount(cache.get('rebuilt_cost'), exact=exact)}"


def _pairs(values: Any) -> str:
    return ", ".join(
        f"{name}={value if isinstance(value, str) else as_json(value)}" for name, value in (values or {}).items()
    )


def _scores(scores: Any) -> str:
    """The mean of each score on the finest level that has one: the session's own, else of its traces, else of its spans."""
    shown = []
    for name, levels in (scores or {}).items():
        found = next((levels[level] for level in ("session", "traces", "spans") if levels.get(level)), None)
        if found and found.get("count"):
            mean = found.get("mean")
            labels = ", ".join(f"{label} {number(count)}" for label, count in (found.get("labels") or {}).items())
            shown.append(f"{name} {labels if mean is None else f'{mean:g}'} ({number(found['count'])})")
    return ", ".join(shown)
