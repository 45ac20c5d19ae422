"""`Reader`: answers every question about the sessions in a store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from otel_sessions.attributes import ID_KEY
from otel_sessions.counting.prices.pricer import Pricer
from otel_sessions.counting.session import SessionRollup
from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.clickhouse.span_rows import Row
from otel_sessions.server.queries.calls import CallPage, session_calls
from otel_sessions.server.queries.cohorts import Cohort, cohort_of, cohorts
from otel_sessions.server.queries.filters import SessionFilters
from otel_sessions.server.queries.given import HasGiven
from otel_sessions.server.queries.histogram import Bucket, histogram
from otel_sessions.server.queries.kept_conversations import KeptConversations
from otel_sessions.server.queries.log_filters import LogFilters
from otel_sessions.server.queries.logs import LogCursor, LogPage, session_logs
from otel_sessions.server.queries.message_filters import ALL_MESSAGES, MessageFilters
from otel_sessions.server.queries.messages import Kept, MessagePage, session_messages
from otel_sessions.server.queries.pagination import Cursor
from otel_sessions.server.queries.read_only import ROWS, SECONDS, Answer, ask
from otel_sessions.server.queries.resolved_sessions import ResolvedSessions
from otel_sessions.server.queries.scores import (
    AnnotationPage,
    ScorePage,
    session_annotations,
    session_exists,
    session_scores,
)
from otel_sessions.server.queries.sessions import (
    KeySummary,
    SessionPage,
    TracePage,
    get_session,
    keys,
    list_sessions,
    session_traces,
)
from otel_sessions.server.queries.spans import SpanPage, session_spans
from otel_sessions.server.queries.steps import START, StepFilters, StepPage, session_steps
from otel_sessions.server.queries.store_sizes import StoreSizes, store_sizes
from otel_sessions.server.queries.traces import WholeTrace, one_span, whole_trace
from otel_sessions.server.queries.unassigned import Unassigned, unassigned
from otel_sessions.server.queries.used_models import UsedModel, used_models
from otel_sessions.server.settling import Settling


class Reader:
    """Answers questions about sessions. Its methods block and may be called from any thread.

    An answer includes everything that was acknowledged before the question: each method waits for the kind of rows it
    reads. All of them raise `UnsettledError` if that takes too long, and `StoreError` if the store cannot answer.
    """

    def __init__(
        self,
        store: Store,
        settling: Settling | None = None,
        *,
        pricer: Pricer | None = None,
        finished_version: Callable[[], int] | None = None,
        may_be_given: HasGiven | None = None,
    ) -> None:
        """Read from a store.

        Args:
            store: stays open.
            settling: what to wait for in the process that writes to the store; `None` waits for nothing.
            pricer: the cost of calls that do not report one, for the list of calls.
            finished_version: the version of the last change of the store that is not under way; without it, no page of calls helps the next.
            may_be_given: says if sessions may have been given scores, annotations or names; without it, the store is asked each time.
        """
        self._store = store
        self._settling = settling
        self._pricer = pricer
        self._may_be_given = may_be_given
        self._resolved = None if finished_version is None else ResolvedSessions(finished_version)
        self._kept = None if self._resolved is None else Kept(self._resolved, KeptConversations())

    def sessions(
        self,
        filters: SessionFilters | None = None,
        *,
        sort: str = "last_active",
        descending: bool = True,
        limit: int = 50,
        offset: int = 0,
        cursor: Cursor | None = None,
    ) -> SessionPage:
        """A page of the sessions that meet all conditions; those whose measure is unknown come last, ties by id.

        Args:
            filters: the conditions; by default all sessions of the key `id`.
            sort: one of `otel_sessions.counting.measures.MEASURES`, or `score.` and the name of a score.
            descending: greatest first.
            limit: how many sessions the page has at most.
            offset: how many sessions to skip, after the cursor if there is one.
            cursor: the `next` of the page before, of the same filters and order.

        Raises:
            ValueError: for an unknown measure; the message lists the known ones.
        """
        return list_sessions(
            self._with_filtered(filters),
            filters,
            sort=sort,
            descending=descending,
            limit=limit,
            offset=offset,
            cursor=cursor,
            may_be_given=self._may_be_given,
        )

    def session(self, session_id: str, *, key: str = ID_KEY) -> SessionRollup | None:
        """One session; `None` if no span of it is stored."""
        return get_session(self._with_groups(), session_id, key=key, may_be_given=self._may_be_given)

    def session_with_traces(
        self, session_id: str, *, key: str = ID_KEY, limit: int = 50
    ) -> tuple[SessionRollup, TracePage] | None:
        """One session and the first page of its traces, after one wait for both; `None` if no span of it is stored."""
        store = self._with_groups()
        session = get_session(store, session_id, key=key, may_be_given=self._may_be_given)
        return None if session is None else (session, session_traces(store, session_id, key=key, limit=limit))

    def traces(self, session_id: str, *, key: str = ID_KEY, limit: int = 50, offset: int = 0) -> TracePage:
        """A page of a session's traces in the order of their start; a total of 0 if no span of it is stored."""
        return session_traces(self._with_groups(), session_id, key=key, limit=limit, offset=offset)

    def spans(self, session_id: str, *, key: str = ID_KEY, limit: int = 100, offset: int = 0) -> SpanPage:
        """A page of a session's spans, trace by trace, each by start; a total of 0 if no span of it is stored."""
        return session_spans(self._with_spans(), session_id, key=key, limit=limit, offset=offset)

    def calls(self, session_id: str, *, key: str = ID_KEY, limit: int = 100, offset: int = 0) -> CallPage | None:
        """A page of a session's calls, and of what is not counted, trace by trace, each by start; `None` if there is no such session."""
        # Facts are written after trace groups, before spans are settled.
        store = self._with_spans()
        return session_calls(
            store, session_id, key=key, limit=limit, offset=offset, pricer=self._pricer, kept=self._resolved
        )

    def logs(
        self,
        session_id: str,
        filters: LogFilters | None = None,
        *,
        key: str = ID_KEY,
        descending: bool = False,
        limit: int = 100,
        offset: int = 0,
        cursor: LogCursor | None = None,
    ) -> LogPage | None:
        """A page of the log records that belong to a session, by their time; `None` if there is no such session.

        Args:
            session_id: the id of the session.
            filters: the conditions; by default all of its log records.
            key: its session key.
            descending: latest first.
            limit: how many log records the page has at most.
            offset: how many to skip, after the cursor if there is one.
            cursor: the `next` of the page before, of the same filters and order.
        """
        return session_logs(
            self._with_spans(),
            session_id,
            filters,
            key=key,
            descending=descending,
            limit=limit,
            offset=offset,
            cursor=cursor,
        )

    def exists(self, session_id: str, *, key: str = ID_KEY) -> bool:
        """Return True if a span or a counted log record of the session is stored."""
        return session_exists(self._with_groups(), (key, session_id))

    def scores(self, session_id: str, *, key: str = ID_KEY, limit: int = 100, offset: int = 0) -> ScorePage:
        """A page of the scores on a session, on its traces and on their spans, by their times."""
        return session_scores(self._with_groups(), (key, session_id), limit=limit, offset=offset)

    def annotations(self, session_id: str, *, key: str = ID_KEY, limit: int = 100, offset: int = 0) -> AnnotationPage:
        """A page of the annotations of a session, by their times."""
        return session_annotations(self._store, (key, session_id), limit=limit, offset=offset)

    def messages(
        self,
        session_id: str,
        filters: MessageFilters = ALL_MESSAGES,
        *,
        key: str = ID_KEY,
        limit: int = 100,
        offset: int = 0,
    ) -> MessagePage | None:
        """A page of a session's conversation, each message once, when it was new; `None` if there is no such session."""
        # Messages are written after trace groups, before spans are settled.
        store = self._with_spans()
        return session_messages(
            store, session_id, filters, key=key, limit=limit, offset=offset, pricer=self._pricer, kept=self._kept
        )

    def trace(self, trace_id: int, *, limit: int = 100, offset: int = 0) -> WholeTrace | None:
        """One trace with a page of its spans by start, in a session or not; `None` if no span of it is stored."""
        return whole_trace(self._with_spans(), trace_id, limit=limit, offset=offset)

    def span(self, trace_id: int, span_id: int) -> Row | None:
        """The row of one span, in a session or not; `None` if it is not stored."""
        return one_span(self._with_spans(), trace_id, span_id)

    def steps(
        self,
        session_id: str,
        filters: StepFilters | None = None,
        *,
        key: str = ID_KEY,
        sort: str = START,
        descending: bool = False,
        limit: int = 100,
        offset: int = 0,
    ) -> StepPage | None:
        """A page of a session's steps, and what its tools did; `None` if there is no such session.

        Args:
            session_id: the id of the session.
            filters: the conditions; by default all steps.
            key: its session key.
            sort: `start` or `duration`.
            descending: the latest, or longest, first.
            limit: how many steps the page has at most.
            offset: how many to skip.
        """
        return session_steps(
            self._with_spans(),
            (key, session_id),
            filters or StepFilters(),
            sort=sort,
            descending=descending,
            limit=limit,
            offset=offset,
        )

    def unassigned(self) -> list[Unassigned]:
        """Spans and log records without a session, by service, the one with the most records first."""
        return unassigned(self._with_spans())

    def unassigned_now(self) -> list[Unassigned]:
        """The same, of what is committed; waits for nothing."""
        return unassigned(self._store)

    def sizes_now(self) -> StoreSizes:
        """How many bytes the store has, and how many are free where it is; waits for nothing."""
        return store_sizes(self._store)

    def used_models(self, key: str = ID_KEY, *, since: int = 0) -> list[UsedModel]:
        """The models in the sessions of a key, those with the most calls without a price first.

        Args:
            key: the session key.
            since: only traces that went on at or after this time, nanoseconds UTC.
        """
        return used_models(self._with_groups(), key, since=since)

    def keys(self) -> list[KeySummary]:
        """All session keys, the one with the most sessions first."""
        return keys(self._with_session_rows())

    def cohorts(self, by: str, filters: SessionFilters | None = None, *, limit: int = 1_000) -> list[Cohort]:
        """The sessions that meet all conditions, grouped by a value, the largest cohort first.

        Args:
            by: one of `otel_sessions.counting.facets.COHORTS`, or `metadata.<name>`.
            filters: the conditions; by default all sessions of the key `id`.
            limit: how many cohorts to return at most.

        Raises:
            ValueError: for another `by`; the message lists the possible ones.
        """
        return cohorts(self._with_filtered(filters), by, filters, limit=limit)

    def histogram(self, filters: SessionFilters | None = None, *, buckets: int = 60) -> list[Bucket]:
        """The sessions that meet all conditions by when they were last active, in buckets in the order of time.

        Each session is in one bucket: those that went on after `until` are in the last one.

        Args:
            filters: the conditions; by default all sessions of the key `id`.
            buckets: how many at most.
        """
        return histogram(self._with_session_rows(), filters, buckets=buckets)

    def ask(self, sql: str, *, limit: int = ROWS, seconds: float = SECONDS) -> Answer:
        """The answer to a question in SQL over the tables of the store; it can change nothing.

        Args:
            sql: one statement that reads.
            limit: how many rows at most.
            seconds: when the query is stopped.

        Raises:
            QueryRefusedError: it would do more than read tables of the store.
            QueryFailedError: the engine refused or stopped it.
        """
        return ask(self._with_session_rows_and_spans(), sql, limit=limit, seconds=seconds)

    def cohort_of(self, filters: SessionFilters) -> Cohort | None:
        """The sessions that meet all conditions as one cohort; `None` without any."""
        return cohort_of(self._with_session_rows(), filters)

    def settled(self) -> Store:
        """The store, when it has everything that was acknowledged so far: spans, log records, trace groups, rows of sessions."""
        self._with_session_rows()
        return self._with_spans()

    def ping(self) -> None:
        """Return if the store answers; waits for nothing.

        Raises:
            StoreError: it does not.
        """
        with self._store.reading() as client:
            client.command("SELECT 1")

    @contextmanager
    def answering(self) -> Iterator[None]:
        """While an answer is being computed, from the question to its JSON, have commits make way for it."""
        if self._settling is None:
            yield
        else:
            with self._settling.answering():
                yield

    def _with_spans(self) -> Store:
        if self._settling is not None:
            self._settling.wait_for_spans()
        return self._store

    def _with_session_rows_and_spans(self) -> Store:
        self._with_session_rows()
        return self._with_spans()

    def _with_groups(self) -> Store:
        if self._settling is not None:
            self._settling.wait_for_groups()
        return self._store

    def _with_filtered(self, filters: SessionFilters | None) -> Store:
        """The store when it can answer by these filters. Messages, which a text may be in, are written after trace groups."""
        if filters is not None and filters.q:
            self._with_spans()
        return self._with_session_rows()

    def _with_session_rows(self) -> Store:
        if self._settling is not None:
            self._settling.wait_for_session_rows()
        return self._store
