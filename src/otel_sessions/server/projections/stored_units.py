"""`related_units`: the related units of a store, by its own tables or others of the same columns."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial

from otel_sessions.counting.related_units import RelatedUnits, Units
from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.clickhouse.columns import FACTS, GROUPS
from otel_sessions.server.projections.trace_facts import facts_of
from otel_sessions.server.projections.trace_groups import traces_near


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
