"""`roll_up_units`: traces and cells of log records rolled up together, so that a call that both tell of counts once.

A record that names a trace is part of it. One that names none is in a cell (see `units`): a trace takes from the cells of
its sessions the records that tell of its own calls, and what remains is counted in the cell. Two records of one call may
lie on both sides of the border of two cells: the earlier cell takes the later one's. What a trace or a cell takes depends on
its own spans and records, and on the records near it: never on what another one takes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from otel_sessions.counting.distinct_spans import distinct_spans
from otel_sessions.counting.facts import SpanFacts
from otel_sessions.counting.membership import Pair, sessions_of
from otel_sessions.counting.prices.pricer import Pricer
from otel_sessions.counting.records import NEAR_NS, tells_of_call
from otel_sessions.counting.resolved import Resolved, resolve
from otel_sessions.counting.trace import TraceRollup, roll_up_resolved
from otel_sessions.counting.units import Cell, as_cell, cells_near
from otel_sessions.dialects.kinds import AGENT, HUMAN, TOOL

_OF_AGENTS: Final = frozenset({AGENT, TOOL, HUMAN})
"""The kinds of spans that records tell of as well, beside calls."""

MOST_CELLS: Final = 288
"""In how many cells at most the records are looked for of the calls that one span sums up: a day."""


_NO_OTHERS: Final[Mapping[int, Pricer]] = MappingProxyType({})

_Told = dict[str | None, list[tuple[int, int]]]
"""By service, the times of the traces that tell of a session themselves."""


class Unit(NamedTuple):
    """A trace or a cell, with its calls.

    Attributes:
        unit: its id.
        cell: the cell that it is; `None` for a trace.
        resolved: its calls; `None` if nothing is left in it.
        told_turns: turns of a cell that a trace tells of.
    """

    unit: int
    cell: Cell | None
    resolved: Resolved | None
    told_turns: frozenset[str] = frozenset()


def cells_of_trace(spans: Iterable[SpanFacts]) -> set[Cell]:
    """The cells in which log records of a trace's calls may be."""
    found = distinct_spans(spans)
    telling = {span_id: span for span_id, span in found.items() if span.call is not None or span.kind in _OF_AGENTS}
    if not telling:
        return set()
    sessions = sessions_of(found)
    by_session: dict[Pair, list[SpanFacts]] = {}
    for span_id, span in telling.items():
        for pair in sessions[span_id]:
            by_session.setdefault(pair, []).append(span)
    cells: set[Cell] = set()
    for session, calls in by_session.items():
        cells |= cells_near(session, calls)
        # A span that sums up calls has its records anywhere within its time.
        for span in calls:
            first, last = Cell.at(session, span.start).number, Cell.at(session, span.end).number
            if 1 < last - first <= MOST_CELLS:
                cells.update(Cell(session, number) for number in range(first, last))
    return cells


def resolve_units(
    units: Mapping[int, Collection[SpanFacts]], pricer: Pricer | None, *, pricers: Mapping[int, Pricer] = _NO_OTHERS
) -> dict[int, Unit]:
    """The calls of traces and cells, each counted in one of them.

    Args:
        units: facts by the id of the unit. A trace needs the cells of `cells_of_trace` that exist; a cell needs the traces of its
            session near it, with their cells, and the cells before and after it, which need the same traces.
        pricer: prices calls that do not report their cost.
        pricers: by unit, another one for the calls that are counted in it.
    """
    cells = {cell: unit for unit, facts in units.items() if (cell := as_cell(unit, facts)) is not None}
    found: dict[int, Unit] = {}
    taken: dict[Cell, set[int]] = {cell: set() for cell in cells}
    told: dict[Cell, _Told] = {cell: {} for cell in cells}
    in_cells = set(cells.values())
    for unit, facts in units.items():
        if unit in in_cells:
            continue
        near = sorted(cells_of_trace(facts) & cells.keys()) if cells else []
        beside = [record for cell in near for record in units[cells[cell]]]
        resolved = resolve(facts, pricer=pricers.get(unit, pricer), beside=beside)
        found[unit] = Unit(unit, None, resolved)
        if resolved is None:
            continue
        for cell in near:
            taken[cell] |= resolved.adopted.keys() & {record.span_id for record in units[cells[cell]]}
        _note_times(resolved, {cell: told[cell] for cell in near})
    left = {cell: _left(units[unit], taken[cell], told[cell]) for cell, unit in cells.items()}
    across = {cell: _across(cell.end, left[cell], left.get(cell.beside(1), ())) for cell in cells}
    for cell, unit in cells.items():
        gone = across.get(cell.beside(-1), frozenset())
        mine = [record for record in left[cell] if record.span_id not in gone]
        theirs = [record for record in left.get(cell.beside(1), ()) if record.span_id in across[cell]]
        kept = {record.span_id for record in left[cell]}
        told_turns = frozenset(record.turn for record in units[unit] if record.turn and record.span_id not in kept)
        found[unit] = Unit(unit, cell, resolve(mine, pricer=pricers.get(unit, pricer), beside=theirs), told_turns)
    return found


def roll_up_units(
    units: Mapping[int, Collection[SpanFacts]], pricer: Pricer | None, *, explain: bool = False
) -> dict[int, TraceRollup | None]:
    """The trace groups of traces and cells; for arguments see `resolve_units` and `roll_up`."""
    return {
        unit: None
        if one.resolved is None
        else roll_up_resolved(
            unit, one.resolved, explain=explain, is_cell=one.cell is not None, told_turns=one.told_turns
        )
        for unit, one in resolve_units(units, pricer).items()
    }


def _note_times(resolved: Resolved, near: Mapping[Cell, _Told]) -> None:
    """Note in the cells near a trace when it tells of their sessions itself, so that what records say of that time is not told twice."""
    times: dict[tuple[Pair, str | None], tuple[int, int]] = {}
    for span_id, span in resolved.facts.items() if near else ():
        for session in resolved.members.sessions[span_id]:
            if not span.event:
                place = (session, span.labels.service)
                start, end = times.get(place, (span.start, span.end))
                times[place] = (min(start, span.start), max(end, span.end))
    for cell, told in near.items():
        for (session, service), time in times.items():
            if session == cell.session:
                told.setdefault(service, []).append(time)


def _left(records: Collection[SpanFacts], taken: Collection[int], told: _Told) -> list[SpanFacts]:
    """The records of a cell that no trace tells of."""

    def is_told(record: SpanFacts) -> bool:
        if tells_of_call(record):
            return record.span_id in taken
        times = told.get(record.labels.service, ())
        return any(start - NEAR_NS <= record.end <= end + NEAR_NS for start, end in times)

    return [record for record in records if not is_told(record)]


def _across(border: int, earlier: Collection[SpanFacts], later: Collection[SpanFacts]) -> frozenset[int]:
    """The records of the later of two cells that tell of a call of the earlier one."""
    tail = [record for record in earlier if record.end + NEAR_NS >= border and tells_of_call(record)]
    head = [record for record in later if record.end <= border + NEAR_NS and tells_of_call(record)]
    resolved = resolve(tail, beside=head)
    return frozenset(() if resolved is None else resolved.adopted)
