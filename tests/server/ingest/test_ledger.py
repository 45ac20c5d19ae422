"""Calls that spans and log records tell of are counted once, however the requests come and whatever fails."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.counting.ledgers import SESSION, OneCall, calls
from tests.server.ingest.servers import Server
from tests.server.ingest.stores import Memory, span

from otel_sessions.counting.tokens import Usage
from otel_sessions.server.clickhouse.errors import StoreAwayError


def assert_right(store: Memory, truth: list[OneCall]) -> None:
    """The session has these calls, and each record is stored once."""
    session = store.session(SESSION)
    assert session.call_count == len(truth)
    assert session.input_tokens == sum(call.usage.input_tokens or 0 for call in truth)
    assert session.output_tokens == sum(call.usage.output_tokens or 0 for call in truth)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(truth=calls(most=6), data=st.data())
def test_any_split_and_any_fault_gives_the_same_calls(
    tmp_path_factory: Any, truth: list[OneCall], data: st.DataObject
) -> None:
    """Requests of spans and of records in any order and split, doubled, with failing inserts and kills between."""
    told = [one for call in truth for one in call.told()]
    sent = data.draw(st.permutations(told + data.draw(st.lists(st.sampled_from(told), max_size=3))))
    store = Memory()
    inserts = st.tuples(st.sampled_from(["spans", "groups", "facts", "logs"]), st.integers(1, 6))
    faults = data.draw(st.dictionaries(inserts, st.booleans(), max_size=4))
    server = Server(tmp_path_factory.mktemp("wal"), store, recent=data.draw(st.sampled_from([1, 100])))
    store.faults = {insert: (late, StoreAwayError("fault")) for insert, late in faults.items()}
    try:
        while sent:
            size = data.draw(st.integers(1, len(sent)))
            request, sent = sent[:size], sent[size:]
            spans = [one for one in request if not one[1].event]
            records = [one for one in request if one[1].event]
            if spans:
                server.send(*spans)
            if records:
                server.send_records(*records)
            fate = data.draw(st.sampled_from(["commit", "kill inside", "wait"]))
            server.patient = fate != "kill inside"
            if fate != "wait":
                server.stop()
                server.patient = True
                server.restart()
            server.patient = True
    finally:
        server.log.release()
    server.restart()
    server.stop()
    assert_right(store, truth)


def test_records_that_are_set_aside_are_not_counted(tmp_path: Path) -> None:
    """A request of records that cannot be stored leaves the numbers as they are without it."""
    server = Server(tmp_path)
    told = [one for number in (0, 1) for one in _call(number).told()]
    server.send_records(told[0])
    server.store.refused = {str(told[1][1].span_id)}
    server.send_records(told[1])
    server.stop()
    assert_right(server.store, [_call(0)])
    assert len(list(tmp_path.glob("*.refused"))) == 1


def test_no_unit_is_looked_up_without_log_records(tmp_path: Path) -> None:
    """Where no record was ever counted, spans cost no look into the store."""
    server = Server(tmp_path)
    server.store.traces_near = None  # type: ignore[assignment, method-assign]
    server.send((1, span(1, tokens=10)))
    server.stop()
    assert server.store.session("s").call_count == 1


def _call(number: int) -> OneCall:
    """A call that one record in no trace tells of."""
    told = {"has_id": False, "spans": False, "records": True, "twins": False, "in_trace": False}
    return OneCall(number, 1_000 * number, Usage(10 + number, 1), **told)
