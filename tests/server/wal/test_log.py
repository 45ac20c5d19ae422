"""The log acknowledges, bounds what waits, and hands segments over."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from otel_sessions.server.signals import TRACES
from otel_sessions.server.wal.log import BackloggedError, RequestLog
from otel_sessions.server.wal.segments import numbers, remove_segment

LOGS: list[RequestLog] = []


@pytest.fixture(autouse=True)
def no_open_files() -> Iterator[None]:
    """Close the files of every log that a test made."""
    yield
    while LOGS:
        LOGS.pop().release()


def log_in(folder: Path, *, backlog_bytes: int = 1000) -> RequestLog:
    """A log that starts with segment 1."""
    LOGS.append(RequestLog(folder, backlog_bytes=backlog_bytes, first=1))
    return LOGS[-1]


def log_with_a_reader(folder: Path) -> RequestLog:
    """A log from which a segment was just taken because somebody waits for it."""
    log = log_in(folder)
    number = log.append(TRACES, b"a", [1])
    assert not log.wait_for(number, timeout=0)
    assert log.take(rows=9, linger=3600) is not None
    return log


@contextmanager
def taking(log: RequestLog, *, rows: int = 9, **when: float) -> Iterator[list[bytes]]:
    """Take a segment on another thread, and fail if it takes long; the payloads, once it is left."""
    taken: list[bytes] = []

    def take() -> None:
        sealed = log.take(rows=rows, **when)
        assert sealed is not None
        taken.extend(request.payload for request in sealed.requests)

    thread = threading.Thread(target=take, daemon=True)
    thread.start()
    yield taken
    thread.join(10)


def test_a_segment_is_taken_when_it_has_rows_enough(tmp_path: Path) -> None:
    """It is then closed: what comes next is in the next one, and its file stays until it is done."""
    log = log_in(tmp_path / "wal")
    assert 0 == log.newest
    assert 1 == log.append(TRACES, b"ab", [1, 2])
    sealed = log.take(rows=2, linger=3600)
    assert sealed is not None
    assert (1, [b"ab"]) == (sealed.number, [request.payload for request in sealed.requests])
    assert 2 == log.append(TRACES, b"c", [3])
    assert (2, 3) == (log.newest, log.waiting_bytes)
    assert [1, 2] == numbers(log.folder)
    log.done(1)
    assert [2] == numbers(log.folder)
    assert 1 == log.waiting_bytes


def test_a_segment_is_taken_when_it_is_old_enough(tmp_path: Path) -> None:
    """Few rows do not wait for more for ever."""
    log = log_in(tmp_path)
    log.append(TRACES, b"a", [1])
    assert log.take(rows=100, linger=0.01) is not None


def test_while_there_are_readers_segments_are_taken_earlier(tmp_path: Path) -> None:
    """Also for some time after the last one."""
    log = log_with_a_reader(tmp_path)
    log.append(TRACES, b"b", [2])
    with taking(log, linger=3600, linger_for_readers=0) as taken:
        pass
    assert [b"b"] == taken


def test_while_an_answer_is_made_segments_are_taken_as_without_readers(tmp_path: Path) -> None:
    """When it is done they are taken early again."""
    log = log_with_a_reader(tmp_path)
    log.append(TRACES, b"b", [2])
    with ExitStack() as stack, log.answering(), log.answering():
        with taking(log, linger=0, linger_for_readers=3600) as at_once:
            pass
        assert [b"b"] == at_once
        log.append(TRACES, b"c", [3])
        early = stack.enter_context(taking(log, linger=3600, linger_for_readers=0))
    assert [b"c"] == early


def test_a_resting_committer_is_woken_by_a_reader_only(tmp_path: Path) -> None:
    """Rows enough do not end its rest; a reader does."""
    log = log_in(tmp_path)
    number = log.append(TRACES, b"a", [1])
    with taking(log, rows=1, linger=0, not_before=time.monotonic() + 3600) as taken:
        assert not log.wait_for(number, timeout=0)
    assert [b"a"] == taken


def test_too_much_waiting_is_refused_with_a_delay(tmp_path: Path) -> None:
    """One request always fits, so a large one is not refused for ever."""
    log = log_in(tmp_path, backlog_bytes=3)
    log.append(TRACES, b"large one", [1])
    with pytest.raises(BackloggedError, match="9 bytes wait") as raised:
        log.append(TRACES, b"x", [1])
    assert raised.value.retry_seconds > 0


def test_a_reader_hurries_the_committer_and_waits(tmp_path: Path) -> None:
    """What was acknowledged before a read is committed before it is answered."""
    log = log_in(tmp_path)
    number = log.append(TRACES, b"a", [1])
    assert not log.wait_for(number, timeout=0)

    def commit() -> None:
        sealed = log.take(rows=100, linger=3600)
        assert sealed is not None
        log.done(sealed.number)

    thread = threading.Thread(target=commit)
    thread.start()
    assert log.wait_for(number, timeout=10)
    thread.join()
    assert log.wait_for(number)


def test_who_waits_for_groups_waits_for_no_more(tmp_path: Path) -> None:
    """A segment that a reader waits for says so; when all its rows are stored its groups are too."""
    log = log_in(tmp_path)
    log.append(TRACES, b"a", [1])
    unasked = log.take(rows=1, linger=3600)
    number = log.append(TRACES, b"b", [1])
    assert not log.wait_for_groups(number, timeout=0)
    asked = log.take(rows=100, linger=3600)
    assert unasked is not None
    assert asked is not None
    assert (False, True) == (unasked.awaited, asked.awaited)
    log.grouped(number)
    assert log.wait_for_groups(number, timeout=0)
    assert not log.wait_for(number, timeout=0)
    number = log.append(TRACES, b"c", [1])
    log.done(number)
    assert log.wait_for_groups(number, timeout=0)


def test_answers_are_waited_for_unless_they_wait_themselves(tmp_path: Path) -> None:
    """One that waits for a commit would never be done."""
    log = log_in(tmp_path)
    number = log.append(TRACES, b"a", [1])
    assert log.let_answer(0)
    with log.answering():
        assert not log.let_answer(0)
        reader = threading.Thread(target=log.wait_for, args=(number, 30))
        reader.start()
        assert log.let_answer(30)
        log.done(number)
        reader.join()
        assert not log.let_answer(0)


def test_a_closed_log_is_emptied_and_takes_nothing(tmp_path: Path) -> None:
    """Shutting down commits what is there at once."""
    log = log_in(tmp_path)
    log.append(TRACES, b"a", [1])
    log.close()
    assert log.take(rows=100, linger=3600) is not None
    assert log.take(rows=100, linger=3600) is None
    with pytest.raises(RuntimeError, match="shutting down"):
        log.append(TRACES, b"a", [1])


def test_a_waiting_committer_is_woken_by_the_first_request(tmp_path: Path) -> None:
    """It sleeps while there is nothing."""
    log = log_in(tmp_path)
    with taking(log, rows=1, linger=3600) as taken:
        log.append(TRACES, b"a", [1])
    assert [b"a"] == taken


def test_a_new_log_numbers_on_from_what_is_left(tmp_path: Path) -> None:
    """No number is used twice, neither of a segment that a dead process left, nor of one that is long committed."""
    used = [log_in(tmp_path).append(TRACES, b"a", [1]) for _ in range(3)]
    for number in used:
        remove_segment(tmp_path, number)
    used.append(log_in(tmp_path).append(TRACES, b"b", [1]))
    assert used == sorted(set(used))


def test_a_broken_file_of_numbers_is_no_reason_to_use_one_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Numbering goes on from one that is ahead of all that were used."""
    used = log_in(tmp_path).append(TRACES, b"a", [1])
    (tmp_path / "next-segment").write_text("")
    assert log_in(tmp_path).append(TRACES, b"b", [1]) > used + 10**9
    assert "is broken" in caplog.text
