"""Units of a store that belong to others: `related_units`, by its own tables or others of the same columns, and `adopted_cells`."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import partial
from typing import Final

from otel_sessions.counting.ledger import cells_of_trace
from otel_sessions.counting.related_units import RelatedUnits, Units
from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.clickhouse.columns import FACTS, GROUPS
from otel_sessions.server.projections.statements import statement
from otel_sessions.server.projections.trace_facts import TRACES_PER_QUERY, chunks, facts_of, has_cells
from otel_sessions.server.projections.trace_groups import traces_near

CELLS_AT_ONCE: Final = 4_000


def related_units(store: Store, *, facts: str = FACTS, groups: str = GROUPS) -> RelatedUnits:
    """The related units of a store.

    Args:
        store: where they are.
        facts: `trace_facts`, or a table of the same columns.
        groups: the same of `session_traces`.
    """

    def read(units: Collection[int]) -> Units:
        return facts_of(store, sorted(units), table=facts)

    return RelatedUnits(read, partial(traces_near, store, table=groups))


def adopted_cells(store: Store, traces: Sequence[int]) -> list[tuple[int, int]]:
    """The cells near some traces, of which some may have all log records counted in these, so that no trace group leads to them."""
    if not has_cells(store):
        return []
    found: dict[int, int] = {}
    for some in chunks(traces, TRACES_PER_QUERY):
        units: set[int] = set()
        for facts in facts_of(store, some).values():
            units |= {cell.unit for cell in cells_of_trace(facts)}
        for near in chunks(sorted(units.difference(traces, found)), CELLS_AT_ONCE):
            with store.reading() as client:
                rows = client.query(statement("stored_cells"), parameters={"units": near}).result_rows
            found.update((unit, count) for unit, count in rows)
    return sorted(found.items())
