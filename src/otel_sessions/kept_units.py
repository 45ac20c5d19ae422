"""`KeptUnits`: the traces and the cells of log records that an exporter keeps, open or closed, and which of them share calls."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Mapping

from otel_sessions.counting.distinct_spans import more_complete
from otel_sessions.counting.facts import SpanFacts
from otel_sessions.counting.ledger import cells_of_trace
from otel_sessions.counting.membership import Pair
from otel_sessions.counting.related_units import Related, RelatedUnits, Units
from otel_sessions.counting.trace import TraceGroup
from otel_sessions.counting.units import REACH_NS, Cell, as_cell


class KeptUnit:
    """A trace, or a cell of log records.

    Attributes:
        spans: the facts of its spans and records by id.
        groups: its trace groups.
        adopted: the ids of records of cells that are counted here.
        taken: the ids of records of this cell that are a part of a forgotten trace or cell.
        reported: it was reported since it changed last.
        last_seen: when it changed last, in seconds.
    """

    __slots__ = ("adopted", "groups", "last_seen", "reported", "spans", "taken")

    def __init__(self) -> None:
        """Start without a span."""
        self.spans: dict[int, SpanFacts] = {}
        self.groups: tuple[TraceGroup, ...] = ()
        self.adopted: frozenset[int] = frozenset()
        self.taken: frozenset[int] = frozenset()
        self.reported = False
        self.last_seen = 0.0

    def add(self, spans: Iterable[SpanFacts]) -> bool:
        """Add spans or records; return True if one of them says something new."""
        changed = False
        for span in spans:
            known = self.spans.get(span.span_id)
            kept = span if known is None else more_complete(known, span)
            if kept is not known and span.span_id not in self.taken:
                self.spans[span.span_id] = kept
                changed = True
        return changed


class KeptUnits:
    """Units by id.

    Attributes:
        open: those whose spans still arrive, the one that was quiet for longest first.
        closed: those that have been idle, in the order in which they were closed.
        span_count: the spans and records in all of them.
        has_cells: a log record without a trace was ever among them.
    """

    def __init__(self, groups_of: Callable[[Pair], Mapping[int, TraceGroup]]) -> None:
        """Start without a unit; `groups_of` returns the trace groups of a session by unit."""
        self.open: OrderedDict[int, KeptUnit] = OrderedDict()
        self.closed: OrderedDict[int, KeptUnit] = OrderedDict()
        self.span_count = 0
        self.has_cells = False
        self._groups_of = groups_of
        self._related = RelatedUnits(self.read, self._traces_near)

    def __len__(self) -> int:
        """How many units there are."""
        return len(self.open) + len(self.closed)

    def get(self, unit: int) -> KeptUnit | None:
        """A unit, open or closed."""
        return self.open.get(unit) or self.closed.get(unit)

    def __getitem__(self, unit: int) -> KeptUnit:
        """A unit that is kept, open or closed."""
        return self.open.get(unit) or self.closed[unit]

    def add(self, unit: int, kept: KeptUnit, spans: Collection[SpanFacts]) -> bool:
        """Add spans or records to a unit; return True if one of them says something new."""
        before = len(kept.spans)
        self.has_cells = self.has_cells or (not before and as_cell(unit, spans) is not None)
        changed = kept.add(spans)
        self.span_count += len(kept.spans) - before
        return changed

    def read(self, units: Collection[int]) -> Units:
        """The facts of those of these units that are kept."""
        return {unit: kept.spans.values() for unit in units if (kept := self.get(unit)) is not None}

    def related(self, changed: Units) -> Related:
        """The units that a change of these touches."""
        return self._related.of(changed, has_cells=self.has_cells)

    def forget(self, unit: int) -> KeptUnit:
        """Remove a closed unit. Each of two units that share a call keeps what it needs to count it alone."""
        kept = self.closed.pop(unit)
        self.span_count -= len(kept.spans)
        if self.has_cells:
            cell = as_cell(unit, kept.spans.values())
            if cell is None:
                self._take(cells_of_trace(kept.spans.values()), kept.adopted)
            else:
                self._take([cell.beside(1)], kept.adopted)
                self._hand_over(cell, kept)
        return kept

    def _take(self, cells: Iterable[Cell], records: frozenset[int]) -> None:
        """Remove records from these cells for good, because they were counted elsewhere."""
        for cell in cells:
            kept = self.get(cell.unit)
            if kept is not None and not records.isdisjoint(kept.spans):
                self.span_count -= len(records & kept.spans.keys())
                kept.taken |= records & kept.spans.keys()
                kept.spans = {id_: record for id_, record in kept.spans.items() if id_ not in records}

    def _hand_over(self, cell: Cell, forgotten: KeptUnit) -> None:
        """Give the records of a cell to the units that they are counted in."""
        reach = {cell.session: (max(0, cell.start - REACH_NS), cell.end + REACH_NS)}
        for unit in (*self._traces_near(reach), cell.beside(-1).unit):
            kept = self.get(unit)
            if kept is not None:
                shared = {id_: forgotten.spans[id_] for id_ in kept.adopted & forgotten.spans.keys()}
                self.span_count += len(shared)
                kept.spans = {**kept.spans, **shared}

    def _traces_near(self, sessions: Mapping[Pair, tuple[int, int]]) -> set[int]:
        return {
            unit
            for session, (first, last) in sessions.items()
            for unit, group in self._groups_of(session).items()
            if group.turns is None and group.start <= last and group.end >= first
        }
