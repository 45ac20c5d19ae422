"""`status_of`: how a session stands, in memory and as SQL."""

from __future__ import annotations

from typing import Any, Final

from otel_sessions.counting.columns import Column

RUNNING_NS: Final = 60 * 1_000_000_000
"""A session whose last record is younger is running."""

RUNNING: Final = "running"
FAILED: Final = "failed"
PARTLY_FAILED: Final = "partly_failed"
OK: Final = "ok"
UNKNOWN: Final = "unknown"

LATEST_END: Final = (1 << 63) - 1
"""Later ends of traces count as this one, so that twice the end fits 64 bits."""

LAST_STATE: Final = Column(
    "LastState",
    "UInt64",
    "last_state",
    f"max(if(IsCell, arrayMax(arrayPushBack(TurnStates, toUInt64(0))), least(End, {LATEST_END}) * 2 + Failed))",
)
"""Twice the last end of a trace or turn, and one more if that failed."""

UNPRICED_CALLS: Final = Column("UnpricedCalls", "UInt64", "unpriced_call_count", "sum(Unpriced)", codec="LZ4")

_IS_RUNNING: Final = f"abs(toInt128(LastActive) - {{now:Int128}}) < {RUNNING_NS}"

CONDITIONS: Final = {
    RUNNING: _IS_RUNNING,
    FAILED: f"NOT {_IS_RUNNING} AND LastState % 2 = 1",
    PARTLY_FAILED: f"NOT {_IS_RUNNING} AND LastState % 2 = 0 AND FailedTraces > 0",
    OK: f"NOT {_IS_RUNNING} AND LastState % 2 = 0 AND FailedTraces = 0 AND Traces > 0",
    UNKNOWN: f"NOT {_IS_RUNNING} AND Traces = 0",
}
"""By status, the condition on a row of `sessions`; the parameter `now` is in nanoseconds UTC."""


def status_of(session: Any, now: int | None = None) -> str:
    """The status of a `SessionSum`: `running`, `failed`, `partly_failed`, `ok` or `unknown`.

    Args:
        session: the session.
        now: nanoseconds UTC; without it no session is running.
    """
    if now is not None and abs(session.end - now) < RUNNING_NS:
        return RUNNING
    if session.last_state & 1:
        return FAILED
    if session.failed_trace_count:
        return PARTLY_FAILED
    return OK if session.trace_count else UNKNOWN
