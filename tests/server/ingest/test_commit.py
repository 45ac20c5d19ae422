"""One commit stores what is new of a segment, and changes the trace groups that it touches."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.server.ingest.servers import Server
from tests.server.ingest.stores import DEADLINE, HeldSpans, span

from otel_sessions.server.clickhouse.errors import StoreAwayError
from otel_sessions.server.signals import LOGS, TRACES
from otel_sessions.server.wal.segments import segment_numbers


def test_spans_of_a_trace_in_several_requests_are_one_trace(tmp_path: Path) -> None:
    """A late parent that repeats its child's usage takes nothing back and adds nothing."""
    server = Server(tmp_path)
    server.send((1, span(2, parent=1, tokens=10)))
    assert server.stop()
    server.restart()
    server.send((1, span(1)), (2, span(1, tokens=5)))
    assert server.stop()
    session = server.store.session("s")
    assert (session.trace_count, session.span_count, session.input_tokens) == (2, 3, 15)
    assert segment_numbers(tmp_path) == []


def test_duplicates_are_stored_once_and_counted(tmp_path: Path) -> None:
    """A span is stored once if it comes again in one request, in another one, or after a restart emptied the cache."""
    server = Server(tmp_path)
    server.send((1, span(1, tokens=10)), (1, span(1, tokens=10)))
    server.send((1, span(1, tokens=10)))
    server.stop()
    server.restart()
    server.send((1, span(1, tokens=10)))
    server.stop()
    assert server.store.spans == [(1, 1)]
    assert server.store.session("s").input_tokens == 10
    assert server.commits[-1].duplicates == 1


def test_a_later_state_of_a_span_replaces_the_earlier_one(tmp_path: Path) -> None:
    """The later state is stored as well, for readers to take it; the numbers are its own."""
    server = Server(tmp_path)
    server.send((1, span(1, tokens=10, end=5)))
    server.send((1, span(1, tokens=30, end=8)))
    server.stop()
    assert server.store.spans == [(1, 1), (1, 1)]
    assert server.store.session("s").input_tokens == 30


def test_a_trace_that_changes_its_session_leaves_the_old_one(tmp_path: Path) -> None:
    """An orphan takes the trace's only session until its own parent, in another one, arrives."""
    server = Server(tmp_path)
    server.send((1, span(2, parent=9, session=None)), (1, span(3, session="a")))
    server.stop()
    assert server.store.session("a").span_count == 2
    server.restart()
    server.send((1, span(9, session="b")))
    server.stop()
    assert (server.store.session("a").span_count, server.store.session("b").span_count) == (1, 2)
    server.restart()
    server.send((1, span(3, session="b", end=99)))
    server.stop()
    assert (server.store.session("a").span_count, server.store.session("b").span_count) == (0, 3)


def test_spans_without_a_session_write_no_group(tmp_path: Path) -> None:
    """Such spans are stored, and belong to no session until their trace has one."""
    server = Server(tmp_path)
    server.send((1, span(1, session=None)))
    server.stop()
    assert server.store.groups == {}
    assert server.store.spans == [(1, 1)]


def test_logs_are_stored_beside_spans(tmp_path: Path) -> None:
    """Requests of both signals can be in one segment; each signal is one batch."""
    server = Server(tmp_path)
    server.send_logs("one")
    server.send((1, span(1)))
    server.send_logs("two")
    server.stop()
    assert server.store.logs == ["one", "two"]
    (commit,), (groups,) = server.commits, server.told
    assert commit.stored == {TRACES: 1, LOGS: 2}
    assert [(group.key, group.value) for group in groups] == [("id", "s")]


@pytest.mark.parametrize("late", [False, True])
def test_log_records_are_stored_once(tmp_path: Path, late: bool) -> None:
    """A failed insert is completed without repeating rows; a new request of the same records is stored again."""
    server = Server(tmp_path)
    for line in ("one", "two"):
        server.send_logs(line)
    server.store.faults["logs", 1] = (late, StoreAwayError("away"))
    assert server.stop()
    assert server.store.logs == ["one", "two"]
    server.restart()
    server.send_logs("one")
    server.restart()
    assert server.store.logs == ["one", "two", "one"]


@pytest.mark.parametrize("awaited", [False, True])
def test_readers_of_groups_do_not_wait_for_spans(tmp_path: Path, awaited: bool) -> None:
    """Readers are released when groups are written; if one waits already, the insert of spans begins only then."""
    store = HeldSpans()
    server = Server(tmp_path, store)
    told_before: list[int] = []
    store.before = lambda: told_before.append(len(server.told))
    number = server.send((1, span(1, tokens=10)))
    progress = server.log.progress
    assert not (awaited and progress.wait_for_groups(number, timeout=0))
    server.committer.start()
    assert progress.wait_for_groups(number, DEADLINE)
    assert store.session("s").input_tokens == 10
    assert (store.spans, store.facts) == ([], {})
    assert [[group.trace_id for group in groups] for groups in server.told] == [[1]]
    store.go_on.set()
    assert server.committer.stop(timeout=DEADLINE)
    assert store.spans == [(1, 1)]
    assert told_before == [1] or not awaited
