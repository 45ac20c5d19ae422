"""`count_beside_dropped`: count again what is kept beside what is dropped.

A trace takes log records from cells near it, and a cell from the next one (see `counting.ledger`). When one of the two is old enough to be
dropped and the other is not, the one that stays is counted as if the other had never been stored.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from otel_sessions.counting.facts import SpanFacts
from otel_sessions.counting.prices.pricer import Pricer
from otel_sessions.counting.units import CELL_NS, REACH_NS
from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.projections.changes import ChangedTrace
from otel_sessions.server.projections.projection import project
from otel_sessions.server.projections.sessions import SessionRows
from otel_sessions.server.projections.statements import statement
from otel_sessions.server.projections.stored_units import related_units
from otel_sessions.server.projections.trace_facts import chunks, facts_of, has_cells
from otel_sessions.server.projections.trace_groups import pairs_of

UNITS_AT_ONCE: Final = 1_000
_FAR: Final = REACH_NS + 2 * CELL_NS
"""How far from a moment the cells begin or end that it may separate from what they are counted with."""

_LATEST: Final = 2**64 - 1


def count_beside_dropped(store: Store, rows: SessionRows, before: int, *, version: int, pricer: Pricer | None) -> None:
    """Write the trace groups of what is kept as if everything that ended before a moment were gone; that is still stored.

    Args:
        store: where the facts are.
        rows: the rows of sessions; they are brought in step.
        before: nanoseconds UTC.
        version: of the change.
        pricer: the cost of calls that do not report one.
    """
    if not has_cells(store):
        return
    parameters = {"before": before, "first": max(0, before - _FAR), "last": min(before + _FAR, _LATEST)}
    with store.reading() as client:
        found = client.query(statement("units_at_border"), parameters=parameters).result_rows

    def stays(facts: Collection[SpanFacts]) -> bool:
        return max(span.end for span in facts) >= before

    for some in chunks((unit for (unit,) in found), UNITS_AT_ONCE):
        facts = facts_of(store, some)
        related = related_units(store).of(facts, has_cells=True)
        kept = {unit: told for unit, told in {**facts, **related.again}.items() if stays(told)}
        pairs = pairs_of(store, kept)
        changes = project(
            store,
            [ChangedTrace(unit, told, pairs.get(unit, ())) for unit, told in kept.items()],
            version,
            pricer,
            context={unit: told for unit, told in related.context.items() if stays(told)},
        )
        rows.mark_changed(changes.written, changes.lost, version)
    rows.refresh()
