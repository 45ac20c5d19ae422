"""`Committer`: one thread that turns segments of requests into rows, exactly once."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import Any, Final, NamedTuple, Protocol

from otel_sessions.counting.facts import SpanFacts
from otel_sessions.counting.membership import Pair
from otel_sessions.counting.prices.pricer import Pricer
from otel_sessions.counting.trace import TraceGroup
from otel_sessions.server.projections.changes import (
    ChangedTrace,
    GroupChanges,
    SpanChanges,
    group_changes,
    span_changes,
    stored_trace,
)
from otel_sessions.server.projections.facts_json import WrittenFacts, to_json, write_facts
from otel_sessions.server.projections.recent_traces import RecentTraces, Trace
from otel_sessions.server.projections.seen_trace_ids import SeenTraceIds
from otel_sessions.server.signals import LOGS, TRACES
from otel_sessions.server.wal.log import Request, RequestLog, Sealed
from otel_sessions.server.wal.segments import numbers, read_segment, remove_segment

logger: Final = logging.getLogger("otel_sessions.server.ingest")

ROWS: Final = 32_000
LINGER: Final = 0.6
LINGER_FOR_READERS: Final = 0.2
"""A commit begins when there are so many rows, or when the first of them has waited for so many seconds. Larger commits
cost less; but while there are readers, each waits for the commit that is under way and for his own. While one is being
answered, a commit would only slow that down."""

ANSWER_SECONDS: Final = 0.25
"""So long a commit waits at most, once its trace groups are written, for the answers to those who waited for them."""

WASTEFUL: Final = 4
"""A commit that counts so many times the spans anew that it adds is followed by a rest as long as it took, unless a
reader waits: a trace of any size that comes in many requests is then counted a number of times that grows with the
logarithm of its size."""

FIRST_PAUSE: Final = 0.25
LONGEST_PAUSE: Final = 30.0


class Committed(NamedTuple):
    """What one commit did.

    Attributes:
        stored: by signal, how many records were new.
        duplicates: how many spans were not.
        size: the bytes of their requests.
        seconds: how long it took.
        unpriced: by model, how many calls of the traces that it wrote have no known cost.
    """

    stored: Mapping[str, int]
    duplicates: int
    size: int
    seconds: float
    unpriced: Mapping[str, int]


class Regrouped(NamedTuple):
    """Trace groups that were written; by a commit that fails later, perhaps, which will write them again.

    Attributes:
        written: the groups.
        left: the (key, value) of the sessions that traces were taken from.
        version: of the groups.
    """

    written: Sequence[TraceGroup]
    left: frozenset[Pair]
    version: int


class UnavailableError(Exception):
    """The store cannot be reached or written now; the same commit may work later."""


class Batch(Protocol):
    """Decoded rows of one signal; what is read here is there for spans only."""

    trace_ids: list[int]
    facts: list[SpanFacts]

    def __len__(self) -> int:
        """How many rows."""
        ...

    def take(self, indices: Sequence[int]) -> Any:
        """Some of the rows."""
        ...


class Store(Protocol):
    """What the committer needs of a store. An insert with a token that was used before adds nothing."""

    def insert_spans(self, batch: Any, token: str | None) -> None:
        """Add rows to `otel_traces`."""
        ...

    def insert_logs(self, batch: Any, segment: int, rows: Sequence[int], token: str | None) -> None:
        """Add rows to `otel_logs`, each with its number among the log records of its segment."""
        ...

    def insert_facts(self, facts: Mapping[int, WrittenFacts], version: int) -> None:
        """Add facts of spans, by trace; the same facts may come again."""
        ...

    def insert_groups(self, written: Sequence[TraceGroup], gone: Sequence[tuple[int, Pair]], version: int) -> None:
        """Write trace groups in place of their older versions, and mark those as deleted that are no more."""
        ...

    def facts_of(self, trace_ids: Collection[int]) -> Mapping[int, Iterable[SpanFacts]]:
        """The stored facts of these traces; a trace without any may be missing."""
        ...

    def pairs_of(self, trace_ids: Collection[int]) -> Mapping[int, Collection[Pair]]:
        """The (key, value) of the trace groups that are written for these traces."""
        ...

    def stored_log_rows(self, segment: int) -> Collection[int]:
        """The numbers of the log records of a segment that have rows in `otel_logs`."""
        ...

    def stored_spans(self, trace_ids: Collection[int]) -> Collection[tuple[int, int]]:
        """The (trace id, span id) of the rows of these traces in `otel_traces`."""
        ...


class Committer:
    """Takes segments from a log and commits them to a store, in order.

    A commit has three inserts: side by side the spans and the trace groups that change, and after them the facts, so that
    facts are of spans that are there. If a reader waits for the groups, they come first, and he is answered before the rest
    is written. What is in memory follows only when all three are done, so a commit that failed half way is simply done again:
    the rows of its spans and log records that are there already are looked up and left out, facts may repeat, and the groups
    of all its traces are written anew, whatever is there of them. That is also how a segment is replayed that was left behind
    by a process that died.

    A segment that fails for another reason than the store's being away is committed request by request, and a request
    that fails alone is set aside in a file, so that one that cannot be stored holds up no other. The groups of its traces
    are then written anew without it.
    """

    def __init__(
        self,
        store: Store,
        log: RequestLog,
        *,
        known: SeenTraceIds,
        recent: RecentTraces | None = None,
        pricer: Pricer | None = None,
        concatenate: Callable[[Sequence[Any]], Any],
        version: int = 0,
        regrouped: Callable[[Regrouped], object] = lambda _: None,
        committed: Callable[[Committed], object] = lambda _: None,
        pause: Callable[[float], object] | None = None,
    ) -> None:
        """Prepare; `start` starts the thread.

        Args:
            store: where rows go.
            log: where segments come from.
            known: the traces in the store.
            recent: the cache of facts.
            pricer: what calls cost that do not say so themselves.
            concatenate: several batches of one signal as one.
            version: the greatest one in the store.
            regrouped: told of trace groups before any reader sees them, on the committer's thread.
            committed: told of every commit, on the same thread.
            pause: waits between tries, in seconds; tells the thread to stop by returning something true.
        """
        self._store = store
        self._log = log
        self._known = known
        self._recent = RecentTraces() if recent is None else recent
        self._pricer = pricer
        self._concatenate = concatenate
        self._version = version
        self._rest_until = 0.0
        self._regrouped = regrouped
        self._committed = committed
        self._writing = threading.Lock()
        self._stopping = threading.Event()
        self._pause = pause or self._stopping.wait
        self._inserter = ThreadPoolExecutor(1, thread_name_prefix="otel-sessions-inserter")
        self._thread = threading.Thread(target=self._run, name="otel-sessions-committer", daemon=True)
        self.retries = 0
        self.set_aside = 0

    def start(self) -> None:
        """Commit what comes, on a thread of its own."""
        self._thread.start()

    def stop(self, timeout: float | None = None) -> bool:
        """Commit what was acknowledged, then end; whether all of it could be."""
        self._log.close()
        self._thread.join(timeout)
        self._stopping.set()
        self._thread.join()
        self._inserter.shutdown()
        self._log.release()
        return self._log.waiting_bytes == 0

    @contextmanager
    def exclusive(self) -> Iterator[int]:
        """Hold up all commits, to change what is stored; with a version after all before and before all to come."""
        with self._writing:
            self._version += 1
            yield self._version

    def forget(self, trace_ids: Iterable[int] | None = None) -> None:
        """Look these traces, or all, up in the store when they come again; inside `exclusive`."""
        if trace_ids is None:
            self._recent.clear()
        for trace_id in trace_ids or ():
            self._recent.forget(trace_id)

    def replay(self, decode: Callable[[str, bytes], Any]) -> int:
        """Commit the segments that were left behind; how many requests there were. Call it before `start`."""
        replayed = 0
        for number in numbers(self._log.folder):
            requests = []
            for written in read_segment(self._log.folder, number):
                try:
                    batch = decode(written.signal, written.payload)
                except Exception:
                    logger.exception("a request of segment %d can no longer be read", number)
                    self._set_aside(number, written.signal, written.payload)
                else:
                    requests.append(Request(written.signal, written.payload, batch))
            if not self._commit_until_done(Sealed(number, requests), again=True):
                break
            remove_segment(self._log.folder, number)
            replayed += len(requests)
        return replayed

    def _run(self) -> None:
        while (sealed := self._next()) is not None:
            if not self._commit_until_done(sealed, again=False):
                return
            self._log.done(sealed.number)
            self._recent.trim()

    def _next(self) -> Sealed | None:
        return self._log.take(
            rows=ROWS,
            linger=LINGER,
            linger_for_readers=LINGER_FOR_READERS,
            not_before=self._rest_until,
        )

    def _commit_until_done(self, sealed: Sealed, *, again: bool, aside: bool = False) -> bool:
        pause = FIRST_PAUSE
        while True:
            try:
                with self._writing:
                    self._commit(sealed, again=again, aside=aside)
            except UnavailableError as error:
                self.retries += 1
                logger.warning("segment %d waits, the store is away: %s", sealed.number, error)
                if self._pause(pause):
                    return False
                pause = min(pause * 2, LONGEST_PAUSE)
                again = True
            except Exception:
                if aside:
                    logger.exception("trace groups may count what was set aside; `otel-sessions rebuild` mends them")
                    return True
                logger.exception("segment %d could not be committed as a whole", sealed.number)
                return self._commit_one_by_one(sealed)
            else:
                return True

    def _commit_one_by_one(self, sealed: Sealed) -> bool:
        if len(sealed.requests) > 1:
            parts = []
            logs = 0
            for request in sealed.requests:
                parts.append(Sealed(sealed.number, [request], logs))
                logs += len(request.batch) if request.signal == LOGS else 0
            return all(self._commit_until_done(part, again=True) for part in parts)
        (request,) = sealed.requests
        self._set_aside(sealed.number, request.signal, request.payload)
        return request.signal != TRACES or self._commit_until_done(sealed, again=True, aside=True)

    def _set_aside(self, number: int, signal: str, payload: bytes) -> None:
        self.set_aside += 1
        path = self._log.folder / f"{number:012d}-{self.set_aside}.{signal}.refused"
        path.write_bytes(payload)
        logger.error("a request of %d bytes cannot be stored; it is kept in %s", len(payload), path)

    def _commit(self, sealed: Sealed, *, again: bool, aside: bool) -> None:
        begin = time.monotonic()
        # Every try has its own: what a try that failed half way has written is then older.
        self._version += 1
        plan, groups = SpanChanges(), GroupChanges()
        stored: dict[str, int] = {}
        by_signal: dict[str, list[Any]] = {}
        for request in sealed.requests:
            by_signal.setdefault(request.signal, []).append(request.batch)
        # Spans first, since more readers wait for what they change.
        for signal, batches in sorted(by_signal.items(), reverse=True):
            batch = batches[0] if len(batches) == 1 else self._concatenate(batches)
            if signal == TRACES:
                plan, groups = self._commit_spans(batch, sealed, again=again, aside=aside)
                stored[signal] = len(plan.rows)
            else:
                stored[signal] = self._commit_logs(batch, sealed, again=again)
        size = sum(len(request.payload) for request in sealed.requests)
        end = time.monotonic()
        seconds = end - begin
        if groups.span_count > WASTEFUL * len(plan.rows):
            self._rest_until = end + seconds
        self._committed(Committed(stored, plan.duplicates, size, seconds, groups.unpriced))

    def _commit_spans(
        self, batch: Batch, sealed: Sealed, *, again: bool, aside: bool
    ) -> tuple[SpanChanges, GroupChanges]:
        traces = self._known_traces(set(batch.trace_ids))
        plan = SpanChanges() if aside else span_changes(batch.trace_ids, batch.facts, traces)
        rows = plan.rows
        if again and rows:
            stored = self._store.stored_spans({batch.trace_ids[index] for index in rows})
            rows = [index for index in rows if (batch.trace_ids[index], batch.facts[index].span_id) not in stored]
        # What is done again differs from what was tried before, so its token would be wrong; the look-up decides.
        token = None if again else f"{sealed.number}-spans"
        inserting = None if sealed.awaited else self._insert_spans(batch, rows, token)
        try:
            groups = self._groups(batch, plan, traces, again=again) if plan.facts or again else GroupChanges()
            if groups.written or groups.gone:
                self._store.insert_groups(groups.written, groups.gone, self._version)
                left = frozenset(pair for _, pair in groups.gone)
                self._regrouped(Regrouped(groups.written, left, self._version))
            if not again:
                self._log.grouped(sealed.number)
            facts = {trace_id: write_facts(added.values()) for trace_id, added in plan.facts.items()}
        finally:
            if inserting is not None:
                wait([inserting])
        if inserting is None:
            self._log.let_answer(ANSWER_SECONDS)
            inserting = self._insert_spans(batch, rows, token)
        inserting.result()
        if facts:
            self._store.insert_facts(facts, self._version)
        for trace_id, (_, _, written) in facts.items():
            if trace_id in traces and trace_id not in self._recent:
                self._recent.add(trace_id, to_json(traces[trace_id].spans.values()))
            self._recent.add(trace_id, written)
            self._known.add(trace_id)
        return plan, groups

    def _insert_spans(self, batch: Batch, rows: Sequence[int], token: str | None) -> Future[None]:
        """Insert these rows, on a thread of its own."""
        if not rows:
            done: Future[None] = Future()
            done.set_result(None)
            return done
        wanted = batch if len(rows) == len(batch) else batch.take(rows)
        return self._inserter.submit(self._store.insert_spans, wanted, token)

    def _commit_logs(self, batch: Batch, sealed: Sealed, *, again: bool) -> int:
        rows = range(sealed.logs_before, sealed.logs_before + len(batch))
        if not again:
            self._store.insert_logs(batch, sealed.number, rows, f"{sealed.number}-logs")
            return len(batch)
        stored = self._store.stored_log_rows(sealed.number)
        missing = [place for place, row in enumerate(rows) if row not in stored]
        if missing:
            self._store.insert_logs(batch.take(missing), sealed.number, [rows[place] for place in missing], None)
        return len(missing)

    def _known_traces(self, trace_ids: set[int]) -> dict[int, Trace]:
        """What is known of traces: from memory, else from the store."""
        found: dict[int, Trace] = {}
        missing = []
        for trace_id in trace_ids:
            spans = self._recent.get(trace_id)
            if spans is not None:
                found[trace_id] = stored_trace(spans)
            elif trace_id in self._known:
                missing.append(trace_id)
        if missing:
            for trace_id, stored in self._store.facts_of(missing).items():
                found[trace_id] = stored_trace(stored)
        return found

    def _groups(self, batch: Batch, plan: SpanChanges, traces: Mapping[int, Trace], *, again: bool) -> GroupChanges:
        touched = set(batch.trace_ids) if again else plan.facts.keys()
        written = self._store.pairs_of(touched) if again else {}
        whole: dict[int, dict[int, SpanFacts]] = {}
        before: dict[int, frozenset[Pair]] = {}
        for trace_id in touched:
            trace = traces.get(trace_id, _NOTHING)
            added = plan.facts.get(trace_id, {})
            whole[trace_id] = {**trace.spans, **added} if trace.spans else added
            before[trace_id] = trace.pairs.union(written.get(trace_id, ()))
        return group_changes(
            (ChangedTrace(id_, spans.values(), before[id_]) for id_, spans in whole.items()), self._pricer
        )


_NOTHING: Final = Trace()
