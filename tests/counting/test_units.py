"""Cells: five minutes of a session, in which log records without a trace are counted."""

from __future__ import annotations

from tests.counting.building import fact, in_session

from otel_sessions.counting.facts import Call
from otel_sessions.counting.ledger import MOST_CELLS, cells_of_trace
from otel_sessions.counting.tokens import Usage
from otel_sessions.counting.units import CELL_NS, Cell, as_cell, cell_of, unit_of


def test_a_cell_is_computed_from_a_record() -> None:
    """Records of one session in the same five minutes are in one cell, whatever else they say."""
    one = fact(1, event="e", end=CELL_NS + 5, **in_session("s"))
    other = fact(2, event="f", end=2 * CELL_NS - 1, **in_session("s"))
    later = fact(3, event="e", end=2 * CELL_NS, **in_session("s"))
    elsewhere = fact(4, event="e", end=CELL_NS + 5, **in_session("t"))
    assert cell_of(one) == cell_of(other) == Cell(("id", "s"), 1)
    assert unit_of(one) == unit_of(other)
    assert len({unit_of(each) for each in (one, later, elsewhere)}) == 3
    assert Cell(("id", "s"), 1).beside(1) == cell_of(later)
    assert (Cell(("id", "s"), 1).start, Cell(("id", "s"), 1).end) == (CELL_NS, 2 * CELL_NS)


def test_a_record_without_a_session_is_in_no_cell() -> None:
    """A record that names no session, and no trace, is counted nowhere."""
    record = fact(1, event="e")
    assert cell_of(record) is None
    assert unit_of(record) == 0


def test_a_session_of_another_key_has_cells_of_its_own() -> None:
    """A record that names a session of another key only is in a cell of that one; the key `id` comes first."""
    both = fact(1, event="e", end=CELL_NS, values=(("a", "7"), ("id", "s")))
    assert cell_of(both) == Cell(("id", "s"), 1)
    by_key = fact(1, event="e", end=CELL_NS, values=(("ticket", "7"),))
    by_id = fact(1, event="e", end=CELL_NS, **in_session("7"))
    assert cell_of(by_key) is not None
    assert len({unit_of(by_key), unit_of(by_id), 0}) == 3


def test_what_is_a_cell() -> None:
    """A unit of records whose id is that of their cell; a trace is none, also where a record is its first fact."""
    record = fact(1, event="e", **in_session("s"))
    assert as_cell(unit_of(record), [record]) == cell_of(record)
    assert as_cell(7, [record]) is None
    assert as_cell(7, [fact(1)]) is None
    assert as_cell(7, []) is None


def test_cells_of_a_trace() -> None:
    """Records of a call may be in the cells around its end; those of a sum anywhere in its time, up to a day."""
    end = 10 * CELL_NS + 5
    llm = fact(1, kind="llm", start=end - 9, end=end, call=Call(Usage(1, 1)), **in_session("s"))
    assert {cell.number for cell in cells_of_trace([llm])} == {9, 10, 11}
    assert cells_of_trace([fact(1, **in_session("s"))]) == set()
    assert cells_of_trace([llm._replace(values=())]) == set()
    assert {cell.session for cell in cells_of_trace([llm._replace(values=(("ticket", "7"),))])} == {("ticket", "7")}
    summed = llm._replace(start=0)
    assert {cell.number for cell in cells_of_trace([summed])} == set(range(12))
    ages = llm._replace(start=0, end=(MOST_CELLS + 9) * CELL_NS)
    assert len(cells_of_trace([ages])) == 4


def test_nothing_is_before_the_first_cell() -> None:
    """Times near zero, which broken clocks send, are in cells that exist."""
    early = fact(1, kind="llm", start=0, end=1, call=Call(Usage(1, 1)), **in_session("s"))
    assert min(cell.number for cell in cells_of_trace([early])) == 0
