"""Readers wait for the committer, and the committer waits for the readers that it released."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from otel_sessions.server.wal.batching import ReaderDemand
from otel_sessions.server.wal.progress import Progress

DEADLINE = 30.0


def new_progress() -> Progress:
    """The progress of a log whose first segment is 1."""
    return Progress(threading.Condition(), 0)


def test_a_reader_of_stored_segments_asks_for_nothing() -> None:
    """Such a reader neither waits nor has anything committed."""
    progress = new_progress()
    assert progress.wait_for_commit(0)
    assert progress.wait_for_groups(0)
    assert progress.demand == ReaderDemand()


def test_a_reader_requests_a_flush_and_waits() -> None:
    """The wait ends when the segment is stored, or when it takes too long."""
    progress = new_progress()
    assert not progress.wait_for_commit(1, timeout=0)
    assert progress.demand.flush_requested
    assert progress.demand.last_wait > 0
    with ThreadPoolExecutor(1) as reader:
        waited = reader.submit(progress.wait_for_commit, 1, DEADLINE)
        progress.committed(1)
        assert waited.result(DEADLINE)


def test_readers_of_groups_wait_for_no_more() -> None:
    """Groups are written before the other rows; when all rows are stored, the groups are written too."""
    progress = new_progress()
    assert not progress.wait_for_groups(1, timeout=0)
    progress.groups_written(1)
    assert progress.wait_for_groups(1, timeout=0)
    assert not progress.wait_for_commit(1, timeout=0)
    progress.committed(2)
    assert progress.wait_for_groups(2, timeout=0)
    assert progress.wait_for_commit(2, timeout=0)


def test_the_committer_waits_for_answers() -> None:
    """The committer goes on when the last answer is made."""
    progress = new_progress()
    assert progress.wait_for_readers(0)
    with ThreadPoolExecutor(1) as committer:
        with progress.answering(), progress.answering():
            assert not progress.wait_for_readers(0)
            waited = committer.submit(progress.wait_for_readers, DEADLINE)
        assert waited.result(DEADLINE)


def test_the_committer_does_not_wait_for_an_answer_that_waits_for_it() -> None:
    """An answer that waits for a commit would never be made."""
    progress = new_progress()
    with ThreadPoolExecutor(2) as threads, progress.answering():
        committer = threads.submit(progress.wait_for_readers, DEADLINE)
        reader = threads.submit(progress.wait_for_commit, 1, DEADLINE)
        assert committer.result(DEADLINE)
        progress.committed(1)
        assert reader.result(DEADLINE)
        assert not progress.wait_for_readers(0)
