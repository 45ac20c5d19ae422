"""`Rollups`: the traces and sessions that an exporter has seen, in bounded memory.

What is counted together is a unit: a trace, or a cell of log records that are in no trace (see `counting.units`).
A trace is open while its spans arrive, closed when it has been idle, and forgotten when its memory is needed: its numbers
are then added to its sessions for good. A late span opens a closed trace again; a late span of a forgotten trace is not
added, but counted as late. Every number comes from whole traces, which are recomputed when one of their spans arrives,
so order and repetition change nothing as long as the trace is not forgotten.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from otel_sessions.counting.distinct_spans import distinct_spans
from otel_sessions.counting.facts import SpanFacts, Values
from otel_sessions.counting.fold import SessionSum
from otel_sessions.counting.ledger import resolve_units, roll_up_units
from otel_sessions.counting.membership import Pair, sessions_of
from otel_sessions.counting.model_call import ModelCall, judge, list_calls
from otel_sessions.counting.prices.pricer import Pricer
from otel_sessions.counting.session import SessionRollup
from otel_sessions.counting.trace import TraceGroup, TraceRollup, roll_up
from otel_sessions.drops import DropCounter
from otel_sessions.forking import ForkSafeLock, on_fork
from otel_sessions.kept_units import KeptUnit, KeptUnits


@dataclass(frozen=True, slots=True)
class RollupLimits:
    """Bounds of what a `SessionExporter` keeps in memory; all defaults together are about 230 MB.

    Attributes:
        spans: the number of spans in all traces that are kept; a span takes about 0.4 kB, a model call about 0.8 kB,
            and the words that are kept of one with content up to 0.7 kB, or 2.5 kB outside of Latin script.
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
        self._units = KeptUnits(self._groups_of)
        self._forgotten: OrderedDict[int, tuple[Pair, ...]] = OrderedDict()
        self._sessions: OrderedDict[Pair, _Session] = OrderedDict()
        self._stale: dict[int, KeptUnit] = {}

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
            while self._units.open:
                trace_id, trace = next(iter(self._units.open.items()))
                if now - trace.last_seen < self._limits.idle_seconds:
                    break
                self._close(trace_id, finished)
        self._report(finished)

    def close_all(self) -> None:
        """Close every open trace; a later span opens its trace again."""
        finished: list[TraceRollup] = []
        with self._lock:
            for trace_id in list(self._units.open):
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

    def calls(self, value: str, key: str) -> list[ModelCall]:
        """The calls of a session in the traces that are kept, and what is not counted, in the order of the start."""
        with self._lock:
            self._refresh()
            session = self._sessions.get((key, value))
            if session is None:
                return []
            units = self._units.read(list(session.groups or ()))
            related = self._units.related(units)
            resolved = resolve_units({**units, **related.again, **related.context}, self._pricer)
            uses = [use for group in (session.groups or {}).values() for use in group.cache]
            judged = judge([*session.forgotten.cache, *uses])
        listed = [
            entry
            for unit in units
            if (one := resolved[unit]).resolved is not None
            for entry in list_calls(unit, one.resolved, (key, value), judged, is_cell=one.cell is not None)
        ]
        return sorted(listed, key=lambda entry: (entry.start, entry.trace_id or 0, entry.span_id))

    def lost_sessions(self, trace_id: int, spans: Iterable[SpanFacts]) -> dict[int, SpanFacts]:
        """For each span that lost some of its session keys, by its id: a span of the trace that has all of them.

        If there are several, it is the nearest ancestor, else the first by id.
        """
        with self._lock:
            trace = self._units.get(trace_id)
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
        units = self._units
        trace = units.open.get(trace_id)
        if trace is None:
            trace = units.closed.pop(trace_id, None)
            if trace is None:
                if trace_id in self._forgotten:
                    self._count_late(trace_id, spans)
                    return
                trace = KeptUnit()
            units.open[trace_id] = trace
        else:
            units.open.move_to_end(trace_id)
        trace.last_seen = now
        if units.add(trace_id, trace, spans):
            trace.reported = False
            self._stale[trace_id] = trace

    def _make_room(self, finished: list[TraceRollup]) -> None:
        limits = self._limits
        units = self._units
        while units.span_count > limits.spans or len(units) > limits.traces:
            if not units.closed:
                self._close(next(iter(units.open)), finished)
            if units.has_cells:
                # What two units share has to be known before one of them is forgotten.
                self._refresh()
            trace_id = next(iter(units.closed))
            trace = units.forget(trace_id)
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
        trace = self._units.open.pop(trace_id)
        self._units.closed[trace_id] = trace
        reporting = self._on_trace is not None and not trace.reported
        if trace_id in self._stale or reporting:
            rolled_up = self._roll_up({trace_id: trace})[trace_id]
            if reporting and rolled_up is not None and rolled_up.whole.turns is None:
                trace.reported = True
                finished.append(rolled_up)

    def _refresh(self) -> None:
        if self._stale:
            self._roll_up(dict(self._stale))

    def _roll_up(self, units: Mapping[int, KeptUnit]) -> dict[int, TraceRollup | None]:
        """Recompute units, and those that tell of the same calls, and replace their groups in their sessions."""
        explain = self._on_trace is not None
        if not self._units.has_cells:
            rolled_up = {
                unit: roll_up(unit, trace.spans.values(), pricer=self._pricer, explain=explain)
                for unit, trace in units.items()
            }
        else:
            changed = {unit: trace.spans.values() for unit, trace in units.items()}
            related = self._units.related(changed)
            together = roll_up_units(
                {**changed, **related.again, **related.context}, pricer=self._pricer, explain=explain
            )
            rolled_up = {unit: together[unit] for unit in (*changed, *related.again)}
        for unit, one in rolled_up.items():
            self._replace_groups(unit, self._units[unit], one)
        return rolled_up

    def _replace_groups(self, trace_id: int, trace: KeptUnit, rolled_up: TraceRollup | None) -> None:
        groups = () if rolled_up is None else rolled_up.groups
        trace.adopted = frozenset() if rolled_up is None else rolled_up.adopted
        for group in trace.groups:
            pair = (group.key, group.value)
            session = self._sessions.get(pair)
            if session is not None:
                _remove(session, trace_id)
                if session.groups is None and not (session.forgotten.group_count or session.forgotten.late_span_count):
                    del self._sessions[pair]
        for group in groups:
            session = self._session(group)
            if session.groups is None:
                session.groups = {}
            session.groups[trace_id] = group
        trace.groups = groups
        self._stale.pop(trace_id, None)

    def _groups_of(self, session: Pair) -> Mapping[int, TraceGroup]:
        known = self._sessions.get(session)
        return {} if known is None else known.groups or {}

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
