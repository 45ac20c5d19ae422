"""Search uses an index instead of reading all ids and names."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tests.server.building import Traces, groups_of, span, store_groups

from otel_sessions.counting.facts import Labels
from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.queries.filters import SessionFilters, conditions
from otel_sessions.server.queries.sessions import list_sessions
from otel_sessions.server.queries.statements import statement


def test_search_uses_the_index(fresh_store: Store) -> None:
    """Search finds one of a few thousand sessions without reading most of them, and finds it without the index too."""
    store = fresh_store
    some: Traces = {
        number: [span(session=f"{number * 7_919_777_777:012x}", labels=Labels(f"Order {number}"))]
        for number in range(1, 3_000)
    }
    store_groups(store, groups_of(some), version=1)
    wanted = f"{1_234 * 7_919_777_777:012x}"
    filters = SessionFilters(q=wanted[2:11].upper())
    page = list_sessions(store, filters)
    assert [one.id for one in page.sessions] == [wanted]
    where, parameters = conditions(filters)
    parts = {"columns": "IdHash", "measure": "LastActive", "after": "1", "direction": "DESC", "ties": "", "joined": ""}
    sql = "EXPLAIN indexes = 1, json = 1 " + statement("sessions_page", where=where, **parts)
    with store.writing() as client:
        (explained,) = client.query(sql, parameters={**parameters, "limit": 9, "offset": 0}).result_rows[0]
        client.command("ALTER TABLE sessions DROP INDEX idx_text", settings={"mutations_sync": 2})
    (index,) = [one for one in indexes(json.loads(explained)) if one.get("Name") == "idx_text"]
    assert index["Selected Granules"] < index["Initial Granules"] // 2
    assert list_sessions(store, filters) == page


def indexes(plan: Any) -> Iterator[dict[str, Any]]:
    """All entries about indexes in a query plan, at any depth."""
    if isinstance(plan, dict):
        yield from plan.get("Indexes", ())
        plan = list(plan.values())
    if isinstance(plan, list):
        for part in plan:
            yield from indexes(part)
