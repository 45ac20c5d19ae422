"""The measures that lists are sorted by, as SQL over a row of `sessions`; `counting.measures` says what they mean."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple


class SqlMeasure(NamedTuple):
    """A number or a text of a session.

    Attributes:
        sql: `NULL` is unknown.
        type: its type without `Nullable`.
    """

    sql: str
    type: str


SQL_MEASURES: Final[Mapping[str, SqlMeasure]] = MappingProxyType(
    {
        "last_active": SqlMeasure("LastActive", "UInt64"),
        "created": SqlMeasure("Created", "UInt64"),
        "cost": SqlMeasure("Cost", "Decimal(76, 38)"),
        "tokens": SqlMeasure("Tokens", "UInt64"),
        "duration": SqlMeasure("toUInt64(LastActive - Created) / 1e6", "Float64"),
        "traces": SqlMeasure("Traces", "UInt64"),
        "failure_rate": SqlMeasure("FailedTraces / Traces", "Float64"),
        "name": SqlMeasure("Name", "String"),
    }
)
"""By the names of `otel_sessions.counting.measures.MEASURES`. A difference of unsigned numbers is signed in ClickHouse, and
wraps for spans that claim to last for centuries; as unsigned it is right again."""
