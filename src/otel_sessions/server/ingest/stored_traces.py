"""`StoredTraces`: the facts of stored traces, from memory as far as possible."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from otel_sessions.server.ingest.commit_target import CommitTarget
from otel_sessions.server.projections.changes import stored_trace
from otel_sessions.server.projections.facts_json import WrittenFacts, to_json
from otel_sessions.server.projections.recent_traces import RecentTraces, Trace
from otel_sessions.server.projections.seen_trace_ids import SeenTraceIds


class StoredTraces:
    """Looks traces up in a cache, then, if the store may have them, in the store.

    Attributes:
        has_cells: the store may have log records that are in no trace.
    """

    def __init__(
        self, target: CommitTarget, known: SeenTraceIds, recent: RecentTraces, *, has_cells: bool = True
    ) -> None:
        self._target = target
        self._known = known
        self._recent = recent
        self.has_cells = has_cells

    def read(self, trace_ids: Iterable[int]) -> dict[int, Trace]:
        """The traces with these ids that are stored, by id."""
        found: dict[int, Trace] = {}
        missing = []
        for trace_id in trace_ids:
            spans = self._recent.get(trace_id)
            if spans is not None:
                found[trace_id] = stored_trace(spans)
            elif trace_id in self._known:
                missing.append(trace_id)
        if missing:
            for trace_id, stored in self._target.facts_of(missing).items():
                found[trace_id] = stored_trace(stored)
        return found

    def is_older(self, trace_id: int) -> bool:
        """Return True if an earlier process may have stored spans of the trace; a power failure may have taken rows of these."""
        return self._known.was_stored(trace_id)

    def add(self, facts: Mapping[int, WrittenFacts], before: Mapping[int, Trace]) -> None:
        """Remember facts that were just stored, by trace id, of traces that were `before` as `read` returned them."""
        for trace_id, (_, _, json, is_cell) in facts.items():
            self.has_cells = self.has_cells or is_cell
            if trace_id in before and trace_id not in self._recent:
                self._recent.add(trace_id, to_json(before[trace_id].spans.values()))
            self._recent.add(trace_id, json)
            self._known.add(trace_id)
