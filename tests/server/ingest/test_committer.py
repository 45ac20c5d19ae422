"""Exactly once: retries, duplicates, faults in the middle of a commit, and replays change no number."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.server.ingest.stores import LogRows, Memory, SpanRows, concatenate

from otel_sessions.counting.facts import Call, SpanFacts
from otel_sessions.counting.fold import fold
from otel_sessions.counting.tokens import Usage
from otel_sessions.counting.trace import roll_up
from otel_sessions.dialects.kinds import LLM, OTHER
from otel_sessions.server.ingest.committer import Committed, Committer, Regrouped, UnavailableError
from otel_sessions.server.projections.recent_traces import RecentTraces
from otel_sessions.server.projections.seen_trace_ids import SeenTraceIds
from otel_sessions.server.signals import LOGS, TRACES
from otel_sessions.server.wal.log import RequestLog
from otel_sessions.server.wal.segments import numbers


def span(
    span_id: int, *, parent: int | None = None, session: str | None = "s", tokens: int = 0, end: int = 9
) -> SpanFacts:
    """A span; with tokens it is a model call."""
    return SpanFacts(
        span_id,
        parent,
        0,
        end,
        False,
        LLM if tokens else OTHER,
        "",
        f"span {span_id}",
        () if session is None else (("id", session),),
        call=Call(Usage(tokens, 1)) if tokens else None,
    )


class Server:
    """A log and a committer over a store; `restart` is what happens after `kill -9`."""

    def __init__(self, folder: Path, store: Memory, *, recent: int = 100) -> None:
        self.store = store
        self.folder = folder
        self.payloads: dict[bytes, Any] = {}
        self.recent = recent
        self.log: Any = None
        self.pauses: list[float] = []
        self.regrouped: list[Regrouped] = []
        self.commits: list[Committed] = []
        self.restart()

    def restart(self) -> int:
        """Start anew on what is on disk; how many requests were replayed."""
        if self.log is not None:
            self.log.release()
        self.log = RequestLog(self.folder, backlog_bytes=1 << 20)
        known = SeenTraceIds()
        for trace_id in self.store.facts:
            known.add(trace_id)
        self.committer = Committer(
            self.store,
            self.log,
            known=known,
            recent=RecentTraces(self.recent),
            concatenate=concatenate,
            regrouped=self.regrouped.append,
            committed=self.commits.append,
            pause=self.pauses.append,
        )
        return self.committer.replay(lambda _, payload: self.payloads[payload])

    def send(self, *spans: tuple[int, SpanFacts], payload: bytes | None = None) -> None:
        """Acknowledge one request."""
        rows = SpanRows([trace_id for trace_id, _ in spans], [one for _, one in spans])
        payload = payload or json.dumps([trace_id for trace_id, _ in spans]).encode() + str(len(self.payloads)).encode()
        self.payloads[payload] = rows
        self.log.append(TRACES, payload, rows)

    def stop(self) -> bool:
        """Shut down in good order; whether everything was committed."""
        self.committer.start()
        return self.committer.stop(timeout=30)


def test_spans_of_a_trace_in_several_requests_are_one_trace(tmp_path: Path) -> None:
    """A late parent that repeats its child's usage takes nothing back and adds nothing."""
    server = Server(tmp_path, Memory())
    server.send((1, span(2, parent=1, tokens=10)))
    server.log.close()
    server.committer._run()
    server.restart()
    server.send((1, span(1)), (2, span(1, tokens=5)))
    assert server.stop()
    session = server.store.session("s")
    assert (2, 3, 15) == (session.trace_count, session.span_count, session.input_tokens)
    assert [] == numbers(tmp_path)


def test_a_giant_trace_in_many_requests_is_counted_few_times(tmp_path: Path) -> None:
    """After a commit that counted much more anew than it added, the committer rests."""
    server = Server(tmp_path, Memory(), recent=10_000)
    rests: list[float] = []
    take = server.log.take

    def noted(*, not_before: float, **how: Any) -> Any:
        rests.append(not_before)
        return take(not_before=not_before, **how)

    server.log.take = noted
    server.send(*((1, span(number)) for number in range(1, 101)))
    server.committer.start()
    assert server.log.wait_for(server.log.newest, 30)
    server.send((1, span(200)))
    assert server.log.wait_for(server.log.newest, 30)
    assert server.committer.stop(timeout=30)
    first, second, third = rests
    assert (first, second) == (0, 0)
    assert third > 0
    assert 101 == server.store.session("s").span_count


def test_duplicates_are_stored_once_and_counted(tmp_path: Path) -> None:
    """In one request, in another one, and after a restart that emptied the cache."""
    server = Server(tmp_path, Memory())
    server.send((1, span(1, tokens=10)), (1, span(1, tokens=10)))
    server.send((1, span(1, tokens=10)))
    server.stop()
    server.restart()
    server.send((1, span(1, tokens=10)))
    server.stop()
    assert [(1, 1)] == server.store.spans
    assert 10 == server.store.session("s").input_tokens
    assert 1 == server.commits[-1].duplicates


def test_a_later_state_of_a_span_replaces_the_earlier_one(tmp_path: Path) -> None:
    """It is stored as well, for readers to take the later one; the numbers are the later one's."""
    server = Server(tmp_path, Memory())
    server.send((1, span(1, tokens=10, end=5)))
    server.send((1, span(1, tokens=30, end=8)))
    server.stop()
    assert [(1, 1), (1, 1)] == server.store.spans
    assert 30 == server.store.session("s").input_tokens


def test_a_trace_that_changes_its_session_leaves_the_old_one(tmp_path: Path) -> None:
    """An orphan takes the trace's only session until its own parent, in another one, arrives."""
    server = Server(tmp_path, Memory())
    server.send((1, span(2, parent=9, session=None)), (1, span(3, session="a")))
    server.stop()
    assert 2 == server.store.session("a").span_count
    server.restart()
    server.send((1, span(9, session="b")))
    server.stop()
    assert (1, 2) == (server.store.session("a").span_count, server.store.session("b").span_count)
    server.restart()
    server.send((1, span(3, session="b", end=99)))
    server.stop()
    assert (0, 3) == (server.store.session("a").span_count, server.store.session("b").span_count)


def test_a_store_that_is_away_is_waited_for(tmp_path: Path) -> None:
    """The commit is tried again with growing pauses, and made once."""
    server = Server(tmp_path, Memory())
    server.store.faults = {
        ("spans", 1): (False, UnavailableError("away")),
        ("spans", 2): (True, UnavailableError("away")),
    }
    server.send((1, span(1, tokens=10)))
    assert server.stop()
    assert [0.25, 0.5] == server.pauses
    assert [(1, 1)] == server.store.spans


def test_stopping_while_the_store_is_away_keeps_the_segment(tmp_path: Path) -> None:
    """What could not be committed is there for the next start."""
    server = Server(tmp_path, Memory())
    server.committer._pause = lambda _: True
    server.store.faults = {("spans", 1): (False, UnavailableError("away"))}
    server.send((1, span(1, tokens=10)))
    assert not server.stop()
    assert [] == server.store.spans
    assert 1 == server.restart()
    assert [(1, 1)] == server.store.spans


def test_one_request_that_cannot_be_stored_harms_no_other(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It is set aside in a file; the others of its segment are stored once."""
    server = Server(tmp_path, Memory())
    server.store.refused = {"span 666"}
    server.send((1, span(1, tokens=10)))
    server.send((2, span(666)), payload=b"poison")
    server.send((3, span(3, tokens=5)))
    assert server.stop()
    assert [(1, 1), (3, 3)] == server.store.spans
    assert 15 == server.store.session("s").input_tokens
    (refused,) = tmp_path.glob("*.refused")
    assert b"poison" == refused.read_bytes()
    assert "kept in" in caplog.text
    assert 1 == server.committer.set_aside


def test_what_is_set_aside_is_not_counted(tmp_path: Path) -> None:
    """Neither in a trace that other requests have spans of, nor in one of its own."""
    server = Server(tmp_path, Memory())
    server.store.refused = {"span 666"}
    server.send((1, span(1, tokens=10)))
    server.send((1, span(2, tokens=5)), (1, span(666, parent=1, session="other")), (2, span(666, session="third")))
    server.store.faults = {("groups", 4): (False, UnavailableError("away"))}
    assert server.stop()
    assert [(1, 1)] == server.store.spans
    session = server.store.session("s")
    assert (1, 1, 10) == (session.trace_count, session.span_count, session.input_tokens)
    assert 0 == server.store.session("other").trace_count == server.store.session("third").trace_count
    left = {pair for groups in server.regrouped for pair in groups.left}
    assert {("id", "other"), ("id", "third")} <= left


def test_nothing_that_happens_to_what_is_set_aside_holds_up_the_others(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Where its trace groups cannot be written anew, the log says how to mend them."""
    server = Server(tmp_path, Memory())
    server.store.refused = {"span 666"}
    server.send((1, span(666)))
    server.send((2, span(2)))
    insert_groups = server.store.insert_groups

    def refusing(written: Any, gone: Any, version: int) -> None:
        if gone:
            raise ValueError("no")
        insert_groups(written, gone, version)

    server.store.insert_groups = refusing  # type: ignore[method-assign]
    assert server.stop()
    assert [(2, 2)] == server.store.spans
    assert "otel-sessions rebuild" in caplog.text


def test_a_request_that_can_no_longer_be_read_holds_up_no_other(tmp_path: Path) -> None:
    """It was acknowledged, so it is kept in a file; the server starts."""
    server = Server(tmp_path, Memory())
    server.send((1, span(1)), payload=b"unreadable")
    server.send((2, span(1)))
    del server.payloads[b"unreadable"]
    assert server.restart() == 1
    assert [(2, 1)] == server.store.spans
    (kept,) = tmp_path.glob("*.refused")
    assert b"unreadable" == kept.read_bytes()


def test_a_replay_that_is_broken_off_keeps_what_it_has_not_done(tmp_path: Path) -> None:
    """The store is away and nobody wants to wait for it: the next start tries again."""
    store = Memory()
    server = Server(tmp_path, store)
    server.send((1, span(1)))
    server.log.release()
    store.faults["spans", 1] = (False, UnavailableError("away"))
    log = RequestLog(tmp_path, backlog_bytes=1 << 20)
    broken_off = Committer(store, log, known=SeenTraceIds(), concatenate=concatenate, pause=lambda _: True)
    assert broken_off.replay(lambda _, payload: server.payloads[payload]) == 0
    log.release()
    assert server.restart() == 1
    assert [(1, 1)] == store.spans


def test_logs_are_stored_beside_spans(tmp_path: Path) -> None:
    """Requests of both signals in one segment, each signal as one batch."""
    server = Server(tmp_path, Memory())
    server.log.append(LOGS, b"l1", LogRows(["one"]))
    server.send((1, span(1)))
    server.log.append(LOGS, b"l2", LogRows(["two"]))
    server.stop()
    assert ["one", "two"] == server.store.logs
    (commit,), (groups,) = server.commits, server.regrouped
    assert {TRACES: 1, LOGS: 2} == commit.stored
    assert [("id", "s")] == [(group.key, group.value) for group in groups.written]


@pytest.mark.parametrize("late", [False, True])
def test_log_records_are_stored_once(tmp_path: Path, late: bool) -> None:
    """Whether the insert that failed had stored them or not, and after a restart in between."""
    store = Memory()
    server = Server(tmp_path, store)
    for line in ("one", "two"):
        server.payloads[line.encode()] = LogRows([line])
        server.log.append(LOGS, line.encode(), LogRows([line]))
    store.faults["logs", 1] = (late, UnavailableError("away"))
    assert server.stop()
    assert ["one", "two"] == store.logs
    server.log.release()
    server.log = RequestLog(tmp_path, backlog_bytes=1 << 20)
    server.log.append(LOGS, b"one", LogRows(["one"]))
    server.restart()
    assert ["one", "two", "one"] == store.logs


def test_one_log_record_that_cannot_be_stored_harms_no_other(tmp_path: Path) -> None:
    """The others keep their numbers, so that they are stored once."""
    store = Memory()
    store.refused.add("poison")
    server = Server(tmp_path, store)
    for line in ("one", "poison", "two"):
        server.log.append(LOGS, line.encode(), LogRows([line]))
    server.send((1, span(1)))
    assert server.stop()
    assert ["one", "two"] == store.logs
    assert {0, 2} == {row for _, row in store.log_rows}
    assert 1 == server.committer.set_aside


@pytest.mark.parametrize("awaited", [False, True])
def test_who_waits_for_groups_does_not_wait_for_spans(tmp_path: Path, awaited: bool) -> None:
    """They are told of as soon as they are written; if somebody waited already, spans are not even begun before."""
    server = Server(tmp_path, Memory())
    server.send((1, span(1, tokens=10)))
    number = server.log.newest
    assert not (awaited and server.log.wait_for_groups(number, timeout=0))
    seen: list[int] = []
    go_on = threading.Event()
    insert_spans = server.store.insert_spans

    def held(batch: SpanRows, token: str | None) -> None:
        seen.append(len(server.regrouped))
        go_on.wait(30)
        insert_spans(batch, token)

    server.store.insert_spans = held  # type: ignore[method-assign]
    server.committer.start()
    assert server.log.wait_for_groups(number, 30)
    assert 10 == server.store.session("s").input_tokens
    assert ([], {}) == (server.store.spans, server.store.facts)
    assert [[1]] == [[group.trace_id for group in groups.written] for groups in server.regrouped]
    go_on.set()
    assert server.committer.stop(timeout=30)
    assert [(1, 1)] == server.store.spans
    assert not awaited or [1] == seen


def test_spans_without_a_session_write_no_group(tmp_path: Path) -> None:
    """They are stored, and belong to nobody until the trace has a session."""
    server = Server(tmp_path, Memory())
    server.send((1, span(1, session=None)))
    server.stop()
    assert {} == server.store.groups
    assert [(1, 1)] == server.store.spans


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
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
    store.faults = {insert: (late, UnavailableError("fault")) for insert, late in faults.items()}
    try:
        while sent:
            if data.draw(st.booleans()):
                server.log.wait_for(server.log.newest, timeout=0)
            size = data.draw(st.integers(1, len(sent)))
            request, sent = sent[:size], sent[size:]
            server.send(*request)
            fate = data.draw(st.sampled_from(["commit", "kill", "kill inside", "wait"]))
            if fate == "commit":
                server.stop()
                server.restart()
            elif fate == "kill":
                server.restart()
            elif fate == "kill inside":
                server.committer._pause = lambda _: True
                server.stop()
                server.restart()
    finally:
        server.log.release()
    server.stop()
    server.restart()
    assert sorted((trace_id, one.span_id) for trace_id, one in truth) == sorted(store.spans)
    for value in ("s0", "s1"):
        rollups = [roll_up(id_, [one for trace_id, one in truth if trace_id == id_]) for id_ in (1, 2, 3)]
        groups = [group for rollup in rollups if rollup for group in rollup.groups if group.value == value]
        assert fold("id", value, groups) == store.session(value)
