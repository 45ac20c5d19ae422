"""The units that are looked at when others change: enough for the numbers that all units together give, and no more."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.counting.building import fact, in_session
from tests.counting.ledgers import SESSION, OneCall, calls

from otel_sessions.counting.facts import Call, SpanFacts
from otel_sessions.counting.fold import fold
from otel_sessions.counting.ledger import roll_up_units
from otel_sessions.counting.membership import Pair
from otel_sessions.counting.related_units import RelatedUnits, Units
from otel_sessions.counting.tokens import Usage
from otel_sessions.counting.trace import TraceRollup
from otel_sessions.counting.units import CELL_NS, Cell, as_cell


class Stored:
    """Units as a store has them: their facts, and their trace groups as they were written last."""

    def __init__(self) -> None:
        """Start with nothing."""
        self.facts: dict[int, list[SpanFacts]] = {}
        self.rolled_up: dict[int, TraceRollup | None] = {}
        self.asked_for: list[int] = []

    def read(self, units: Collection[int]) -> Units:
        """Some of them."""
        self.asked_for += units
        return {unit: self.facts[unit] for unit in units if unit in self.facts}

    def traces_near(self, sessions: Mapping[Pair, tuple[int, int]]) -> set[int]:
        """The traces of sessions that overlap a time."""
        return {
            unit
            for unit, one in self.rolled_up.items()
            for group in (one.groups if one is not None else ())
            if group.turns is None and (pair := (group.key, group.value)) in sessions
            if group.start <= sessions[pair][1] and group.end >= sessions[pair][0]
        }

    def add(self, told: list[tuple[int, SpanFacts]]) -> None:
        """Add facts, and count what they touch again."""
        for unit, facts in told:
            self.facts.setdefault(unit, []).append(facts)
        changed = {unit: self.facts[unit] for unit, _ in told}
        related = RelatedUnits(self.read, self.traces_near).of(changed, has_cells=True)
        together = roll_up_units({**changed, **related.again, **related.context}, None)
        self.rolled_up.update({unit: together[unit] for unit in (*changed, *related.again)})


@settings(max_examples=100, deadline=None)
@given(truth=calls(), data=st.data())
def test_step_by_step_is_as_all_at_once(truth: list[OneCall], data: st.DataObject) -> None:
    """After any steps, the trace groups are those of all facts together."""
    told = data.draw(st.permutations([one for call in truth for one in call.told()]))
    stored = Stored()
    while told:
        size = data.draw(st.integers(1, len(told)))
        stored.add(list(told[:size]))
        told = told[size:]
    whole = roll_up_units(stored.facts, None)
    parts = {unit: None if one is None else one.groups for unit, one in stored.rolled_up.items()}
    assert parts == {unit: None if one is None else one.groups for unit, one in whole.items()}
    groups = [group for one in whole.values() if one is not None for group in one.groups]
    assert fold("id", SESSION, groups).call_count == len(truth)


def call(unit: int, end: int, **more: object) -> tuple[int, SpanFacts]:
    """A call that ended then."""
    facts = fact(unit & 0xFFFF, kind="llm", start=end, end=end, call=Call(Usage(1, 1)), **in_session("s"))
    return unit, facts._replace(**more)  # type: ignore[arg-type]


def test_without_cells_nothing_is_looked_up() -> None:
    """Spans alone touch nothing beside their traces."""
    stored = Stored()
    unit, facts = call(0xA, 9)
    related = RelatedUnits(stored.read, stored.traces_near).of({unit: [facts]}, has_cells=False)
    assert (related.again, related.context, stored.asked_for) == ({}, {}, [])


def test_what_is_far_away_is_not_looked_at() -> None:
    """A record touches the cells beside its own and the traces near these, not those of an hour before."""
    stored = Stored()
    hour = 12 * CELL_NS
    for unit, end in ((0xA, 100 * CELL_NS), (0xB, 100 * CELL_NS + hour)):
        stored.add([call(unit, end)])
    cell = Cell.at(("id", "s"), 100 * CELL_NS + hour + 5)
    record = call(cell.unit, 100 * CELL_NS + hour + 5, event="e")
    assert as_cell(record[0], [record[1]]) == cell
    related = RelatedUnits(stored.read, stored.traces_near).of({record[0]: [record[1]]}, has_cells=True)
    assert (list(related.again), list(related.context)) == ([0xB], [])
