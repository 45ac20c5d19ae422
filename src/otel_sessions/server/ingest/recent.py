"""`RecentTraces`: the facts of traces that were touched lately, bounded by their number of spans."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from otel_sessions.counting.facts import SpanFacts

DEFAULT_SPANS: Final = 400_000
"""About 300 MB: a span's facts take 0.4 kB, a model call's 0.8 kB."""


class Trace(NamedTuple):
    """All that is known of a trace: its spans' facts, and the sessions that its groups in the store are for."""

    spans: Mapping[int, SpanFacts] = MappingProxyType({})
    pairs: frozenset[tuple[str, str]] = frozenset()


class RecentTraces:
    """A cache of traces, the least recently touched forgotten first; what is forgotten is in the store."""

    def __init__(self, spans: int = DEFAULT_SPANS) -> None:
        """Keep traces of about so many spans together."""
        self._bound = spans
        self._traces: OrderedDict[int, Trace] = OrderedDict()
        self.span_count = 0

    def get(self, trace_id: int) -> Trace | None:
        """A trace, touched by this."""
        trace = self._traces.get(trace_id)
        if trace is not None:
            self._traces.move_to_end(trace_id)
        return trace

    def put(self, trace_id: int, trace: Trace) -> None:
        """Keep a trace."""
        self._traces[trace_id] = trace
        self.span_count += len(trace.spans)

    def forget(self, trace_id: int) -> None:
        """Drop a trace, because the store no longer says the same of it."""
        trace = self._traces.pop(trace_id, None)
        if trace is not None:
            self.span_count -= len(trace.spans)

    def clear(self) -> None:
        """Drop all traces."""
        self._traces.clear()
        self.span_count = 0

    def trim(self) -> None:
        """Forget what is over the bound; called between commits, when nothing is held."""
        while self.span_count > self._bound and len(self._traces) > 1:
            _, trace = self._traces.popitem(last=False)
            self.span_count -= len(trace.spans)

    def __len__(self) -> int:
        """How many traces are kept."""
        return len(self._traces)
