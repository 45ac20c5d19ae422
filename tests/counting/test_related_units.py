"""Rolling up only what changed, and what is related to it, gives what rolling up everything gives."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.counting.building import AT, MS
from tests.counting.ledgers import IN_SESSION, SECOND, OneCall, calls

from otel_sessions.counting.facts import Call, SpanFacts
from otel_sessions.counting.ledger import roll_up_units
from otel_sessions.counting.related_units import RelatedUnits
from otel_sessions.counting.tokens import Usage
from otel_sessions.counting.trace import TraceRollup
from otel_sessions.counting.units import CELL_NS, as_cell, unit_of

Stored = dict[int, dict[int, SpanFacts]]


class Units:
    """Units as a store has them, rolled up step by step."""

    def __init__(self) -> None:
        self.facts: Stored = {}
        self.rolled_up: dict[int, TraceRollup | None] = {}
        self._related = RelatedUnits(self._read, self._near)

    def add(self, told: Collection[tuple[int, SpanFacts]]) -> None:
        """One commit."""
        for unit, one in told:
            self.facts.setdefault(unit, {})[one.span_id] = one
        changed = self._read({unit for unit, _ in told})
        related = self._related.of(changed, has_cells=True)
        found = roll_up_units({**related.context, **related.again, **changed}, None)
        self.rolled_up.update({unit: found[unit] for unit in (*changed, *related.again)})

    def _read(self, units: Collection[int]) -> dict[int, Collection[SpanFacts]]:
        return {unit: list(self.facts[unit].values()) for unit in sorted(units) if unit in self.facts}

    def _near(self, times: Mapping[str, tuple[int, int]]) -> set[int]:
        return {
            unit
            for unit, facts in self.facts.items()
            if as_cell(unit, facts.values()) is None
            for first, last in times.values()
            if any(one.start <= last and one.end >= first for one in facts.values())
        }


@given(truth=calls(most=8), data=st.data())
@settings(max_examples=200, deadline=None)
def test_step_by_step(truth: list[OneCall], data: st.DataObject) -> None:
    """Each step leaves every unit as it is when all units are rolled up together."""
    told = [one for call in truth for one in call.told()]
    sent = data.draw(st.permutations(told))
    units = Units()
    while sent:
        size = data.draw(st.integers(1, 4))
        units.add(sent[:size])
        sent = sent[size:]
    everything = {unit: facts.values() for unit, facts in units.facts.items()}
    assert units.rolled_up == roll_up_units(everything, None)


def test_a_cell_knows_what_the_one_before_it_took() -> None:
    """A record that the cell before counts stays there when the cell after changes."""
    border = (AT // CELL_NS + 2) * CELL_NS
    usage = Usage(10, 2)

    def record(number: int, end: int, event: str) -> tuple[int, SpanFacts]:
        call = Call(usage, "m-1", is_request=True)
        facts = SpanFacts(
            number,
            None,
            end,
            end,
            failed=False,
            kind="llm",
            scope="agent",
            name=event,
            values=IN_SESSION,
            call=call,
            event=event,
        )
        return unit_of(facts), facts

    units = Units()
    units.add([record(1, border - 2 * MS, "answered"), record(2, border + 2 * MS, "details")])
    units.add([record(3, border + CELL_NS + 60 * SECOND, "answered")])
    counts = [0 if one is None else one.whole.totals.call_count for one in units.rolled_up.values()]
    assert sum(counts) == 2
