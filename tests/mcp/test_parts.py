"""The lists that a session or a turn is made of."""

from __future__ import annotations

from typing import Any

from tests.mcp.asks import told_of
from tests.mcp.stored import SPAN_ID, Stored, call, log, session, step, trace
from tests.mcp.synthetic import SPAN, TIME, TRACE

from otel_sessions.mcp.parts import MOST_CALLS

CELL = trace(trace_id=None, start=TIME, turn_count=4)
TOOLS = [{"name": name, "count": 1, "failed_count": 0, "duration_ms": 1.0} for name in ("grep", "ls", "cat")]


def _part(stored: Stored, part: str, ref: str = "s", **more: Any) -> Any:
    return told_of(stored, "get_session", id=ref, part=part, **more)


def test_log_records_in_no_trace_may_be_several_turns() -> None:
    """Their row says how many; that of a trace does not."""
    first, second = _part(Stored(session=session(), traces=[CELL, trace()]), "turns")["turns"]
    assert (first["id"], first["turn_count"]) == (f"turn:{TIME}:s", 4)
    assert (second["id"], "turn_count" in second) == (f"turn:{TRACE}:s", False)


def test_calls_are_sorted() -> None:
    """By any measure, in both orders; what is not known counts least."""
    costs = (None, "0.5", "2")
    calls = [
        call(span_id=f"{number:016x}", total_cost=cost, total_tokens=number or None)
        for number, cost in enumerate(costs)
    ]
    stored = Stored(session=session(), calls=calls)
    for sort in ("cost", "tokens"):
        told = _part(stored, "calls", sort=sort, order="desc", limit=2)
        assert [one["total_cost"] for one in told["calls"]] == ["2", "0.5"]
        assert told["next"]["arguments"]["offset"] == 2
        (last,) = _part(stored, "calls", sort=sort, order="desc", offset=-1)["calls"]
        assert last["total_cost"] is None
    assert [one["total_cost"] for one in _part(stored, "calls", sort="cost")["calls"]] == [None, "0.5", "2"]


def test_only_so_many_calls_are_sorted() -> None:
    """A note says that later calls were not looked through."""
    stored = Stored(session=session(), calls=[call()] * (MOST_CALLS + 1))
    told = _part(stored, "calls", sort="duration", limit=1)
    assert told["total"] == MOST_CALLS
    assert f"Only the first {MOST_CALLS:,} calls were looked through." in told["notes"]


def test_calls_of_a_turn() -> None:
    """Only those of its trace are listed; an inexact cost says so, what says nothing is left out."""
    ours = call(cost_exact=False, failed=False, evidence=["span"])
    stored = Stored(calls=[ours, call(trace_id="f" * 32)], traces=[trace()])
    (told,) = _part(stored, "calls", f"turn:{TRACE}:s")["calls"]
    assert (told["id"], told["cost_exact"], "failed" in told) == (SPAN_ID, False, False)


def test_an_exact_cost_says_so() -> None:
    """A call whose cost is exact tells it; one of log records only has no span to read."""
    (told,) = _part(Stored(session=session(), calls=[call(cost_exact=True, evidence=["log"])]), "calls")["calls"]
    assert (told["id"], told["cost_exact"]) == (None, True)


def test_steps_are_asked_for_by_condition() -> None:
    """Kind, text, failure and trace go to the server."""
    stored = Stored(steps=[step()], traces=[trace()])
    _part(stored, "steps", f"turn:{TRACE}:s", kind="tool", q="x", failed=False, sort="duration", order="desc")
    asked = stored.asked_of("steps")
    expected = {"kind": "tool", "q": "x", "failed": "false", "sort": "duration", "order": "desc", "trace_id": TRACE}
    assert {name: asked[name] for name in expected} == expected


def test_steps_of_log_records_in_no_trace() -> None:
    """They cannot be told from those of the session, and a note says so."""
    stored = Stored(steps=[step()], traces=[CELL])
    told = _part(stored, "steps", f"turn:{TIME}:s")
    assert "trace_id" not in stored.asked_of("steps")
    assert "Steps of log records in no trace are listed for the whole session." in told["notes"]


def test_a_step_tells_only_what_there_is() -> None:
    """A step that went well has no failure, error or size; one that failed has, and names the call that reads a cut error."""
    good = step()
    bad = step(failed=True, message="no", message_length=2, size=9)
    cut = step(failed=True, message="no", message_length=500)
    apart = step(failed=True, message="no", message_length=2, evidence="log")
    first, second, third, fourth = _part(Stored(session=session(), steps=[good, bad, cut, apart]), "steps")["steps"]
    assert first.keys() == {"id", "name", "kind", "start", "duration_ms"}
    assert (second["failed"], second["error"], second["content_bytes"]) == (True, "no", 9)
    read = {"tool": "get_payload", "arguments": {"id": SPAN_ID, "field": "error"}}
    assert third["error"] == {"begins": "no", "length": 500, "read": read}
    assert (fourth["id"], fourth["name"], fourth["error"]) == (None, "grep", "no")


def test_tools_of_a_session_or_a_turn() -> None:
    """They are paged; those of a turn are asked for by its trace."""
    stored = Stored(session=session(), tools=TOOLS, traces=[trace()])
    told = _part(stored, "tools", limit=2)
    assert ([one["name"] for one in told["tools"]], told["total"]) == (["grep", "ls"], 3)
    assert told["next"]["arguments"]["offset"] == 2
    assert "trace_id" not in stored.asked_of("steps")
    (last,) = _part(stored, "tools", f"turn:{TRACE}:s", offset=-1)["tools"]
    assert last["name"] == "cat"
    assert stored.asked_of("steps")["trace_id"] == TRACE


def test_logs_of_a_turn() -> None:
    """Those of its trace, with the text that is looked for, and the span that each is of."""
    stored = Stored(logs=[log(trace_id=TRACE, span_id=SPAN, body="x")], traces=[trace()])
    (told,) = _part(stored, "logs", f"turn:{TRACE}:s", q="x")["logs"]
    assert (told["span"], told["body"]) == (SPAN_ID, "x")
    asked = stored.asked_of("logs")
    assert (asked["trace_id"], asked["q"]) == (TRACE, "x")


def test_a_log_record_tells_only_what_there_is() -> None:
    """One without a body, attributes or a span has its time only."""
    (told,) = _part(Stored(session=session(), logs=[log()]), "logs")["logs"]
    assert told.keys() == {"id", "time"}
