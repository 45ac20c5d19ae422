"""The measures of a session: what lists sort by, and what filters and cohorts are about. Each is one entry here.

The sort parameter, the checks of cursors, the columns of `sessions` and the statements over them, the quantiles of cohorts, and the
tables in the documentation are made from these entries. To add a measure, add an entry.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from otel_sessions.counting.columns import Column
from otel_sessions.counting.session import SessionRollup

UINT64: Final = "UInt64"
AMOUNT: Final = "Decimal(76, 38)"
TEXT: Final = "String"
FLOAT: Final = "Float64"


class Measure(NamedTuple):
    """A number or a text of a session; `None` is unknown, and comes last in every order.

    Attributes:
        field: the attribute of `SessionRollup` that has it.
        unit: of the value.
        about: what it is, in a few words.
        type: its ClickHouse type, without `Nullable`.
        columns: the columns of `sessions` that it is computed from.
        sql: how, as an expression over a row; by default the only column.
        minimum: the list has a filter `min_<name>`.
        quantiles: cohorts have its 50th and 95th percentile, as `<quantiles>_p50` and `<quantiles>_p95`.
    """

    field: str
    unit: str
    about: str
    type: str
    columns: tuple[Column, ...]
    sql: str = ""
    minimum: bool = False
    quantiles: str = ""

    def value(self, session: Any) -> Any:
        """The measure of a session: of a `SessionRollup`, or of a `SessionSum` that is still added to."""
        return getattr(session, self.field)

    @property
    def nullable(self) -> bool:
        """True if the measure of a session may be unknown."""
        return any(column.type.startswith("Nullable") for column in self.columns)

    @property
    def expression(self) -> str:
        """The measure as SQL over a row of `sessions`."""
        return self.sql or self.columns[0].name


_LAST_ACTIVE: Final = Column("LastActive", UINT64, "end", "max(End)", codec="LZ4")
_CREATED: Final = Column("Created", UINT64, "start", "min(Start)", codec="LZ4")
_TURNS: Final = "maxMap(Turns, TurnStates)"
"""The turns of log records in no trace; the state of one is odd if it failed."""

_TRACES: Final = Column(
    "Traces", UINT64, "trace_count", f"countIf(NOT IsCell) + length(tupleElement({_TURNS}, 1))", codec="LZ4"
)
_FAILED_TRACES: Final = Column(
    "FailedTraces",
    UINT64,
    "failed_trace_count",
    f"countIf(Failed AND NOT IsCell) + arrayCount(state -> state % 2 = 1, tupleElement({_TURNS}, 2))",
    codec="LZ4",
)
_COST: Final = Column("Cost", f"Nullable({AMOUNT})", "total_cost", "sum(TotalCost)")
COST_INEXACT: Final = Column("CostInexact", UINT64, "cost_inexact", "max(CostInexact)", codec="LZ4")
"""1 if a cost is not known or only a lower bound, else 0; sums of costs of many sessions say so."""

_TOKENS: Final = Column("Tokens", f"Nullable({UINT64})", "total_tokens", "sum(TotalTokens)", codec="LZ4")
_NAME: Final = Column(
    "Name",
    f"Nullable({TEXT})",
    "name",
    "coalesce(any(Given), substring(max(concat(sortable(Start + NameAfter), groups.Name)), 9))",
)

MEASURES: Final[Mapping[str, Measure]] = MappingProxyType(
    {
        "last_active": Measure("end", "time", "the last end of a span", UINT64, (_LAST_ACTIVE,)),
        "created": Measure("start", "time", "the first start of a span", UINT64, (_CREATED,)),
        "cost": Measure(
            "total_cost",
            "USD",
            "the total cost of the model calls whose cost is known",
            AMOUNT,
            (_COST,),
            minimum=True,
            quantiles="cost",
        ),
        "tokens": Measure(
            "total_tokens",
            "tokens",
            "the input and output tokens of all model calls",
            UINT64,
            (_TOKENS,),
            quantiles="tokens",
        ),
        # The difference of unsigned numbers is signed in ClickHouse, and wraps for spans that claim to last for centuries.
        "duration": Measure(
            "duration_ms",
            "ms",
            "the time from the first start to the last end",
            FLOAT,
            (_CREATED, _LAST_ACTIVE),
            sql="toUInt64(LastActive - Created) / 1e6",
            quantiles="duration_ms",
        ),
        "traces": Measure(
            "trace_count",
            "traces",
            "the number of traces with a span in the session, and of turns that only log records tell of",
            UINT64,
            (_TRACES,),
        ),
        "failure_rate": Measure(
            "failure_rate",
            "ratio",
            "failed traces divided by all traces, from 0 to 1",
            FLOAT,
            (_TRACES, _FAILED_TRACES),
            sql="if(Traces = 0, 0, FailedTraces / Traces)",
        ),
        "name": Measure("name", "text", "the last name that was given", TEXT, (_NAME,)),
    }
)
"""The measures by name."""


def sort_sessions(sessions: Iterable[SessionRollup], sort: str, *, descending: bool = True) -> list[SessionRollup]:
    """The sessions by a measure, unknown last, ties by key and id.

    Raises:
        ValueError: for an unknown measure; the message lists the known ones.
    """
    measure = measure_of(sort)
    ordered = sorted(sessions, key=lambda session: (session.key, session.id))
    known = sorted((one for one in ordered if measure.value(one) is not None), key=measure.value, reverse=descending)
    return known + [one for one in ordered if measure.value(one) is None]


def measure_of(sort: str) -> Measure:
    """The measure of this name.

    Raises:
        ValueError: for an unknown measure; the message lists the known ones.
    """
    if sort not in MEASURES:
        raise ValueError(f"sort={sort!r} is not a measure; choose from {', '.join(MEASURES)}")
    return MEASURES[sort]
