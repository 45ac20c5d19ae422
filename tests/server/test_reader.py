"""The reader answers every question, and waits for the data that it needs."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest
from tests.server.building import call, filters, groups_of, insert_groups, sessions_of, span, write

from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.clickhouse.errors import StoreAwayError
from otel_sessions.server.projections.sessions import SessionRows
from otel_sessions.server.reader import Reader
from otel_sessions.server.settling import Settling, UnsettledError
from otel_sessions.server.signals import TRACES
from otel_sessions.server.wal.log import WriteAheadLog

STORED = {
    1: [span(1, session="a"), span(2, 1, session="a", **call("0.1", 5, "gpt-4o"))],
    2: [span(3, session="a")],
    3: [span(4, session="b")],
}

Question = Callable[[Reader], Any]

OF_GROUPS: list[Question] = [
    lambda reader: reader.sessions(),
    lambda reader: reader.session("a"),
    lambda reader: reader.session_with_traces("a"),
    lambda reader: reader.traces("a"),
    lambda reader: reader.keys(),
    lambda reader: reader.cohorts("model"),
]
OF_SPANS: list[Question] = [lambda reader: reader.spans("a")]


@pytest.fixture
def log(tmp_path: Path) -> Iterator[WriteAheadLog]:
    """A log that nothing is committed from."""
    log = WriteAheadLog(tmp_path, backlog_bytes=1_000)
    yield log
    log.release()


class AwayStore(Store):
    """A store that cannot be reached."""

    def __init__(self) -> None:
        pass

    def reading(self) -> NoReturn:
        """Raise `StoreAwayError`."""
        raise StoreAwayError("gone")


def test_every_question_is_answered(store: Store) -> None:
    """A reader of a store that nothing writes to answers every question without waiting."""
    write(store, STORED)
    reader = Reader(store)
    first, second = sessions_of(STORED)
    assert reader.sessions(sort="traces").sessions == [first, second]
    assert reader.sessions(filters(model="gpt-4o"), limit=1).total == 1
    assert reader.session("a") == first
    assert reader.traces("a", limit=1, offset=1).total == 2
    assert reader.session_with_traces("a", limit=1) == (first, reader.traces("a", limit=1))
    assert [row["SpanName"] for row in reader.spans("a", offset=1).spans] == ["span 2", "span 3"]
    (key,) = reader.keys()
    assert (key.key, key.sessions) == ("id", 2)
    assert [(one.value, one.sessions) for one in reader.cohorts("model", limit=1)] == [("gpt-4o", 1)]
    reader.ping()


def test_a_session_that_does_not_exist(store: Store) -> None:
    """A session without spans is `None`, and its traces and spans are empty."""
    reader = Reader(store)
    assert reader.session("none") is None
    assert reader.session_with_traces("none") is None
    assert (reader.traces("none").total, reader.spans("none").total) == (0, 0)


def test_a_question_waits_for_what_it_needs(store: Store, log: WriteAheadLog) -> None:
    """Every question waits for trace groups, and the question about spans waits for stored spans too."""
    reader = Reader(store, Settling(log, SessionRows(store), timeout=0))
    log.append(TRACES, b"12345", ["span"])
    for question in (*OF_GROUPS, *OF_SPANS):
        with pytest.raises(UnsettledError, match="5 acknowledged bytes were not committed within 0 s"):
            question(reader)
    segment = log.take()
    assert segment is not None
    log.progress.groups_written(segment.number)
    for question in OF_GROUPS:
        question(reader)
    with pytest.raises(UnsettledError):
        reader.spans("a")
    log.delete(segment)
    assert reader.spans("a").total == 0


def test_lists_have_the_sessions_whose_rows_are_not_written(store: Store, log: WriteAheadLog) -> None:
    """A list writes the rows of changed sessions before it reads them."""
    rows = SessionRows(store)
    groups = groups_of(STORED)
    insert_groups(store, groups, (), 1)
    rows.mark_changed(groups, (), 1)
    assert Reader(store).sessions().total == 0
    assert Reader(store, Settling(log, rows)).sessions().total == 2


def test_threads_take_turns_more_often_while_an_answer_is_computed(store: Store, log: WriteAheadLog) -> None:
    """The switch interval is short inside `answering`, where another part of the process writes to the store."""
    before = sys.getswitchinterval()
    with Reader(store).answering():
        assert sys.getswitchinterval() == before
    with Reader(store, Settling(log, SessionRows(store))).answering():
        assert sys.getswitchinterval() < before
    assert sys.getswitchinterval() == before


def test_a_store_that_does_not_answer() -> None:
    """A ping of a store that cannot be reached raises an error."""
    with pytest.raises(StoreAwayError, match="gone"):
        Reader(AwayStore()).ping()
