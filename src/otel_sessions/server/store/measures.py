"""The measures that lists are sorted by, as SQL over the rows of one session; `counting.measures` says what they mean."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple


class SqlMeasure(NamedTuple):
    """An aggregate over the trace groups of a session, and its type without `Nullable`; `NULL` is unknown."""

    sql: str
    type: str


SQL_MEASURES: Final[Mapping[str, SqlMeasure]] = MappingProxyType(
    {
        "last_active": SqlMeasure("max(End)", "UInt64"),
        "created": SqlMeasure("min(Start)", "UInt64"),
        "cost": SqlMeasure("sum(TotalCost)", "Decimal(76, 38)"),
        "tokens": SqlMeasure("sum(TotalTokens)", "UInt64"),
        "duration": SqlMeasure("toUInt64(max(End) - min(Start)) / 1e6", "Float64"),
        "traces": SqlMeasure("count()", "UInt64"),
        "failure_rate": SqlMeasure("sum(Failed) / count()", "Float64"),
        "name": SqlMeasure("if(max(DatedName) = '', NULL, substring(max(DatedName), 17))", "String"),
    }
)
"""By the names of `otel_sessions.counting.measures.MEASURES`. A difference of unsigned numbers is signed in ClickHouse, and
wraps for spans that claim to last for centuries; as unsigned it is right again."""
