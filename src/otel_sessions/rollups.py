"""`Rollups`: the traces and sessions that an exporter has seen, in bounded memory.

A trace is open while its spans arrive, closed when it has been idle, and forgotten when its memory is needed: its numbers
are then added to its sessions for good. A late span opens a closed trace again; a late span of a forgotten trace is not
added, but counted as late. Every number comes from whole traces, which are recomputed when one of their spans arrives,
so order and repetition change nothing as long as the trace is not forgotten.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from otel_sessions.counting.facts import SpanFacts, Values
from otel_sessions.counting.fold import SessionSum
from otel_sessions.counting.membership import Pair, sessions_of
from otel_sessions.counting.prices.pricer import Pricer
from otel_sessions.counting.session import SessionRollup
from otel_sessions.counting.trace import TraceGroup, TraceRollup, distinct_spans, more_complete, roll_up
from otel_sessions.drops import DropCounter
from otel_sessions.forking import ForkSafeLock, on_fork


@dataclass(frozen=True, slots=True)
class RollupLimits:
    """Bounds of what a `SessionExporter` keeps in memory; all defaults together are about 230 MB.

    Attributes:
        spans: the number of spans in all traces that are kept; a span takes about 0.4 kB, a model call about 0.8 kB.
        traces: the number of traces that are kept, each of which a late span can still change.
        forgotten_traces: the number of older traces whose ids are kept, so that their late spans are recognised.
        sessions: the number of sessions of all keys together, about 3 kB each. The one that was idle for longest is
            dropped; if it gets another trace, it is counted from that one on.
        idle_seconds: the time without a span after which a trace is closed.

    Example:
        >>> from otel_sessions import RollupLimits, SessionExporter
        >>> exporter = SessionExporter(limits=RollupLimits(spans=10_000, idle_seconds=5))
    """

    spans: int = 60_000
    traces: int = 20_000
    forgotten_traces: int = 100_000
    sessions: int = 50_000
    idle_seconds: float = 30.0


class _Trace:
    __slots__ = ("groups", "last_seen", "reported", "spans")

    def __init__(self) -> None:
        self.spans: dict[int, SpanFacts] = {}
        self.groups: tuple[TraceGroup, ...] = ()
        self.reported = False
        self.last_seen = 0.0


class _Session:
    """The sum of the forgotten traces of a session, and the groups of the others."""

    __slots__ = ("forgotten", "groups")

    def __init__(self, key: str, value: str) -> None:
        self.forgotten = SessionSum(key, value)
        self.groups: dict[int, TraceGroup] | None = None


class Rollups:
    """Adds spans up to traces and sessions. Thread safe; callbacks are called without a lock held."""

    def __init__(
        self,
        *,
        pricer: Pricer | None = None,
        limits: RollupLimits | None = None,
        on_trace: Callable[[TraceRollup], object] | None = None,
        drops: DropCounter | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take the bounds and the callbacks; `clock` returns seconds."""
        self._pricer = pricer
        self._limits = limits or RollupLimits()
        self._on_trace = on_trace
        self._drops = drops or DropCounter()
        self._clock = clock
        self._lock = ForkSafeLock()
        on_fork(self._start)
        self._start()

    def _start(self) -> None:
        """Forget all traces: at the start, and in a forked child, since the parent reports what the parent has seen."""
        self._open: OrderedDict[int, _Trace] = OrderedDict()
        self._closed: OrderedDict[int, _Trace] = OrderedDict()
        self._forgotten: OrderedDict[int, tuple[Pair, ...]] = OrderedDict()
        self._sessions: OrderedDict[Pair, _Session] = OrderedDict()
        self._stale: dict[int, _Trace] = {}
        self._span_count = 0

    def add(self, spans: Iterable[tuple[int, SpanFacts]]) -> None:
        """Add spans, each with its trace id, and close the traces that have been idle."""
        finished: list[TraceRollup] = []
        with self._lock:
            now = self._clock()
            by_trace: dict[int, list[SpanFacts]] = {}
            for trace_id, span in spans:
                if trace_id in by_trace:
                    by_trace[trace_id].append(span)
                else:
                    by_trace[trace_id] = [span]
            for trace_id, together in by_trace.items():
                self._add(trace_id, together, now)
            self._make_room(finished)
            while self._open:
                trace_id, trace = next(iter(self._open.items()))
                if now - trace.last_seen < self._limits.idle_seconds:
                    break
                self._close(trace_id, finished)
        self._report(finished)

    def close_all(self) -> None:
        """Close every open trace; a later span opens its trace again."""
        finished: list[TraceRollup] = []
        with self._lock:
            for trace_id in list(self._open):
                self._close(trace_id, finished)
        self._report(finished)

    def session(self, value: str, key: str) -> SessionRollup | None:
        """The session with all its traces so far, open ones too; `None` if it has no span."""
        with self._lock:
            self._refresh()
            session = self._sessions.get((key, value))
            return None if session is None else _rollup(session)

    def sessions(self, key: str) -> list[SessionRollup]:
        """All sessions of a key, in no particular order."""
        with self._lock:
            self._refresh()
            return [_rollup(session) for (name, _), session in self._sessions.items() if name == key]

    def lost_sessions(self, trace_id: int, spans: Iterable[SpanFacts]) -> dict[int, SpanFacts]:
        """For each span that lost some of its session keys, by its id: a span of the trace that has all of them.

        If there are several, it is the nearest ancestor, else the first by id.
        """
        with self._lock:
            trace = self._open.get(trace_id) or self._closed.get(trace_id)
            known = dict(trace.spans) if trace is not None else {}
        asking = list(spans)
        known = distinct_spans([*known.values(), *asking])
        members = sessions_of(known) if known else {}
        first: dict[Values, SpanFacts] = {}
        for span in known.values():
            first.setdefault(span.values, span)
        found: dict[int, SpanFacts] = {}
        for span in asking:
            pairs = members.get(span.span_id, ())
            if len(span.values) < len(pairs):
                donor = next((one for one in _ancestors(span, known) if one.values == pairs), first.get(pairs))
                if donor is not None:
                    found[span.span_id] = donor
        return found

    def _add(self, trace_id: int, spans: list[SpanFacts], now: float) -> None:
        trace = self._open.get(trace_id)
        if trace is None:
            trace = self._closed.pop(trace_id, None)
            if trace is None:
                if trace_id in self._forgotten:
                    self._count_late(trace_id, spans)
                    return
                trace = _Trace()
            self._open[trace_id] = trace
        else:
            self._open.move_to_end(trace_id)
        trace.last_seen = now
        before = len(trace.spans)
        changed = False
        for span in spans:
            known = trace.spans.get(span.span_id)
            kept = span if known is None else more_complete(known, span)
            if kept is not known:
                trace.spans[span.span_id] = kept
                changed = True
        self._span_count += len(trace.spans) - before
        if changed:
            trace.reported = False
            self._stale[trace_id] = trace

    def _make_room(self, finished: list[TraceRollup]) -> None:
        limits = self._limits
        while self._span_count > limits.spans or len(self._open) + len(self._closed) > limits.traces:
            if not self._closed:
                self._close(next(iter(self._open)), finished)
            trace_id, trace = self._closed.popitem(last=False)
            self._span_count -= len(trace.spans)
            pairs = []
            for group in trace.groups:
                pairs.append((group.key, group.value))
                session = self._session(group)
                session.forgotten.add(group)
                _remove(session, trace_id)
            self._forgotten[trace_id] = tuple(pairs)
            if len(self._forgotten) > limits.forgotten_traces:
                self._forgotten.popitem(last=False)

    def _close(self, trace_id: int, finished: list[TraceRollup]) -> None:
        trace = self._open.pop(trace_id)
        self._closed[trace_id] = trace
        reporting = self._on_trace is not None and not trace.reported
        if trace_id in self._stale or reporting:
            rolled_up = self._roll_up(trace_id, trace)
            if reporting and rolled_up is not None:
                trace.reported = True
                finished.append(rolled_up)

    def _refresh(self) -> None:
        for trace_id, trace in list(self._stale.items()):
            self._roll_up(trace_id, trace)

    def _roll_up(self, trace_id: int, trace: _Trace) -> TraceRollup | None:
        """Recompute a trace and replace its groups in its sessions."""
        rolled_up = roll_up(trace_id, trace.spans.values(), pricer=self._pricer, explain=self._on_trace is not None)
        groups = () if rolled_up is None else rolled_up.groups
        for group in trace.groups:
            pair = (group.key, group.value)
            session = self._sessions.get(pair)
            if session is not None:
                _remove(session, trace_id)
                if session.groups is None and not (session.forgotten.trace_count or session.forgotten.late_span_count):
                    del self._sessions[pair]
        for group in groups:
            session = self._session(group)
            if session.groups is None:
                session.groups = {}
            session.groups[trace_id] = group
        trace.groups = groups
        self._stale.pop(trace_id, None)
        return rolled_up

    def _session(self, group: TraceGroup) -> _Session:
        pair = (group.key, group.value)
        session = self._sessions.get(pair)
        if session is None:
            session = self._sessions[pair] = _Session(*pair)
            if len(self._sessions) > self._limits.sessions:
                self._sessions.popitem(last=False)
                message = f"more than {self._limits.sessions} sessions: the one that was idle for longest is no longer counted"
                self._drops.count("exporter", "sessions", message)
        else:
            self._sessions.move_to_end(pair)
        return session

    def _count_late(self, trace_id: int, spans: list[SpanFacts]) -> None:
        self._refresh()
        message = "a span came after its trace was closed and forgotten: forwarded, not counted"
        self._drops.count("exporter", "late_spans", message, amount=len(spans))
        for span in spans:
            for pair in span.values or self._forgotten[trace_id]:
                session = self._sessions.get(pair)
                if session is not None:
                    session.forgotten.late_span_count += 1

    def _report(self, finished: list[TraceRollup]) -> None:
        for rolled_up in finished:
            assert self._on_trace is not None
            try:
                self._on_trace(rolled_up)
            except Exception as error:
                self._drops.count("exporter", "on_trace_errors", f"on_trace raised {type(error).__name__}")


def _remove(session: _Session, trace_id: int) -> None:
    if session.groups is not None:
        session.groups.pop(trace_id, None)
        if not session.groups:
            session.groups = None


def _rollup(session: _Session) -> SessionRollup:
    if session.groups is None:
        return session.forgotten.rollup()
    total = session.forgotten.copy()
    for group in session.groups.values():
        total.add(group)
    return total.rollup()


def _ancestors(span: SpanFacts, spans: dict[int, SpanFacts]) -> Iterator[SpanFacts]:
    seen = {span.span_id}
    parent = spans.get(span.parent_id) if span.parent_id is not None else None
    while parent is not None and parent.span_id not in seen:
        seen.add(parent.span_id)
        yield parent
        parent = spans.get(parent.parent_id) if parent.parent_id is not None else None
