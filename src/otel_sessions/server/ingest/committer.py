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

A commit that fails for a passing reason, or while no row at all can be written, is tried again until it succeeds. Only if the
reason is in the requests, or if it lasts while other rows can be written, are they committed one by one. A request
that fails alone is set aside in a file, and the groups of its traces are written again without it.

Nothing ends the thread but `stop`: whatever else fails, such as deleting a file, is tried again as well.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from otel_sessions.counting.prices.pricer import Pricer
from otel_sessions.server.clickhouse.errors import StoreAwayError, StoreError
from otel_sessions.server.ingest.commit import Committed, Regrouped, SegmentWriter
from otel_sessions.server.ingest.commit_target import CommitTarget
from otel_sessions.server.ingest.recovery import LeftBehind, left_behind, one_by_one
from otel_sessions.server.ingest.set_aside import SetAside
from otel_sessions.server.ingest.stored_traces import StoredTraces
from otel_sessions.server.ingest.trouble import Trouble
from otel_sessions.server.projections.recent_traces import RecentTraces
from otel_sessions.server.projections.seen_trace_ids import SeenTraceIds
from otel_sessions.server.signals import TRACES
from otel_sessions.server.wal.log import SealedSegment, WriteAheadLog
from otel_sessions.server.wal.salvage import Salvaged

logger: Final = logging.getLogger("otel_sessions.server.ingest")

WASTEFUL: Final = 4
"""A commit that rolls up more than this many times the spans that it adds is followed by a rest as long as it took, unless
a reader waits: a trace of any size that comes in many requests is then rolled up a number of times that grows with the
logarithm of its size."""

FIRST_PAUSE: Final = 0.25
LONGEST_PAUSE: Final = 5.0
"""Seconds between tries; they double."""

DOUBTS: Final = 6
"""How often a commit is tried that fails for an unknown reason while other rows can be written: for 8 seconds."""

STOP_IN_TROUBLE_SECONDS: Final = 2.0
"""A stop waits no longer once commits have failed for this long; the next start commits what is left."""

Decode = Callable[[str, bytes], Any]
"""Makes a batch of a request: takes its signal and its bytes."""

_LOOK_SECONDS: Final = 0.05
"""How often a thread that waits for the committer looks whether there is trouble."""

Operation = Callable[[SealedSegment, int], Committed]
"""One of `SegmentWriter`: takes a segment and a version."""


class Committer:
    """Takes segments from a log and commits them to tables, in order.

    Attributes:
        retries: how often a commit was tried again.
        set_aside: keeps the requests that cannot be stored.
        trouble: why commits do not succeed now.
        finished_version: the version of the last change of the store that is not under way any more.
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
        has_cells: bool = True,
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
            has_cells: there may be log records in the store that are in no trace.
            incomplete: rows are missing from the tables, so what is stored is looked up for every segment, and counted again.
        """
        self._log = log
        self._target = target
        self._recent = RecentTraces() if recent is None else recent
        traces = StoredTraces(target, known, self._recent, has_cells=has_cells)
        self._writer = SegmentWriter(target, traces, log.progress, pricer, regrouped)
        self._commit_new = self._writer.recommit if incomplete else self._writer.commit
        self._committed = committed
        self._version = version
        self.finished_version = version
        self._rest_until = 0.0
        self._writing = threading.Lock()
        self._stopping = threading.Event()
        self._pause = pause or self._stopping.wait
        self._may_write = may_write
        self._decode: Decode | None = None
        self._replay_over = threading.Event()
        self._taken: SealedSegment | None = None
        self._thread = threading.Thread(target=self._run, name="otel-sessions-committer", daemon=True)
        self.retries = 0
        self.set_aside = SetAside(log.folder)
        self.trouble = Trouble()

    def start(self, decode: Decode | None = None) -> None:
        """Commit what comes, on a thread of its own; with `decode`, first what earlier processes left."""
        self._decode = decode
        self._thread.start()

    @property
    def is_alive(self) -> bool:
        """False if a thread that commits is gone: nothing is committed any more."""
        return self._thread.is_alive() and self._writer.is_alive

    def wait_for_replay(self, seconds: float) -> bool:
        """Wait until what earlier processes left is committed, or cannot be now; return True if it is."""
        end = time.monotonic() + seconds
        while not self._replay_over.wait(_LOOK_SECONDS):
            if self.trouble.message is not None or time.monotonic() > end:
                return False
        return not self._log.left_numbers()

    def stop(self, timeout: float | None = None) -> bool:
        """Commit what was acknowledged, then end; return True if all of it could be committed."""
        self._log.close()
        end = time.monotonic() + timeout if timeout is not None else math.inf
        while self._thread.is_alive() and time.monotonic() < end:
            if self.trouble.seconds > STOP_IN_TROUBLE_SECONDS:
                break
            self._thread.join(_LOOK_SECONDS)
        self._stopping.set()
        self._thread.join()
        self._writer.close()
        self._log.release()
        return self._log.waiting_bytes == 0

    def replay(self, decode: Decode) -> int:
        """Commit the segments that earlier processes left; return the number of requests."""
        replayed = 0
        for number in self._log.left_numbers():
            found: list[LeftBehind] = []
            if not self._insist(
                f"segment {number} cannot be read",
                lambda: found.append(left_behind(self._log, number, decode, self.set_aside)),  # noqa: B023
            ):
                break
            segment, damaged = found[-1]
            if segment.requests and not self._commit(segment, self._writer.recommit):
                break
            if not self._insist(f"segment {number} cannot be deleted", lambda: self._put_away(number, damaged)):  # noqa: B023
                break
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
            version = self.next_version()
            try:
                yield version
            finally:
                self.finished_version = self._version

    def next_version(self) -> int:
        """A version greater than all before; call it inside `exclusive`."""
        self._version += 1
        return self._version

    def forget(self, trace_ids: Iterable[int] | None = None) -> None:
        """Drop these traces, or all, from the cache, and which messages are stored; call it inside `exclusive`."""
        self._target.forget_contents()
        if trace_ids is None:
            self._recent.clear()
        for trace_id in trace_ids or ():
            self._recent.forget(trace_id)

    def _run(self) -> None:
        while True:
            try:
                self._work()
            except Exception as error:
                self.trouble.failed("the committer was interrupted", error)
            else:
                return
            finally:
                self._replay_over.set()
            if self._pause(FIRST_PAUSE):
                return

    def _work(self) -> None:
        """Commit until the log is closed and empty, or this is told to stop."""
        if self._decode is not None and self._log.left_numbers():
            replayed = self.replay(self._decode)
            if replayed:
                logger.info("committed %d requests that an earlier process had acknowledged", replayed)
            if self._log.left_numbers():
                return
        self._replay_over.set()
        while True:
            operation = self._commit_new if self._taken is None else self._writer.recommit
            if self._taken is None:
                self._taken = self._log.take(not_before=self._rest_until)
            segment = self._taken
            if segment is None or not self._commit(segment, operation):
                return
            if not self._insist(f"segment {segment.number} cannot be deleted", lambda: self._log.delete(segment)):  # noqa: B023
                return
            self._taken = None
            self._recent.trim()

    def _put_away(self, number: int, damaged: Mapping[str, Salvaged]) -> None:
        """Delete a segment that is committed, but keep the files of it that are damaged."""
        for signal, salvaged in damaged.items():
            self.set_aside.keep_damaged(number, signal, salvaged)
        self._log.replayed(number)

    def _commit(self, segment: SealedSegment, operation: Operation, *, doubted: bool = False) -> bool:
        """Commit a segment, if need be one request after the other; return False if told to stop before it was done.

        Args:
            segment: the requests.
            operation: the first try; later ones look up what is stored.
            doubted: True if it was tried in vain for long while other rows could be written.
        """
        doubts, pause = (DOUBTS if doubted else 0), FIRST_PAUSE
        while True:
            try:
                self._attempt(segment, operation)
            except Exception as error:
                if not is_passing(error):
                    if isinstance(error, StoreError) and not self._others_can_be_stored():
                        doubts = 0
                    else:
                        doubts += 1
                    if doubts >= DOUBTS or not isinstance(error, StoreError):
                        return self._split(segment, error, doubted=doubted)
                self.retries += 1
                self.trouble.failed(
                    f"segment {segment.number} waits", error, expected=isinstance(error, StoreAwayError)
                )
            else:
                self.trouble.is_over()
                return True
            if self._pause(pause):
                return False
            operation, pause = self._writer.recommit, min(pause * 2, LONGEST_PAUSE)

    def _split(self, segment: SealedSegment, error: Exception, *, doubted: bool) -> bool:
        """Find the requests that cannot be stored, and set them aside; return False if told to stop before it was done."""
        if not doubted:
            number, count = segment.number, len(segment.requests)
            logger.error("%d requests of segment %d could not be committed", count, number, exc_info=error)
        if len(segment.requests) > 1:
            return all(self._commit(part, self._writer.recommit, doubted=True) for part in one_by_one(segment))
        return self._give_up(segment)

    def _give_up(self, segment: SealedSegment) -> bool:
        """Set a request aside and count its traces without it; return False if told to stop before it was done."""
        (request,) = segment.requests
        number, signal = segment.number, request.signal
        what = f"a request of segment {number} cannot be set aside"
        if not self._insist(what, lambda: self.set_aside.keep(number, signal, request.payload)):
            return False
        if not self._insist(
            f"segment {number} waits", lambda: self._attempt(segment, self._writer.regroup_without), only_if=is_passing
        ):
            return False
        self.trouble.is_over()
        return True

    def _insist(
        self, what: str, step: Callable[[], object], *, only_if: Callable[[Exception], bool] = lambda _: True
    ) -> bool:
        """Do something, again and again until it succeeds; return False if told to stop before."""
        pause = FIRST_PAUSE
        while True:
            try:
                step()
            except Exception as error:
                if not only_if(error):
                    logger.exception(
                        "trace groups may count spans that were set aside; `otel-sessions rebuild` corrects them"
                    )
                    return True
                self.trouble.failed(what, error, expected=isinstance(error, StoreAwayError | OSError))
            else:
                if pause > FIRST_PAUSE:
                    self.trouble.is_over()
                return True
            if self._pause(pause):
                return False
            pause = min(pause * 2, LONGEST_PAUSE)

    def _others_can_be_stored(self) -> bool:
        try:
            self._target.probe()
        except StoreError:
            return False
        return True

    def _attempt(self, segment: SealedSegment, operation: Operation) -> None:
        with self.exclusive() as version:
            begin = time.monotonic()
            done = operation(segment, version)
            end = time.monotonic()
        if done.rolled_up > WASTEFUL * done.stored[TRACES]:
            self._rest_until = end + (end - begin)
        try:
            self._committed(done, end - begin)
        except Exception:
            # The rows are stored; nothing that is said about them may have them stored again.
            logger.exception("a commit could not be counted")


def is_passing(error: Exception) -> bool:
    """True if the same may work later: the store is away, or the system refuses a file, a thread or memory."""
    if isinstance(error, RecursionError):
        return False
    return isinstance(error, StoreAwayError | OSError | MemoryError | RuntimeError)
