"""`Backend`: takes in requests, commits them, keeps the store in shape, and tells listeners of changes."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from itertools import starmap
from pathlib import Path
from typing import Any, Final

from otel_sessions.attributes import ID_KEY
from otel_sessions.counting.prices.pricer import Pricer
from otel_sessions.server.backlog import DEFAULT_BACKLOG_BYTES
from otel_sessions.server.clickhouse.broken_parts import advice, broken_parts
from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.clickhouse.durability import apply_durability
from otel_sessions.server.clickhouse.errors import StoreAwayError, StoreError
from otel_sessions.server.clickhouse.lease import Lease
from otel_sessions.server.clickhouse.probe import write_probe
from otel_sessions.server.given import GivenToSessions
from otel_sessions.server.ingest.commit import Committed
from otel_sessions.server.ingest.commit_target import ClickHouseTarget
from otel_sessions.server.ingest.committer import Committer
from otel_sessions.server.ingest.committer_problems import committer_problems
from otel_sessions.server.ingest.stored_copies import records_to_store
from otel_sessions.server.listeners import Listener, Listeners
from otel_sessions.server.otlp.batch import LogBatch
from otel_sessions.server.otlp.decode import read_payload, read_request
from otel_sessions.server.otlp.encodings import Format
from otel_sessions.server.otlp.errors import BusyError, RequestError, UnavailableError
from otel_sessions.server.otlp.partial_success import Rejected
from otel_sessions.server.otlp.requests_of_rows import protobuf_requests
from otel_sessions.server.prices import ServerPrices
from otel_sessions.server.problems import Problem, Problems
from otel_sessions.server.projections.changes import GroupChanges
from otel_sessions.server.projections.compaction import compact_sessions
from otel_sessions.server.projections.delete import Deleted, delete_session
from otel_sessions.server.projections.delete_content import RemovedContent, delete_content
from otel_sessions.server.projections.given_prices import GivenPrices
from otel_sessions.server.projections.retention import drop_older, drop_to_size
from otel_sessions.server.projections.seen_trace_ids import SeenTraceIds
from otel_sessions.server.projections.sessions import FLUSH_AT, SessionRows
from otel_sessions.server.projections.trace_facts import has_cells, last_version, seen_trace_ids
from otel_sessions.server.reader import Reader
from otel_sessions.server.readiness import CommitReadiness
from otel_sessions.server.settling import Settling, UnsettledError
from otel_sessions.server.signals import LOGS, TRACES
from otel_sessions.server.telemetry import Telemetry, UnassignedRecords
from otel_sessions.server.wal.log import BackloggedError, WriteAheadLog

logger: Final = logging.getLogger("otel_sessions.server")

UNAVAILABLE_RETRY_SECONDS: Final = 5.0
"""When a sender may try again after its request could not be written."""

REPLAY_SECONDS: Final = 10.0
"""How long a start waits until what earlier processes left is committed; the rest is committed while the server runs."""


class Backend:
    """Everything of a server except its receivers and its API. Methods block and may be called from any thread.

    Attributes:
        store: where everything is stored.
        reader: answers questions about sessions, and waits for what was acknowledged before.
        telemetry: the server's own metrics.
        pricer: prices model calls that do not report their cost, by given prices first.
        prices: the given prices, to look at and to change.
        given: scores, annotations and names, to give them.
        lease: on a database that other servers could write to, else `None`.
        problems: what is wrong now.
    """

    def __init__(
        self,
        store: Store,
        requests: Path,
        *,
        pricer: Pricer | None = None,
        backlog_bytes: int = DEFAULT_BACKLOG_BYTES,
        sync: bool = False,
        lease: Lease | None = None,
    ) -> None:
        """Take over a store, and start to commit, first what an earlier process left behind.

        That is waited for, unless the store cannot take it now.

        Args:
            store: closed with the backend.
            requests: the folder of acknowledged requests that are not committed yet.
            pricer: prices model calls that do not report their cost and have no given price.
            backlog_bytes: how much may wait to be committed.
            sync: let a request survive the death of the machine too, in the log and then in the store.
            lease: on a database that other servers could write to; nothing is written without it.

        Raises:
            StoreError: the store cannot be used.
            OSError: the folder cannot be used.
        """
        self.store = store
        self.telemetry = Telemetry()
        self.pricer = GivenPrices(store, pricer)
        self.lease = lease
        # Read before anything is written, by the clock as it is now.
        self._last_used = requests.stat().st_mtime_ns if requests.is_dir() else None
        apply_durability(store, sync=sync)
        self._broken_parts = broken_parts(store)
        self._retention_waits: str | None = None
        self._retention: str | None = None
        for table, parts in self._broken_parts.items():
            logger.error("%s", advice(table, parts))
        self._log = WriteAheadLog(requests, backlog_bytes=backlog_bytes, sync=sync)
        self._listeners = Listeners()
        self._replaying = threading.Lock()
        self._commits = 0
        may_write = lease.check if lease is not None else lambda: None
        self._rows = SessionRows(store, may_write=may_write)
        self._settling = Settling(self._log, self._rows)
        self.reader = Reader(
            store,
            self._settling,
            pricer=self.pricer,
            finished_version=lambda: self._committer.finished_version,
            may_be_given=lambda: self.given.may_be_any,
        )
        self._target = ClickHouseTarget(store)
        self._committer = Committer(
            self._target,
            self._log,
            known=SeenTraceIds(seen_trace_ids(store)),
            has_cells=has_cells(store),
            pricer=self.pricer,
            version=last_version(store),
            may_write=may_write,
            incomplete=bool(self._broken_parts),
            regrouped=self._regrouped,
            committed=self._committed,
        )
        self.given = GivenToSessions(
            store,
            self._target,
            self._rows,
            exclusive=self._committer.exclusive,
            tell=self._listeners.tell,
        )
        self.prices = ServerPrices(
            store,
            self._rows,
            self.pricer,
            exclusive=self._committer.exclusive,
            changing=self._changing_traces,
            settle=self.settle,
            tell=self._listeners.tell,
        )
        gauge = self.telemetry.gauge
        gauge("backlog_bytes", "Bytes that were acknowledged and are not committed", lambda: self.backlog_bytes)
        gauge(
            "broken_parts",
            "Parts of tables that could not be read at the start",
            lambda: sum(self._broken_parts.values()),
        )
        gauge("commit_retries", "Commits tried again because the store was away", lambda: self.commit_retries)
        self.telemetry.registry.register(UnassignedRecords(self._unassigned_by_service))
        gauge("requests_set_aside", "Requests that cannot be stored, kept in files", lambda: self.requests_set_aside)
        gauge(
            "segments_damaged", "Damaged segments of the log of requests, kept in files", lambda: self.segments_damaged
        )
        gauge("problems", "Problems that /healthz names", lambda: len(self.problems.current()))
        self.problems = Problems()
        for check in (*committer_problems(self._committer, self._log), self._broken, self._waiting_retention):
            self.problems.add(check)
        self._readiness = CommitReadiness(self.problems, self._write_probe)
        self._committer.start(read_payload)
        if not self._committer.wait_for_replay(REPLAY_SECONDS):
            logger.warning(
                "what an earlier process had acknowledged is not committed yet; the server starts nevertheless"
            )

    def receive(
        self,
        signal: str,
        body: bytes,
        format_: Format = Format.PROTOBUF,
        *,
        copies: Mapping[int, int] | None = None,
    ) -> Rejected:
        """Acknowledge a decompressed request: when this returns, it survives the death of the process.

        Args:
            signal: `TRACES` or `LOGS`.
            body: the request.
            format_: of the body.
            copies: for log records of a file, of which those that are stored already are left out: by place, how many equal ones came
                before in the file. `None` stores all.

        Returns:
            The records that were left out.

        Raises:
            RequestError: it is not taken.
        """
        try:
            payload, batch, rejected = read_request(signal, body, format_)
            if len(batch):
                if copies is None or signal == TRACES:
                    self._append(signal, payload, batch)
                else:
                    self._append_missing(payload, batch, copies)
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

    def settle(self, timeout: float | None = None) -> None:
        """Wait until everything acknowledged so far is committed.

        Args:
            timeout: seconds; by default as many as reads wait.

        Raises:
            UnsettledError: it takes longer.
        """
        self._settling.wait_for_spans(timeout)

    @property
    def backlog_bytes(self) -> int:
        """How much was acknowledged and is not committed."""
        return self._log.waiting_bytes

    @property
    def broken_parts(self) -> Mapping[str, int]:
        """By table, how many parts could not be read at the start."""
        return self._broken_parts

    def _broken(self) -> Problem | None:
        if not self._broken_parts:
            return None
        return Problem("broken_parts", "; ".join(starmap(advice, self._broken_parts.items())))

    def _waiting_retention(self) -> Problem | None:
        return None if self._retention_waits is None else Problem("retention_waits", self._retention_waits)

    @property
    def retention_waits(self) -> str | None:
        """Why retention drops nothing by age at the moment; `None` if it does."""
        return self._retention_waits

    def hold_retention(self, why: str | None) -> None:
        """Show in the health why retention drops nothing by age; `None` ends that."""
        self._retention_waits = why

    @property
    def retention(self) -> str | None:
        """How much is kept, as it is set; `None` for everything."""
        return self._retention

    def state_retention(self, shown: str | None) -> None:
        """Show in the health how much is kept; something else drops the rest."""
        self._retention = shown

    @property
    def last_used(self) -> int | None:
        """When an earlier process last wrote to the folder of requests, in nanoseconds UTC; `None` if there was none."""
        return self._last_used

    @property
    def commit_retries(self) -> int:
        """How often a commit was tried again because the store was away."""
        return self._committer.retries

    @property
    def requests_set_aside(self) -> int:
        """How many requests could not be stored and are kept in files."""
        return self._committer.set_aside.count

    @property
    def segments_damaged(self) -> int:
        """How many segments of the log of requests were damaged and are kept in files."""
        return self._committer.set_aside.damaged

    def check_ready(self) -> None:
        """Return if a commit would succeed now.

        Raises:
            StoreError: it would not; the message says why.
        """
        self._readiness.check()

    def delete_session(self, session_id: str, *, key: str = ID_KEY) -> Deleted:
        """Delete a session's spans and their logs; nothing happens if there is no such session.

        A large session goes in parts, and commits and reads go on between them; a read may then see a session without some of
        its traces. A deletion that fails half way, or dies with the process, is completed when it is asked for again.

        Raises:
            UnsettledError: what was acknowledged before takes too long to be committed.
            StoreError: the store cannot do it.
        """
        session = (key, session_id)
        self.settle()
        deleted = delete_session(self.store, self._rows, session, changing=self._changing_traces, pricer=self.pricer)
        self._listeners.tell(frozenset({session}))
        return deleted

    def delete_content(self, session_id: str, *, key: str = ID_KEY) -> RemovedContent:
        """Remove the words of a session and keep its numbers; nothing happens if there is no such session.

        A removal that fails half way, or dies with the process, is completed when it is asked for again.

        Raises:
            UnsettledError: what was acknowledged before takes too long to be committed.
            StoreError: the store cannot do it.
        """
        session = (key, session_id)
        self.settle()
        removed = delete_content(self.store, self._rows, session, changing=self._changing_traces, pricer=self.pricer)
        self._listeners.tell(frozenset({session}))
        return removed

    def drop_older(self, before: int) -> int:
        """Drop the traces that ended before a moment in nanoseconds UTC, and older logs. Returns the number of traces.

        Raises:
            StoreError: the store cannot do it.
        """
        with self._changing() as version:
            dropped = drop_older(self.store, self._rows, before, version=version, pricer=self.pricer)
            self._committer.forget()
        return dropped

    def drop_to_size(self, max_bytes: int) -> int:
        """Drop the oldest traces and logs until the store has at most `max_bytes`. Returns the number of traces.

        Raises:
            StoreError: the store cannot do it.
        """
        with self._changing():
            next_version = self._committer.next_version
            dropped = drop_to_size(self.store, self._rows, max_bytes, next_version=next_version, pricer=self.pricer)
            if dropped:
                self._committer.forget()
        return dropped

    @contextmanager
    def _changing(self, *, write_rows_first: bool = True) -> Iterator[int]:
        """Hold up commits and rows of sessions while the block deletes, with the version of its change."""
        paused = self._rows.paused(write_first=write_rows_first)
        with self._committer.exclusive() as version, paused, ExitStack() as unfinished:
            # How far it came is not known then, so nothing that is cached can be relied on.
            unfinished.callback(self._committer.forget)
            yield version
            unfinished.pop_all()

    @contextmanager
    def _changing_traces(self, trace_ids: Collection[int]) -> Iterator[int]:
        with self._changing(write_rows_first=False) as version:
            yield version
            self._committer.forget(trace_ids)

    @property
    def commits(self) -> int:
        """The number of commits; one that failed half way and was done again counts once."""
        return self._commits

    def compact(self) -> bool:
        """Merge the rows of sessions if they are in many parts, which makes lists faster; return True if it merged.

        Raises:
            StoreError: the store cannot do it.
        """
        self._rows.refresh()
        return compact_sessions(self.store)

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call a listener with every change, until the function that is returned is called."""
        return self._listeners.listen(listener)

    def close(self, timeout: float | None = None) -> bool:
        """Commit what was acknowledged and close the store. Returns True if all of it was committed in that time."""
        complete = self._committer.stop(timeout)
        self._refresh_rows()
        self.store.close()
        return complete

    def _write_probe(self) -> None:
        if self.lease is not None:
            self.lease.check()
        write_probe(self.store)

    def _append_missing(self, payload: bytes, batch: LogBatch, copies: Mapping[int, int]) -> None:
        """Append the log records that are not stored. Nothing is appended between the look and the write but by other clients."""
        if not self._replaying.acquire(blocking=False):
            raise BusyError("another file of log records is being brought in; send again", retry_after=1.0)
        try:
            places = records_to_store(self.reader.settled(), batch, copies)
            if len(places) < len(batch):
                batch = batch.take(places)
                rows = ({name: values[place] for name, values in batch.columns.items()} for place in range(len(batch)))
                payload = b"".join(protobuf_requests(LOGS, rows))
            if places:
                self._append(LOGS, payload, batch)
        except (UnsettledError, StoreAwayError) as error:
            raise UnavailableError(
                f"what is stored cannot be looked up now: {error}", retry_after=UNAVAILABLE_RETRY_SECONDS
            ) from None
        finally:
            self._replaying.release()

    def _append(self, signal: str, payload: bytes, batch: Any) -> None:
        try:
            self._log.append(signal, payload, batch)
        except BackloggedError as error:
            raise BusyError(str(error), retry_after=error.retry_seconds) from None
        except (OSError, RuntimeError) as error:
            logger.error("a request could not be acknowledged: %s", error)  # noqa: TRY400 - the message says all
            raise UnavailableError(
                f"the request cannot be kept now: {error}", retry_after=UNAVAILABLE_RETRY_SECONDS
            ) from None

    def _unassigned_by_service(self) -> list[tuple[str, dict[str, int]]] | None:
        try:
            return [(one.service, {TRACES: one.spans, LOGS: one.logs}) for one in self.reader.unassigned_now()]
        except StoreError:
            return None

    def _regrouped(self, changes: GroupChanges, version: int) -> None:
        if changes.scored:
            self.given.may_be_any = True
        if self._rows.mark_changed(changes.written, changes.lost, version) >= FLUSH_AT:
            self._refresh_rows()
        self._listeners.tell(
            changes.lost.union(changes.scored, ((group.key, group.value) for group in changes.written))
        )

    def _committed(self, done: Committed, seconds: float) -> None:
        self._commits += 1
        telemetry = self.telemetry
        telemetry.segment_bytes.observe(done.size)
        telemetry.commit_seconds.observe(seconds)
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
