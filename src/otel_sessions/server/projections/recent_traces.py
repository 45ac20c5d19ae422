"""`RecentTraces`: a cache of the facts of traces that changed lately, bounded in bytes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from otel_sessions.counting.facts import SpanFacts
from otel_sessions.counting.membership import Pair
from otel_sessions.server.projections.facts_json import from_json

DEFAULT_BYTES: Final = 96 << 20
"""About 300,000 spans."""

_ENTRY: Final = 200
"""Bytes that a trace takes beside its facts."""


class Trace(NamedTuple):
    """A trace as the store has it: the facts of its spans, and the sessions that its stored trace groups are for."""

    spans: Mapping[int, SpanFacts] = MappingProxyType({})
    pairs: frozenset[Pair] = frozenset()


class RecentTraces:
    """A cache of traces. The one that was used least recently is dropped first; the store has it.

    Facts are kept as JSON: less than half the memory that objects take, and nothing for the garbage collector to walk
    through; most traces are never asked for again.
    """

    def __init__(self, size: int = DEFAULT_BYTES) -> None:
        """Keep about `size` bytes."""
        self._bound = size
        self._traces: OrderedDict[int, bytes] = OrderedDict()
        self.size = 0

    def get(self, trace_id: int) -> list[SpanFacts] | None:
        """The facts of a trace, with every state of a span that was sent in several; `None` if the trace is not kept."""
        written = self._traces.get(trace_id)
        if written is None:
            return None
        self._traces.move_to_end(trace_id)
        return [span for line in written.split(b"\n") for span in from_json(line)]

    def __contains__(self, trace_id: int) -> bool:
        """Return True if the trace is kept."""
        return trace_id in self._traces

    def add(self, trace_id: int, written: bytes) -> None:
        """Keep more facts of a trace, as `to_json` writes them."""
        known = self._traces.pop(trace_id, None)
        self._traces[trace_id] = written if known is None else b"\n".join((known, written))
        self.size += len(written) + (_ENTRY if known is None else 1)

    def forget(self, trace_id: int) -> None:
        """Drop a trace whose facts in the store have changed."""
        written = self._traces.pop(trace_id, None)
        if written is not None:
            self.size -= len(written) + _ENTRY

    def clear(self) -> None:
        """Drop all traces."""
        self._traces.clear()
        self.size = 0

    def trim(self) -> None:
        """Drop traces until the size is within the bound; call it between commits."""
        while self.size > self._bound and len(self._traces) > 1:
            _, written = self._traces.popitem(last=False)
            self.size -= len(written) + _ENTRY

    def __len__(self) -> int:
        """How many traces are kept."""
        return len(self._traces)
