"""The measures that lists are sorted by, as SQL over the rows of one session; `counting.measures` says what they mean."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

LAST_NAME: Final = "substring(max(concat(reverse(reinterpretAsFixedString(toUInt64(Start + NameAfter))), Name)), 9)"
"""The last name, of those given at the same time the greatest; `NULL` if there is none. Bytes of a time sort like the time
once the highest comes first."""


class SqlMeasure(NamedTuple):
    """An aggregate over the trace groups of a session.

    Attributes:
        sql: `NULL` is unknown.
        type: its type without `Nullable`.
        coarse: whether many sessions have the same value, whatever they do.
    """

    sql: str
    type: str
    coarse: bool = False


SQL_MEASURES: Final[Mapping[str, SqlMeasure]] = MappingProxyType(
    {
        "last_active": SqlMeasure("max(End)", "UInt64"),
        "created": SqlMeasure("min(Start)", "UInt64"),
        "cost": SqlMeasure("sum(TotalCost)", "Decimal(76, 38)"),
        "tokens": SqlMeasure("sum(TotalTokens)", "UInt64"),
        "duration": SqlMeasure("toUInt64(max(End) - min(Start)) / 1e6", "Float64"),
        "traces": SqlMeasure("count()", "UInt64", coarse=True),
        "failure_rate": SqlMeasure("sum(Failed) / count()", "Float64", coarse=True),
        "name": SqlMeasure(LAST_NAME, "String"),
    }
)
"""By the names of `otel_sessions.counting.measures.MEASURES`. A difference of unsigned numbers is signed in ClickHouse, and
wraps for spans that claim to last for centuries; as unsigned it is right again."""
