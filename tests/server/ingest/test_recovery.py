"""Requests that cannot be stored are set aside, and hold up no others."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest
from tests.server.ingest.servers import Server
from tests.server.ingest.stores import Memory, span, span_rows

from otel_sessions.counting.prices.pricer import Pricer
from otel_sessions.server.clickhouse.errors import StoreAwayError
from otel_sessions.server.ingest.recovery import left_behind
from otel_sessions.server.ingest.set_aside import SetAside
from otel_sessions.server.projections.changes import NO_CONTEXT, ChangedTrace, Context, GroupChanges, group_changes
from otel_sessions.server.signals import TRACES
from otel_sessions.server.wal.log import WriteAheadLog


def test_one_request_that_cannot_be_stored_harms_no_other(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The request is set aside in a file; the others of its segment are stored once."""
    server = Server(tmp_path)
    server.store.refused = {"span 666"}
    server.send((1, span(1, tokens=10)))
    server.send((2, span(666)), payload=b"poison")
    server.send((3, span(3, tokens=5)))
    assert server.stop()
    assert server.store.spans == [(1, 1), (3, 3)]
    assert server.store.session("s").input_tokens == 15
    (refused,) = tmp_path.glob("*.refused")
    assert refused.read_bytes() == b"poison"
    assert "kept in" in caplog.text
    assert server.committer.set_aside.count == 1


def test_spans_that_are_set_aside_are_not_counted(tmp_path: Path) -> None:
    """Such spans count neither in a trace that other requests have spans of, nor in one of their own."""
    server = Server(tmp_path)
    server.store.refused = {"span 666"}
    server.send((1, span(1, tokens=10)))
    server.send((1, span(2, tokens=5)), (1, span(666, parent=1, session="other")), (2, span(666, session="third")))
    server.store.faults = {("groups", 4): (False, StoreAwayError("away"))}
    assert server.stop()
    assert server.store.spans == [(1, 1)]
    session = server.store.session("s")
    assert (session.trace_count, session.span_count, session.input_tokens) == (1, 1, 10)
    assert server.store.session("other").trace_count == server.store.session("third").trace_count == 0
    assert server.left >= {("id", "other"), ("id", "third")}


def test_stopping_while_spans_are_set_aside_keeps_the_segment(tmp_path: Path) -> None:
    """If the store is away while groups are written without them, the next start does it again."""
    server = Server(tmp_path)
    server.store.refused = {"span 666"}
    server.send((1, span(666)))
    server.store.faults = {("groups", 2): (False, StoreAwayError("away"))}
    server.patient = False
    assert not server.stop()
    assert server.store.session("s").span_count == 1
    assert server.restart() == 1
    assert server.store.session("s").span_count == 0
    assert len(list(tmp_path.glob("*.refused"))) == 1


class WithoutDeletions(Memory):
    """Memory that refuses to mark trace groups as deleted."""

    def project(
        self, traces: Iterable[ChangedTrace], version: int, pricer: Pricer | None, *, context: Context = NO_CONTEXT
    ) -> GroupChanges:
        """Add rows, unless groups are gone."""
        traces = list(traces)
        if group_changes(traces, pricer, context).gone:
            raise ValueError("no")
        return super().project(traces, version, pricer, context=context)


def test_groups_that_cannot_be_written_without_a_request_hold_up_no_other(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The log says how to correct the groups."""
    server = Server(tmp_path, WithoutDeletions())
    server.store.refused = {"span 666"}
    server.send((1, span(666)))
    server.send((2, span(2)))
    assert server.stop()
    assert server.store.spans == [(2, 2)]
    assert "otel-sessions rebuild" in caplog.text


def test_one_log_record_that_cannot_be_stored_harms_no_other(tmp_path: Path) -> None:
    """The other log records keep their numbers, so that they are stored once."""
    server = Server(tmp_path)
    server.store.refused.add("poison")
    for line in ("one", "poison", "two"):
        server.send_logs(line)
    server.send((1, span(1)))
    assert server.stop()
    assert server.store.logs == ["one", "two"]
    assert {row for _, row in server.store.log_rows} == {0, 2}
    assert server.committer.set_aside.count == 1


def test_a_request_that_can_no_longer_be_read_holds_up_no_other(tmp_path: Path) -> None:
    """The request was acknowledged, so it is kept in a file, and the server starts."""
    server = Server(tmp_path)
    server.send((1, span(1)), payload=b"unreadable")
    server.send((2, span(1)))
    server.damage(b"unreadable")
    assert server.restart() == 1
    assert server.store.spans == [(2, 1)]
    (kept,) = tmp_path.glob("*.refused")
    assert kept.read_bytes() == b"unreadable"


def test_memory_that_is_short_at_a_replay_sets_nothing_aside(tmp_path: Path) -> None:
    """A request that cannot be decoded for want of memory is tried again, not set aside."""
    log = WriteAheadLog(tmp_path, backlog_bytes=1 << 20)
    number = log.append(TRACES, b"x", span_rows((1, span(1))))
    log.release()

    def decode(*_: object) -> object:
        raise MemoryError

    log = WriteAheadLog(tmp_path, backlog_bytes=1 << 20)
    with pytest.raises(MemoryError):
        left_behind(log, number, decode, aside := SetAside(tmp_path))
    assert aside.count == 0
    log.release()
