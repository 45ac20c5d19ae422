"""Exactly once: retries, duplicates, faults in the middle of a commit, and replays change no number."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.server.ingest.servers import Server
from tests.server.ingest.stores import DEADLINE, Memory, span

from otel_sessions.counting.fold import fold
from otel_sessions.counting.trace import roll_up
from otel_sessions.server.clickhouse.errors import StoreAwayError


def test_a_giant_trace_in_many_requests_is_rolled_up_few_times(tmp_path: Path) -> None:
    """After a commit that rolled up many more spans than it added, the committer rests."""
    server = Server(tmp_path, recent=10_000)
    server.send(*((1, span(number)) for number in range(1, 101)))
    server.committer.start()
    assert server.log.progress.wait_for_commit(server.log.newest, DEADLINE)
    server.send((1, span(200)))
    assert server.log.progress.wait_for_commit(server.log.newest, DEADLINE)
    assert server.committer.stop(timeout=DEADLINE)
    first, second, third = server.log.rests
    assert (first, second) == (0, 0)
    assert third > 0
    assert server.store.session("s").span_count == 101


def test_a_store_that_is_away_is_waited_for(tmp_path: Path) -> None:
    """The commit is tried again with growing pauses, and made once."""
    server = Server(tmp_path)
    server.store.faults = {
        ("spans", 1): (False, StoreAwayError("away")),
        ("spans", 2): (True, StoreAwayError("away")),
    }
    server.send((1, span(1, tokens=10)))
    assert server.stop()
    assert server.pauses == [0.25, 0.5]
    assert server.committer.retries == 2
    assert server.store.spans == [(1, 1)]


def test_stopping_while_the_store_is_away_keeps_the_segment(tmp_path: Path) -> None:
    """Requests that could not be committed are there for the next start."""
    server = Server(tmp_path)
    server.patient = False
    server.store.faults = {("spans", 1): (False, StoreAwayError("away"))}
    server.send((1, span(1, tokens=10)))
    assert not server.stop()
    assert server.store.spans == []
    assert server.restart() == 1
    assert server.store.spans == [(1, 1)]


def test_a_replay_that_is_broken_off_keeps_what_it_has_not_done(tmp_path: Path) -> None:
    """If the store is away at the start and stays away, the next start tries again."""
    server = Server(tmp_path)
    server.send((1, span(1)))
    server.store.faults = {("spans", 1): (False, StoreAwayError("away"))}
    server.patient = False
    assert server.restart() == 0
    assert server.restart() == 1
    assert server.store.spans == [(1, 1)]


def test_the_version_grows(tmp_path: Path) -> None:
    """Holding up commits gives a version between those of the commits before and after."""
    server = Server(tmp_path)
    with server.committer.exclusive() as first:
        server.send((1, span(1)))
    assert server.stop()
    with server.committer.exclusive() as last:
        pass
    (version,) = {version for version, _ in server.store.groups.values()}
    assert (first, version, last) == (1, 2, 3)


def test_forgotten_traces_are_read_from_the_store(tmp_path: Path) -> None:
    """A span whose trace was deleted from the store and forgotten is stored again; one of another trace is not."""
    server = Server(tmp_path, recent=10_000)
    server.send((1, span(1)), (2, span(1)))
    server.committer.start()
    assert server.log.progress.wait_for_commit(server.log.newest, DEADLINE)
    for trace_ids in ([1], None):
        with server.committer.exclusive():
            del server.store.facts[1]
            server.committer.forget(trace_ids)
        server.send((1, span(1)), (2, span(1)))
        assert server.log.progress.wait_for_commit(server.log.newest, DEADLINE)
    assert server.committer.stop(timeout=DEADLINE)
    assert server.store.spans == [(1, 1), (2, 1), (1, 1), (1, 1)]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_faults_and_crashes_leave_the_same_numbers(tmp_path_factory: Any, data: st.DataObject) -> None:
    """Requests in any split, doubled, with inserts failing before or after they were made, and kills between."""
    truth = [
        (trace_id, span(span_id, parent=1 if span_id > 1 else None, session=f"s{trace_id % 2}", tokens=span_id * 10))
        for trace_id in (1, 2, 3)
        for span_id in (1, 2, 3)
    ]
    sent = data.draw(st.permutations(truth + data.draw(st.lists(st.sampled_from(truth), max_size=4))))
    store = Memory()
    inserts = st.tuples(st.sampled_from(["spans", "groups", "facts"]), st.integers(1, 6))
    faults = data.draw(st.dictionaries(inserts, st.booleans(), max_size=5))
    server = Server(tmp_path_factory.mktemp("wal"), store, recent=data.draw(st.sampled_from([1, 100])))
    store.faults = {insert: (late, StoreAwayError("fault")) for insert, late in faults.items()}
    try:
        while sent:
            if data.draw(st.booleans()):
                server.log.progress.wait_for_commit(server.log.newest, timeout=0)
            size = data.draw(st.integers(1, len(sent)))
            request, sent = sent[:size], sent[size:]
            server.send(*request)
            fate = data.draw(st.sampled_from(["commit", "kill", "kill inside", "wait"]))
            server.patient = fate != "kill inside"
            if fate in ("commit", "kill inside"):
                server.stop()
            server.patient = True
            if fate != "wait":
                server.restart()
    finally:
        server.log.release()
    server.stop()
    server.restart()
    assert sorted(store.spans) == sorted((trace_id, one.span_id) for trace_id, one in truth)
    for value in ("s0", "s1"):
        rollups = [roll_up(id_, [one for trace_id, one in truth if trace_id == id_]) for id_ in (1, 2, 3)]
        groups = [group for rollup in rollups if rollup for group in rollup.groups if group.value == value]
        assert store.session(value) == fold("id", value, groups)
