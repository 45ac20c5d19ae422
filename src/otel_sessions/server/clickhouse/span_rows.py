"""Rows of `otel_traces` as queries answer with them, and ids as the table has them."""

from __future__ import annotations

from typing import Any, Final

from otel_sessions.server.clickhouse.columns import COLUMNS, TRACES

SPAN_COLUMNS: Final = ", ".join(f"`{name}`" for name in COLUMNS[TRACES])

AS_NUMBERS: Final = {"DateTime64*": "int"}
"""Query formats that give times as integer nanoseconds: `datetime` would lose the last three digits."""

Row = dict[str, Any]
"""A row of `otel_traces` by the names of its columns, times as integer nanoseconds UTC."""


def trace_hex(trace_id: int) -> str:
    """The trace id as text, 32 hexadecimal digits."""
    return f"{trace_id:032x}"


def span_hex(span_id: int) -> str:
    """The span id as text, 16 hexadecimal digits."""
    return f"{span_id:016x}"
