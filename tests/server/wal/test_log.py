"""The log acknowledges, bounds what waits, and hands segments over."""

from __future__ import annotations

import errno
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path

import pytest

from otel_sessions.server.signals import TRACES
from otel_sessions.server.wal.batching import BatchPolicy
from otel_sessions.server.wal.log import BackloggedError, SealedSegment, WriteAheadLog
from otel_sessions.server.wal.numbering import Numbering
from otel_sessions.server.wal.segments import remove_segment, segment_numbers

DEADLINE = 30.0
FOREVER = 3600.0

Open = Callable[..., WriteAheadLog]


@pytest.fixture
def log_in() -> Iterator[Open]:
    """Opens logs whose segments are taken when they are full, and closes their files at the end."""
    logs: list[WriteAheadLog] = []

    def open_(
        folder: Path, *, backlog_bytes: int = 1000, rows: int = 9, linger: float = FOREVER, for_readers: float = FOREVER
    ) -> WriteAheadLog:
        policy = BatchPolicy(rows, linger, for_readers, readers_expected=FOREVER)
        logs.append(WriteAheadLog(folder, backlog_bytes=backlog_bytes, policy=policy))
        return logs[-1]

    yield open_
    for log in logs:
        log.close()
        log.release()


@pytest.fixture
def committer() -> Iterator[ThreadPoolExecutor]:
    """A thread that takes segments."""
    with ThreadPoolExecutor(1) as thread:
        yield thread


def payloads(segment: SealedSegment | None) -> list[bytes]:
    """The bytes of the requests of a segment, which must be there."""
    assert segment is not None
    return [request.payload for request in segment.requests]


def test_a_segment_is_taken_when_it_has_enough_rows(tmp_path: Path, log_in: Open) -> None:
    """The segment is then closed: later requests are in the next one, and its file stays until it is deleted."""
    log = log_in(tmp_path / "wal", rows=2)
    assert log.newest == 0
    assert log.append(TRACES, b"ab", [1, 2]) == 1
    segment = log.take()
    assert segment is not None
    assert (segment.number, segment.size, payloads(segment)) == (1, 2, [b"ab"])
    assert log.append(TRACES, b"c", [3]) == 2
    assert (log.newest, log.waiting_bytes) == (2, 3)
    assert segment_numbers(log.folder) == [1, 2]
    log.delete(segment)
    assert segment_numbers(log.folder) == [2]
    assert log.waiting_bytes == 1


def test_a_segment_is_taken_when_it_is_old_enough(tmp_path: Path, log_in: Open) -> None:
    """Few rows do not wait for more for ever."""
    log = log_in(tmp_path, linger=0.01)
    log.append(TRACES, b"a", [1])
    assert payloads(log.take()) == [b"a"]


def test_a_waiting_committer_is_woken_by_the_first_request(
    tmp_path: Path, log_in: Open, committer: ThreadPoolExecutor
) -> None:
    """The committer sleeps while there is no request."""
    log = log_in(tmp_path, linger=0)
    taken = committer.submit(log.take)
    log.append(TRACES, b"a", [1])
    assert payloads(taken.result(DEADLINE)) == [b"a"]


def test_a_waiting_committer_is_woken_by_enough_rows(
    tmp_path: Path, log_in: Open, committer: ThreadPoolExecutor
) -> None:
    """The committer sleeps while there are fewer rows."""
    log = log_in(tmp_path, rows=3)
    taken = committer.submit(log.take)
    for payload in (b"a", b"b", b"c"):
        log.append(TRACES, payload, [1])
    assert payloads(taken.result(DEADLINE)) == [b"a", b"b", b"c"]


def test_segments_are_taken_early_when_an_answer_is_made(
    tmp_path: Path, log_in: Open, committer: ThreadPoolExecutor
) -> None:
    """While it was being made, the committer slept as if there were no readers."""
    log = log_in(tmp_path, for_readers=0)
    assert not log.progress.wait_for_commit(log.append(TRACES, b"a", [1]), timeout=0)
    assert payloads(log.take()) == [b"a"]
    with log.progress.answering(), log.progress.answering():
        log.append(TRACES, b"b", [2])
        taken = committer.submit(log.take)
    assert payloads(taken.result(DEADLINE)) == [b"b"]


def test_a_resting_committer_is_woken_by_a_reader(tmp_path: Path, log_in: Open, committer: ThreadPoolExecutor) -> None:
    """Enough rows do not end the rest; a reader does."""
    log = log_in(tmp_path, rows=1, linger=0)
    number = log.append(TRACES, b"a", [1])
    taken = committer.submit(log.take, not_before=time.monotonic() + FOREVER)
    assert not log.progress.wait_for_commit(number, timeout=0)
    assert payloads(taken.result(DEADLINE)) == [b"a"]


def test_a_reader_waits_until_its_segment_is_deleted(
    tmp_path: Path, log_in: Open, committer: ThreadPoolExecutor
) -> None:
    """Requests acknowledged before a read are committed before it is answered."""
    log = log_in(tmp_path)
    number = log.append(TRACES, b"a", [1])

    def commit() -> None:
        segment = log.take()
        assert segment is not None
        log.delete(segment)

    committed = committer.submit(commit)
    assert log.progress.wait_for_commit(number, DEADLINE)
    committed.result(DEADLINE)


def test_a_segment_tells_if_a_reader_waits_for_it(tmp_path: Path, log_in: Open) -> None:
    """A reader waits for the segment that is open when it comes, not for the next one."""
    log = log_in(tmp_path, linger=0, for_readers=0)
    awaited = []
    for ask in (False, True, False):
        number = log.append(TRACES, b"a", [1])
        assert not (ask and log.progress.wait_for_groups(number, timeout=0))
        segment = log.take()
        awaited.append(segment and segment.awaited)
    assert awaited == [False, True, False]


def test_too_much_waiting_is_refused_with_a_delay(tmp_path: Path, log_in: Open) -> None:
    """One request always fits, so a large one is not refused for ever."""
    log = log_in(tmp_path, backlog_bytes=3)
    log.append(TRACES, b"large one", [1])
    with pytest.raises(BackloggedError, match="9 bytes wait") as raised:
        log.append(TRACES, b"x", [1])
    assert raised.value.retry_seconds > 0


def test_a_closed_log_is_emptied_and_takes_nothing(tmp_path: Path, log_in: Open, committer: ThreadPoolExecutor) -> None:
    """Shutting down commits what is there at once, even while the committer rests."""
    log = log_in(tmp_path)
    log.append(TRACES, b"a", [1])
    taken = committer.submit(log.take, not_before=time.monotonic() + FOREVER)
    log.close()
    assert payloads(taken.result(DEADLINE)) == [b"a"]
    assert log.take() is None
    with pytest.raises(RuntimeError, match="shutting down"):
        log.append(TRACES, b"a", [1])


def test_a_new_log_numbers_on_from_what_is_left(tmp_path: Path, log_in: Open) -> None:
    """No number is used twice, neither of a segment that a dead process left, nor of one that is long committed."""
    used = [log_in(tmp_path).append(TRACES, b"a", [1]) for _ in range(3)]
    for number in used:
        remove_segment(tmp_path, number)
    used.append(log_in(tmp_path).append(TRACES, b"b", [1]))
    assert sorted(set(used)) == used


def test_a_broken_file_of_numbers_does_not_make_one_repeat(
    tmp_path: Path, log_in: Open, caplog: pytest.LogCaptureFixture
) -> None:
    """Numbering goes on from one that is ahead of all that were used."""
    used = log_in(tmp_path).append(TRACES, b"a", [1])
    (tmp_path / "next-segment").write_text("")
    assert log_in(tmp_path).append(TRACES, b"b", [1]) > used + 10**9
    assert "does not hold a number" in caplog.text


@pytest.mark.parametrize(("number", "starts"), [(errno.ENOSPC, True), (errno.EACCES, False)])
def test_a_full_disk_holds_up_no_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, starts: bool
) -> None:
    """A log opens on a disk that is full, since what is there can be read; a folder that may not be written is an error."""

    def refused(*_: object) -> None:
        raise OSError(number, "refused")

    monkeypatch.setattr(Numbering, "reserve", refused)
    with nullcontext() if starts else pytest.raises(OSError, match="refused"):
        WriteAheadLog(tmp_path, backlog_bytes=1 << 20).release()
