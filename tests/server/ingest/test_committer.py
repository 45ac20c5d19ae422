"""Exactly once: retries, duplicates, faults in the middle of a commit, and replays change no number."""

from __future__ import annotations

import threading
from itertools import count
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.server.ingest.servers import Server
from tests.server.ingest.stores import DEADLINE, HeldSpans, Memory, span, span_rows

from otel_sessions.counting.fold import fold
from otel_sessions.counting.trace import roll_up
from otel_sessions.server.clickhouse.errors import StoreAwayError, StoreError
from otel_sessions.server.ingest.committer import DOUBTS, LONGEST_PAUSE, Committer, is_passing
from otel_sessions.server.ingest.committer_problems import committer_problems
from otel_sessions.server.ingest.trouble import Trouble
from otel_sessions.server.otlp.batch import SpanBatch
from otel_sessions.server.projections.seen_trace_ids import SeenTraceIds
from otel_sessions.server.signals import TRACES
from otel_sessions.server.wal.log import WriteAheadLog


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


@pytest.mark.parametrize(
    "error",
    [
        OSError(24, "Too many open files"),
        MemoryError(),
        RuntimeError("can't start new thread"),
        StoreAwayError("away"),
        StoreError("refused"),
    ],
)
def test_a_passing_error_sets_nothing_aside(tmp_path: Path, error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    """While a commit fails for a passing reason, or no row at all can be written, requests wait; the log says so once."""
    server = Server(tmp_path)
    server.store.faults = {("spans", number): (False, error) for number in range(1, 11)}
    server.store.probe_faults = [StoreError("refused")] * 10
    server.send((1, span(1, tokens=10)))
    server.send((2, span(2)))
    assert server.stop()
    assert server.store.spans == [(1, 1), (2, 2)]
    assert server.committer.set_aside.count == 0
    assert server.committer.trouble.message is None
    assert caplog.text.count("segment 1 waits") == 1
    assert server.pauses[-1] == LONGEST_PAUSE


@pytest.mark.parametrize("count", [1, 2])
def test_an_error_that_lasts_while_other_rows_are_stored(tmp_path: Path, count: int) -> None:
    """A request is set aside only after it was tried for long, and others of its segment are stored."""
    server = Server(tmp_path)
    server.store.refused, server.store.refusal = {"span 666"}, StoreError("unknown")
    server.send((1, span(666)))
    for number in range(2, count + 1):
        server.send((number, span(number)))
    assert server.stop()
    assert server.committer.set_aside.count == 1
    assert len(server.pauses) == DOUBTS - 1
    assert server.store.probes == DOUBTS + count - 1
    assert server.store.spans == [(number, number) for number in range(2, count + 1)]


def test_nothing_ends_the_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever raises around a commit is tried again, and the rows are stored once."""
    server = Server(tmp_path)
    failing = {"take": 1, "delete": 2}

    def fail_first(owner: Any, name: str) -> None:
        method = getattr(owner, name)

        def call(*args: Any, **more: Any) -> Any:
            failing[name] -= 1
            if failing[name] >= 0:
                raise OSError(5, "Input/output error")
            return method(*args, **more)

        monkeypatch.setattr(owner, name, call)

    fail_first(server.log, "take")
    fail_first(server.log, "delete")
    server.send((1, span(1, tokens=10)))
    assert server.stop()
    assert server.store.spans == [(1, 1)]
    assert failing["take"] < 0
    assert failing["delete"] < 0
    assert "the committer was interrupted" in caplog.text
    assert "cannot be deleted" in caplog.text


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


def test_a_commit_that_cannot_be_counted_is_a_commit(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """What is told of a commit may fail; its requests are stored once, and none is set aside."""
    server = Server(tmp_path)
    server.commits = cast("Any", None)
    server.send((1, span(1)))
    assert server.stop()
    assert server.store.spans == [(1, 1)]
    assert server.committer.set_aside.count == 0
    assert "could not be counted" in caplog.text


def test_an_end_of_trouble_is_told_after_a_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A segment that cannot be read for a moment is read again, and nothing is left that says otherwise."""
    server = Server(tmp_path)
    server.send((1, span(1)))
    read, failures = Path.read_bytes, [OSError(5, "Input/output error")]

    def read_bytes(path: Path) -> bytes:
        if failures and path.suffix == ".traces":
            raise failures.pop()
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", read_bytes)
    assert server.restart() == 1
    assert failures == []
    assert server.store.spans == [(1, 1)]
    assert server.committer.trouble.message is None


class Away(Memory):
    """Memory that is away, and tells when it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = threading.Event()

    def insert_spans(self, batch: SpanBatch, token: str | None) -> None:
        """Fail."""
        self.asked.set()
        raise StoreAwayError("away")


def committer_on(store: Memory, folder: Path) -> tuple[WriteAheadLog, Committer]:
    """A log with a request, and a committer that waits between its tries."""
    log = WriteAheadLog(folder, backlog_bytes=1 << 20)
    log.append(TRACES, b"x", span_rows((1, span(1))))
    committer = Committer(store, log, known=SeenTraceIds())
    committer.trouble = Trouble(clock=count(0, 10).__next__)
    return log, committer


def test_a_stop_in_trouble_does_not_wait(tmp_path: Path) -> None:
    """A store that has been away for long does not delay the end; the next start commits."""
    store = Away()
    _, committer = committer_on(store, tmp_path)
    committer.start()
    assert store.asked.wait(DEADLINE)
    assert not committer.stop()


def test_a_replay_that_waits_holds_up_no_start(tmp_path: Path) -> None:
    """A start that cannot commit what was left goes on, takes requests, and ends when it is told to."""
    log, _ = committer_on(Memory(), tmp_path)
    log.release()
    log, committer = committer_on(store := Away(), tmp_path)
    committer.start(lambda *_: span_rows((1, span(1))))
    assert not committer.wait_for_replay(DEADLINE)
    assert store.asked.is_set()
    names = [problem.name for check in committer_problems(committer, log) if (problem := check())]
    assert names == ["commits_fail", "replaying"]
    assert log.waiting_bytes == 2
    assert not log.progress.wait_for_groups(log.newest, timeout=0)
    assert not committer.stop()
    assert len(log.left_numbers()) == 1


def test_a_start_waits_for_a_replay_that_succeeds(tmp_path: Path) -> None:
    """What an earlier process left is committed before the start goes on, and before newer requests."""
    log, _ = committer_on(Memory(), tmp_path)
    log.release()
    store = Memory()
    log, committer = committer_on(store, tmp_path)
    committer.start(lambda *_: span_rows((7, span(7))))
    assert committer.wait_for_replay(DEADLINE)
    assert committer.stop(DEADLINE)
    assert store.spans == [(7, 7), (1, 1)]
    assert not committer.is_alive


def test_a_long_replay_holds_up_no_start(tmp_path: Path) -> None:
    """A start waits for a bounded time."""
    log, _ = committer_on(Memory(), tmp_path)
    log.release()
    store = HeldSpans()
    log, committer = committer_on(store, tmp_path)
    committer.start(lambda *_: span_rows((7, span(7))))
    assert not committer.wait_for_replay(0)
    store.go_on.set()
    assert committer.stop(DEADLINE)


def test_a_thread_that_is_gone_is_a_problem(tmp_path: Path) -> None:
    """Without its threads the server is not ready."""
    log, committer = committer_on(Memory(), tmp_path)
    gone = committer_problems(committer, log)[0]
    committer.start()
    assert gone() is None
    assert committer.stop(DEADLINE)
    problem = gone()
    assert problem is not None
    assert (problem.name, problem.blocks) == ("committer_gone", True)


def always_failing(*_: Any, **__: Any) -> Any:
    """A step that the disk refuses."""
    raise OSError(5, "Input/output error")


@pytest.mark.parametrize(("owner", "step"), [(Path, "read_bytes"), (WriteAheadLog, "replayed")])
def test_a_replay_that_is_told_to_stop_keeps_the_segment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, owner: Any, step: str
) -> None:
    """A segment that can be neither read nor deleted is there for the next start, which stores it once."""
    server = Server(tmp_path)
    server.send((1, span(1)))
    server.patient = False
    with monkeypatch.context() as failing:
        failing.setattr(owner, step, always_failing)
        assert server.restart() == 0
    server.patient = True
    assert server.restart() == 1
    assert server.store.spans == [(1, 1)]


@pytest.mark.parametrize("step", ["take", "delete"])
def test_a_thread_that_is_told_to_stop_ends_in_trouble(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """What the disk refuses is not tried for ever when the server ends; the next start stores the request once."""
    server = Server(tmp_path)
    server.patient = False
    server.send((1, span(1)))
    monkeypatch.setattr(server.log, step, always_failing)
    server.stop()
    assert server.restart() == 1
    assert server.store.spans == [(1, 1)]


def test_a_request_that_cannot_be_set_aside_is_there_for_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If not even a file can be written, the segment stays."""
    server = Server(tmp_path)
    server.patient = False
    server.store.refused = {"span 666"}
    server.send((1, span(666)))
    monkeypatch.setattr(server.committer.set_aside, "keep", always_failing)
    assert not server.stop()
    assert server.restart() == 1
    assert len(list(tmp_path.glob("*.refused"))) == 1


def test_a_segment_that_was_interrupted_is_looked_up(tmp_path: Path) -> None:
    """Whatever ends a commit half way, the same segment is committed next, and nothing of it twice."""
    store = Memory()
    store.faults = {("facts", 1): (True, StoreAwayError("away"))}
    interruptions = [OSError(5, "Input/output error")]

    def pause(_: float) -> None:
        if interruptions:
            raise interruptions.pop()

    log = WriteAheadLog(tmp_path, backlog_bytes=1 << 20)
    log.append(TRACES, b"x", span_rows((1, span(1))))
    committer = Committer(store, log, known=SeenTraceIds(), pause=pause)
    committer.start()
    assert committer.stop(DEADLINE)
    assert interruptions == []
    assert store.spans == [(1, 1)]


def test_which_errors_may_pass() -> None:
    """Errors of the system and of a store that is away may pass; those of a request's values do not."""
    passing = (OSError(), MemoryError(), RuntimeError("can't start new thread"), StoreAwayError("away"))
    assert all(map(is_passing, passing))
    assert not any(map(is_passing, (RecursionError(), ValueError(), StoreError("unknown"))))
