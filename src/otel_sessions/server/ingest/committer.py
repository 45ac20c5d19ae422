"""`Committer`: one thread that stores the segments of the write-ahead log, each exactly once.

What happens to a segment:

1. The log hands it over. Spans that say nothing new are left out.
2. The rows of spans and the trace groups that change are inserted side by side, and after both the facts of the spans. If
   a reader waits, the groups come first, then the reader is released, then the spans follow.
3. The cache of traces is updated, and log records are inserted.
4. The segment is deleted, and all that wait for it are released.

After a failed try, or after `kill -9` between any two inserts, the segment is still there. The next try, or the next start,
commits it again and adds what is missing:

- If its facts are not stored, its spans count as new. Their rows are looked up by span id, and the missing ones inserted.
  Trace groups replace those of the earlier try, since their version is greater.
- If its facts are stored, so are its rows, which were inserted before them, unless the power failed: they are looked up as well. Trace
  groups are written again.
- Log records are looked up by the number of their segment and their number in it.

If a commit fails for another reason than a store that is away, its requests are committed one by one. A request that
fails alone is set aside in a file, and the groups of its traces are written again without it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from otel_sessions.counting.prices.pricer import Pricer
from otel_sessions.server.clickhouse.errors import StoreAwayError
from otel_sessions.server.ingest.commit import Committed, Regrouped, SegmentWriter
from otel_sessions.server.ingest.commit_target import CommitTarget
from otel_sessions.server.ingest.recovery import SetAside, left_behind, one_by_one
from otel_sessions.server.ingest.stored_traces import StoredTraces
from otel_sessions.server.projections.recent_traces import RecentTraces
from otel_sessions.server.projections.seen_trace_ids import SeenTraceIds
from otel_sessions.server.signals import TRACES
from otel_sessions.server.wal.log import SealedSegment, WriteAheadLog
from otel_sessions.server.wal.segments import remove_segment

logger: Final = logging.getLogger("otel_sessions.server.ingest")

WASTEFUL: Final = 4
"""A commit that rolls up more than this many times the spans that it adds is followed by a rest as long as it took, unless
a reader waits: a trace of any size that comes in many requests is then rolled up a number of times that grows with the
logarithm of its size."""

FIRST_PAUSE: Final = 0.25
LONGEST_PAUSE: Final = 30.0
"""Seconds between tries while the store is away; they double."""

Operation = Callable[[SealedSegment, int], Committed]
"""One of `SegmentWriter`: takes a segment and a version."""


class Committer:
    """Takes segments from a log and commits them to tables, in order.

    Attributes:
        retries: the number of times that the store was away.
        set_aside: keeps the requests that cannot be stored.
    """

    def __init__(
        self,
        target: CommitTarget,
        log: WriteAheadLog,
        *,
        known: SeenTraceIds,
        recent: RecentTraces | None = None,
        pricer: Pricer | None = None,
        version: int = 0,
        regrouped: Regrouped = lambda *_: None,
        committed: Callable[[Committed, float], object] = lambda _, __: None,
        pause: Callable[[float], object] | None = None,
        may_write: Callable[[], object] = lambda: None,
        incomplete: bool = False,
    ) -> None:
        """Prepare; `start` starts the thread.

        Args:
            target: where rows go.
            log: where segments come from.
            known: the traces in the store.
            recent: the cache of facts.
            pricer: prices model calls that do not report their cost.
            version: the greatest one in the store.
            regrouped: called with trace groups before any reader sees them, on the committer's thread.
            committed: called after every commit, with the seconds that it took, on the same thread.
            pause: waits between tries, in seconds; something true tells the thread to stop.
            may_write: called before every change; raises `StoreAwayError` if nothing may be written now.
            incomplete: rows are missing from the tables, so what is stored is looked up for every segment, and counted again.
        """
        self._log = log
        self._recent = RecentTraces() if recent is None else recent
        traces = StoredTraces(target, known, self._recent)
        self._writer = SegmentWriter(target, traces, log.progress, pricer, regrouped)
        self._commit_new = self._writer.recommit if incomplete else self._writer.commit
        self._committed = committed
        self._version = version
        self._rest_until = 0.0
        self._writing = threading.Lock()
        self._stopping = threading.Event()
        self._pause = pause or self._stopping.wait
        self._may_write = may_write
        self._thread = threading.Thread(target=self._run, name="otel-sessions-committer", daemon=True)
        self.retries = 0
        self.set_aside = SetAside(log.folder)

    def start(self) -> None:
        """Commit what comes, on a thread of its own."""
        self._thread.start()

    def stop(self, timeout: float | None = None) -> bool:
        """Commit what was acknowledged, then end; return True if all of it could be committed."""
        self._log.close()
        self._thread.join(timeout)
        self._stopping.set()
        self._thread.join()
        self._writer.close()
        self._log.release()
        return self._log.waiting_bytes == 0

    def replay(self, decode: Callable[[str, bytes], Any]) -> int:
        """Commit the segments that earlier processes left, before `start`; return the number of requests."""
        replayed = 0
        for segment in left_behind(self._log.folder, decode, self.set_aside):
            if not self._commit(segment, self._writer.recommit):
                break
            remove_segment(self._log.folder, segment.number)
            replayed += len(segment.requests)
        return replayed

    @contextmanager
    def exclusive(self) -> Iterator[int]:
        """Hold up all commits while the block changes the store, with a version between earlier and later ones.

        Raises:
            StoreAwayError: nothing may be written now.
        """
        with self._writing:
            self._may_write()
            self._version += 1
            yield self._version

    def forget(self, trace_ids: Iterable[int] | None = None) -> None:
        """Drop these traces, or all, from the cache; call it inside `exclusive`."""
        if trace_ids is None:
            self._recent.clear()
        for trace_id in trace_ids or ():
            self._recent.forget(trace_id)

    def _run(self) -> None:
        while (segment := self._log.take(not_before=self._rest_until)) is not None:
            if not self._commit(segment, self._commit_new):
                return
            self._log.delete(segment)
            self._recent.trim()

    def _commit(self, segment: SealedSegment, operation: Operation) -> bool:
        """Commit a segment, if need be one request after the other; return False if told to stop before it was done."""
        try:
            return self._attempt(segment, operation, self._writer.recommit)
        except Exception:
            logger.exception("%d requests of segment %d could not be committed", len(segment.requests), segment.number)
        if len(segment.requests) > 1:
            return all(self._commit(part, self._writer.recommit) for part in one_by_one(segment))
        return self._give_up(segment)

    def _give_up(self, segment: SealedSegment) -> bool:
        """Set a request aside and count its traces without it; return False if told to stop before it was done."""
        (request,) = segment.requests
        self.set_aside.keep(segment.number, request.signal, request.payload)
        if request.signal != TRACES:
            return True
        without = self._writer.regroup_without
        try:
            return self._attempt(segment, without, without)
        except Exception:
            logger.exception("trace groups may count spans that were set aside; `otel-sessions rebuild` corrects them")
            return True

    def _attempt(self, segment: SealedSegment, first: Operation, again: Operation) -> bool:
        """Try `first`, then `again` for as long as the store is away; return False if told to stop before it was done."""
        operation, pause = first, FIRST_PAUSE
        while True:
            try:
                with self.exclusive() as version:
                    begin = time.monotonic()
                    done = operation(segment, version)
                    end = time.monotonic()
                    if done.rolled_up > WASTEFUL * done.stored[TRACES]:
                        self._rest_until = end + (end - begin)
                    self._committed(done, end - begin)
                    return True
            except StoreAwayError as error:
                self.retries += 1
                logger.warning("segment %d waits, the store is away: %s", segment.number, error)
            if self._pause(pause):
                return False
            operation, pause = again, min(pause * 2, LONGEST_PAUSE)
