"""What a store has of some spans, table by table: for the message of a test that misses some."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.clickhouse.span_rows import span_hex, trace_hex
from otel_sessions.server.projections.trace_facts import facts_of

SpanIds = Counter[tuple[str, str]]
"""Trace and span ids in hexadecimal, as `otel_traces` has them, and how often."""

_TABLES = {
    "session_traces (key, rows, spans)": "SELECT Key, count(), sum(SpanCount) FROM session_traces FINAL "
    "WHERE Deleted = 0 GROUP BY Key ORDER BY Key",
    "sessions (key, rows, traces)": "SELECT Key, count(), sum(Traces) FROM sessions FINAL GROUP BY Key ORDER BY Key",
    "parts that were put aside": "SELECT table, name, reason FROM system.detached_parts ORDER BY table, name",
}


def span_rows(store: Store) -> SpanIds:
    """The rows of `otel_traces`."""
    with store.reading() as client:
        return Counter(
            (trace, span) for trace, span in client.query("SELECT TraceId, SpanId FROM otel_traces").result_rows
        )


def report(store: Store, wanted: SpanIds, *, requests: Sequence[str], health: Any, log: str) -> str:
    """What each table has, and, of the server before it stopped, the files of its log of requests, its health and its stderr."""
    facts = facts_of(store, {int(trace, 16) for trace, _ in wanted})
    counted = {(trace_hex(trace), span_hex(span.span_id)) for trace, spans in facts.items() for span in spans}
    rows = span_rows(store)
    found: dict[str, object] = {
        "spans without a row": sorted(wanted - rows),
        "rows too many": sorted(rows - wanted),
        "spans without facts": sorted(set(wanted) - counted),
    }
    with store.reading() as client:
        found |= {name: list(client.query(sql).result_rows) for name, sql in _TABLES.items()}
    found["files of the log of requests"] = sorted(requests)
    found["/healthz"] = json.dumps(health)
    found["stderr"] = f"\n{log}"
    return "\n".join(f"{name}: {value}" for name, value in found.items())
