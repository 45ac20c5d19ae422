"""`Backend`: the store, the log before it and the one that commits; what receivers, the API and commands call."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from otel_sessions.attributes import ID_KEY
from otel_sessions.counting.prices.pricer import Pricer
from otel_sessions.server.backlog import DEFAULT_BACKLOG_BYTES
from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.clickhouse.errors import StoreError
from otel_sessions.server.ingest.commit_target import Destination
from otel_sessions.server.ingest.committer import Committed, Committer, Regrouped
from otel_sessions.server.ingest.stored_rows import last_segment
from otel_sessions.server.otlp.batch import joined
from otel_sessions.server.otlp.decode import read_payload, read_request
from otel_sessions.server.otlp.encodings import Format
from otel_sessions.server.otlp.errors import BusyError, RequestError, UnavailableError
from otel_sessions.server.otlp.partial_success import Rejected
from otel_sessions.server.projections.changes import Pair
from otel_sessions.server.projections.compaction import compact
from otel_sessions.server.projections.delete import Deleted, delete_session
from otel_sessions.server.projections.retention import drop_older, drop_to_size
from otel_sessions.server.projections.seen_trace_ids import KnownIds
from otel_sessions.server.projections.sessions import EAGER, SessionRows
from otel_sessions.server.projections.trace_facts import known_traces, last_version
from otel_sessions.server.switch_interval import ShortTurns
from otel_sessions.server.telemetry import Telemetry
from otel_sessions.server.wal.log import BackloggedError, RequestLog

logger: Final = logging.getLogger("otel_sessions.server")

SETTLE_SECONDS: Final = 30.0

Listener = Callable[[frozenset[Pair]], object]
"""Told of the (key, value) of sessions that changed, on the thread that commits: it must return at once."""


class UnsettledError(Exception):
    """What was acknowledged is not committed yet, and a reader has waited for it long enough."""


class Backend:
    """All of a server but its doors. Methods block and may be called from any thread."""

    def __init__(
        self,
        store: Store,
        requests: Path,
        *,
        pricer: Pricer | None = None,
        backlog_bytes: int = DEFAULT_BACKLOG_BYTES,
        sync: bool = False,
    ) -> None:
        """Take over a store, commit what an earlier process left behind, and start to commit.

        Args:
            store: closed with the backend.
            requests: the folder of acknowledged requests that are not committed yet.
            pricer: what model calls cost that do not say so themselves.
            backlog_bytes: how much may wait to be committed.
            sync: let a request survive the death of the machine too, while it waits to be committed.

        Raises:
            StoreError: the store cannot be used.
            OSError: the folder cannot be used.
        """
        self.store = store
        self.telemetry = Telemetry()
        self.pricer = pricer
        self._turns = ShortTurns()
        self._log = RequestLog(requests, backlog_bytes=backlog_bytes, first=last_segment(store) + 1, sync=sync)
        self._listeners: list[Listener] = []
        self._listening = threading.Lock()
        self._commits = 0
        self._rows = SessionRows(store)
        self._committer = Committer(
            Destination(store),
            self._log,
            known=KnownIds(known_traces(store)),
            pricer=pricer,
            concatenate=joined,
            version=last_version(store),
            regrouped=self._regrouped,
            committed=self._committed,
        )
        committer, log, gauge = self._committer, self._log, self.telemetry.gauge
        gauge("backlog_bytes", "Bytes that were acknowledged and are not committed", lambda: log.waiting_bytes)
        gauge("commit_retries", "Commits tried again because the store was away", lambda: committer.retries)
        gauge("requests_set_aside", "Requests that cannot be stored, kept in files", lambda: committer.set_aside)
        replayed = self._committer.replay(read_payload)
        if replayed:
            logger.info("committed %d requests that an earlier process had acknowledged", replayed)
        self._committer.start()

    def receive(self, signal: str, body: bytes, format_: Format = Format.PROTOBUF) -> Rejected:
        """Acknowledge a decompressed request: when this returns, it survives the death of the process.

        Returns:
            The records that were left out.

        Raises:
            RequestError: it is not taken.
        """
        try:
            payload, batch, rejected = read_request(signal, body, format_)
            if len(batch):
                self._append(signal, payload, batch)
        except RequestError as error:
            self.count_refused(signal, error)
            raise
        self.telemetry.received.labels(signal).inc(len(batch))
        for reason, count in rejected.counts.items():
            self.telemetry.rejected.labels(signal, reason).inc(count)
        return rejected

    def count_refused(self, signal: str, error: RequestError) -> None:
        """Count a request that is not taken."""
        self.telemetry.refused.labels(signal, type(error).__name__.removesuffix("Error")).inc()

    def settle(self, timeout: float = SETTLE_SECONDS) -> None:
        """Wait until everything that was acknowledged so far is committed, so that a read sees it.

        Raises:
            UnsettledError: it takes longer.
        """
        self._settle(self._log.wait_for, timeout)

    def settle_groups(self, timeout: float = SETTLE_SECONDS) -> None:
        """Wait until everything that was acknowledged so far is counted; its spans may not be there yet.

        Raises:
            UnsettledError: it takes longer.
        """
        self._settle(self._log.wait_for_groups, timeout)

    def settle_lists(self) -> None:
        """Wait for the same, and see to it that lists of sessions say the same as the sessions themselves.

        Raises:
            UnsettledError: it takes longer.
            StoreError: the store cannot do it.
        """
        self.settle_groups()
        self._rows.refresh(for_list=True)

    def _settle(self, wait: Callable[[int, float], bool], timeout: float) -> None:
        if not wait(self._log.newest, timeout):
            raise UnsettledError(
                f"{self.backlog_bytes} acknowledged bytes were not committed within {timeout:g} s; try again later"
            )

    @contextmanager
    def answering(self) -> Iterator[None]:
        """While somebody is inside, who reads gets his turns early, and commits that nobody waits for begin later."""
        with self._turns.wanted(), self._log.answering():
            yield

    @property
    def backlog_bytes(self) -> int:
        """How much was acknowledged and is not committed."""
        return self._log.waiting_bytes

    def delete_session(self, session_id: str, *, key: str = ID_KEY) -> Deleted:
        """Delete a session's spans and their logs; one that is not there is no error.

        Raises:
            UnsettledError: what was acknowledged before takes too long to be committed.
            StoreError: the store cannot do it.
        """
        self.settle()
        with self._committer.exclusive() as version, self._rows.paused():
            deleted = delete_session(self.store, session_id, key=key, version=version, pricer=self.pricer)
            self._committer.forget(deleted.trace_ids)
        self._tell(frozenset({(key, session_id)}))
        return deleted

    def drop_older(self, before: int) -> int:
        """Drop the traces that ended before a moment (nanoseconds UTC), and logs that are older; the number of traces.

        Raises:
            StoreError: the store cannot do it.
        """
        return self._drop(lambda version: drop_older(self.store, before, version=version))

    def drop_to_size(self, max_bytes: int) -> int:
        """Drop the oldest traces and logs until the store takes no more than so many bytes; the number of traces.

        Raises:
            StoreError: the store cannot do it.
        """
        return self._drop(lambda version: drop_to_size(self.store, max_bytes, version=version))

    def _drop(self, drop: Callable[[int], int]) -> int:
        with self._committer.exclusive() as version, self._rows.paused():
            dropped = drop(version)
            if dropped:
                self._committer.forget()
        return dropped

    @property
    def commits(self) -> int:
        """How many commits there were; one that failed half way and was done again is one."""
        return self._commits

    def compact(self) -> bool:
        """Merge the rows of sessions if they are in many parts, so that lists are fastest; return False if they are not.

        Raises:
            StoreError: the store cannot do it.
        """
        self._rows.refresh()
        return compact(self.store)

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Have a listener told of changes, until what is returned is called."""
        with self._listening:
            self._listeners.append(listener)

        def stop() -> None:
            with self._listening:
                self._listeners.remove(listener)

        return stop

    def close(self, timeout: float | None = None) -> bool:
        """Commit what was acknowledged and close the store; whether all of it could be committed in that time."""
        complete = self._committer.stop(timeout)
        self._refresh_rows()
        self.store.close()
        return complete

    def _append(self, signal: str, payload: bytes, batch: Any) -> None:
        try:
            self._log.append(signal, payload, batch)
        except BackloggedError as error:
            raise BusyError(str(error), retry_after=error.retry_seconds) from None
        except (OSError, RuntimeError) as error:
            logger.error("a request could not be acknowledged: %s", error)  # noqa: TRY400 - the message says all
            raise UnavailableError(f"the request cannot be kept now: {error}", retry_after=5.0) from None

    def _regrouped(self, groups: Regrouped) -> None:
        if self._rows.note(*groups) >= EAGER:
            self._refresh_rows()
        self._tell(groups.left.union((group.key, group.value) for group in groups.written))

    def _committed(self, done: Committed) -> None:
        self._commits += 1
        telemetry = self.telemetry
        telemetry.segment_bytes.observe(done.size)
        telemetry.commit_seconds.observe(done.seconds)
        for signal, count in done.stored.items():
            telemetry.stored.labels(signal).inc(count)
        telemetry.duplicates.inc(done.duplicates)
        for model, calls in done.unpriced.items():
            telemetry.count_unpriced(model, calls)

    def _refresh_rows(self) -> None:
        try:
            self._rows.refresh()
        except StoreError as error:
            logger.warning("rows of sessions are written later: %s", error)

    def _tell(self, changed: frozenset[Pair]) -> None:
        with self._listening:
            listeners = list(self._listeners)
        for listener in listeners if changed else ():
            try:
                listener(changed)
            except Exception:
                logger.exception("a listener to changes failed")
