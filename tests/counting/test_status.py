"""How a session stands."""

from __future__ import annotations

from typing import Any

from tests.counting.building import AT, TRACE, fact, in_session

from otel_sessions.counting.fold import SessionSum
from otel_sessions.counting.status import RUNNING_NS, status_of
from otel_sessions.counting.trace import roll_up

SECOND = 1_000_000_000


def session(*traces: tuple[int, bool], **more: Any) -> SessionSum:
    """A session of traces, each with its end in seconds and whether it failed."""
    found = SessionSum("id", "s")
    for number, (end, failed) in enumerate(traces):
        span = fact(number + 1, **in_session("s"), start=AT, end=AT + end * SECOND, failed=failed)
        rolled_up = roll_up(TRACE + number, [span])
        assert rolled_up is not None
        found.add(rolled_up.groups[0]._replace(**more))
    return found


def test_the_last_trace_decides_whether_a_session_failed() -> None:
    """One that failed before is a part of it; the order in which they come does not matter."""
    assert status_of(session((1, False), (2, True))) == "failed"
    assert status_of(session((2, True), (1, False))) == "failed"
    assert status_of(session((1, True), (2, False))) == "partly_failed"
    assert status_of(session((1, False))) == "ok"
    assert status_of(session()) == "unknown"


def test_turns_of_log_records_are_as_good_as_traces() -> None:
    """The state of a turn has the end of its last call and whether that failed."""
    failed = (AT + 5 * SECOND) * 2 + 1
    assert status_of(session((9, False), turns={7: failed})) == "failed"
    assert status_of(session((9, False), turns={7: failed, 8: failed + 1})) == "partly_failed"


def test_a_session_runs_for_a_minute_after_its_last_record() -> None:
    """Within a minute of its last record a session is running, whatever failed; a record of a clock that is far ahead keeps none running."""
    one = session((1, True))
    assert status_of(one, one.end + RUNNING_NS - 1) == "running"
    assert status_of(one, one.end + RUNNING_NS) == "failed"
    assert status_of(one, one.end - RUNNING_NS) == "failed"
    assert one.rollup(one.end).status == "running"
    assert one.rollup().status == "failed"
