"""The calls of a session, by page: what its totals are made of, and what was left out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from otel_sessions.attributes import ID_KEY
from otel_sessions.counting.cache_use import CacheUse
from otel_sessions.counting.ledger import resolve_units
from otel_sessions.counting.model_call import ModelCall, judge, list_calls
from otel_sessions.counting.prices.pricer import Pricer
from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.projections.group_json import from_json
from otel_sessions.server.projections.session_row import id_hash
from otel_sessions.server.projections.stored_units import related_units
from otel_sessions.server.projections.trace_facts import facts_of, has_cells
from otel_sessions.server.queries.statements import statement


class CallPage(NamedTuple):
    """Some entries of a session's list of calls, and how many it has in all."""

    calls: list[ModelCall]
    total: int


def session_calls(
    store: Store,
    session_id: str,
    *,
    key: str = ID_KEY,
    limit: int = 100,
    offset: int = 0,
    pricer: Pricer | None = None,
) -> CallPage | None:
    """A page of a session's calls: trace by trace in the order of their start in the session, then by start.

    Args:
        store: where the facts are.
        session_id: the id of the session.
        key: its session key.
        limit: how many entries at most.
        offset: how many to skip.
        pricer: the cost of calls that do not report one, as when they were stored.

    Returns:
        The page; `None` if there is no such session.
    """
    parameters = {"key": key, "hash": id_hash(session_id), "limit": limit, "offset": offset}
    with store.reading() as client:
        units = client.query(statement("units_of_call_page"), parameters=parameters).result_rows
    if not units:
        return None
    total = units[0][3]
    wanted = [
        unit
        for unit, listed, before, _ in units
        if total is None or (before + listed > offset and before < offset + limit)
    ]
    if not wanted:
        return CallPage([], int(total or 0))
    calls = _calls(store, wanted, (key, session_id), pricer)
    if total is None:
        return CallPage(calls[offset : offset + limit], len(calls))
    skipped = offset - next(before for unit, _, before, _ in units if unit == wanted[0])
    return CallPage(calls[skipped : skipped + limit], int(total))


def _cache_uses(store: Store, session: tuple[str, str]) -> Iterator[CacheUse]:
    """What all calls of a session did with the caches of providers: each is judged by the one before it."""
    parameters = {"key": session[0], "hash": id_hash(session[1])}
    with store.reading() as client:
        rows = client.query(statement("contents_of_session"), parameters=parameters).result_rows
    for (written,) in rows:
        yield from from_json(written).cache


def _calls(store: Store, units: list[int], session: tuple[str, str], pricer: Pricer | None) -> list[ModelCall]:
    """All entries of some traces and cells, in their order."""
    facts = facts_of(store, units)
    related = related_units(store).of(facts, has_cells=has_cells(store))
    resolved = resolve_units({**facts, **related.again, **related.context}, pricer)
    judged = judge(_cache_uses(store, session))
    found: list[ModelCall] = []
    for unit in units:
        one = resolved.get(unit)
        if one is not None and one.resolved is not None:
            found += list_calls(unit, one.resolved, session, judged, is_cell=one.cell is not None)
    return found
