"""`RelatedUnits`: the units that have to be looked at when others change, because a call may be told in both.

A trace takes log records from the cells of its sessions (see `counting.ledger`), so a change of one changes the other. Where
no log record was ever in a cell, nothing is looked up.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import NamedTuple

from otel_sessions.counting.facts import SpanFacts
from otel_sessions.counting.ledger import cells_of_trace
from otel_sessions.counting.membership import Pair
from otel_sessions.counting.units import CELL_NS, REACH_NS, Cell, as_cell

Units = Mapping[int, Collection[SpanFacts]]
"""Facts of traces and cells by id."""


class Related(NamedTuple):
    """Units beside those that changed.

    Attributes:
        again: to be rolled up again.
        context: only to be looked at.
    """

    again: Units
    context: Units


class RelatedUnits:
    """Finds them, wherever they are kept."""

    def __init__(
        self,
        read: Callable[[Collection[int]], Units],
        traces_near: Callable[[Mapping[Pair, tuple[int, int]]], Collection[int]],
    ) -> None:
        """Look units up.

        Args:
            read: returns those of some units that are stored, by id.
            traces_near: returns the ids of the traces of sessions that overlap a time; by session, its first and last nanosecond.
        """
        self._stored = read
        self._near = traces_near

    def of(self, changed: Units, *, has_cells: bool) -> Related:
        """The units that a change of these touches.

        Args:
            changed: by id, with all facts as they are now.
            has_cells: false if no cell is stored.
        """
        cells = {cell for unit, facts in changed.items() if (cell := as_cell(unit, facts)) is not None}
        if not cells and not has_cells:
            return Related({}, {})
        units: dict[int, Collection[SpanFacts]] = dict(changed)
        touched = cells | _beside(cells)
        for unit, facts in changed.items():
            if as_cell(unit, facts) is None:
                touched |= cells_of_trace(facts)
        again = self._read(touched, units)
        beside_changed = self._traces_near(cells, units)
        again.update(beside_changed)
        # A trace that takes a record of a changed cell may leave one that it had taken of another.
        reached = {cell.beside(distance) for cell in cells for distance in (-2, 2)}
        for facts in beside_changed.values():
            touched |= cells_of_trace(facts) & reached
        again.update(self._read(touched, units))
        present = {cell for cell in touched if cell.unit in units}
        # What a cell has left for the next one depends on the traces near it.
        around = _beside(present) - present
        context = self._read(around, units)
        beside = present | {cell for cell in around if cell.unit in context}
        traces = self._traces_near(beside - cells, units)
        context.update(traces)
        further: set[Cell] = set()
        for facts in (*beside_changed.values(), *traces.values()):
            further |= cells_of_trace(facts)
        context.update(self._read(further, units))
        return Related(again, context)

    def _read(self, cells: Iterable[Cell], units: dict[int, Collection[SpanFacts]]) -> dict[int, Collection[SpanFacts]]:
        """Those of the cells that exist and are not among the units yet; they are added."""
        return self._load({cell.unit for cell in cells}, units)

    def _traces_near(
        self, cells: Collection[Cell], units: dict[int, Collection[SpanFacts]]
    ) -> dict[int, Collection[SpanFacts]]:
        """The traces that may tell of records of these cells, without those among the units; they are added."""
        if not cells:
            return {}
        times: dict[Pair, tuple[int, int]] = {}
        for cell in cells:
            first, last = times.get(cell.session, (cell.start, cell.end))
            times[cell.session] = (min(first, cell.start), max(last, cell.end))
        far = REACH_NS + CELL_NS
        near = {session: (max(0, first - far), last + far) for session, (first, last) in times.items()}
        return self._load(set(self._near(near)), units)

    def _load(self, wanted: set[int], units: dict[int, Collection[SpanFacts]]) -> dict[int, Collection[SpanFacts]]:
        found = dict(self._stored(wanted - units.keys()))
        units.update(found)
        return found


def _beside(cells: Iterable[Cell]) -> set[Cell]:
    return {cell.beside(distance) for cell in cells for distance in (-1, 1)}
