"""The calls of a session, by page: what its totals are made of, and what was left out."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import NamedTuple

from otel_sessions.attributes import ID_KEY
from otel_sessions.counting.cache_use import CacheUse
from otel_sessions.counting.ledger import Unit, resolve_units
from otel_sessions.counting.membership import Pair
from otel_sessions.counting.model_call import ModelCall, judge, list_calls, listed_ids
from otel_sessions.counting.prices.pricer import Pricer
from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.projections.group_json import from_json
from otel_sessions.server.projections.session_row import id_hash
from otel_sessions.server.projections.stored_units import related_units
from otel_sessions.server.projections.trace_facts import facts_of, has_cells
from otel_sessions.server.queries.resolved_sessions import ResolvedSession, ResolvedSessions
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
    kept: ResolvedSessions | None = None,
) -> CallPage | None:
    """A page of a session's calls: trace by trace in the order of their start in the session, then by start.

    Args:
        store: where the facts are.
        session_id: the id of the session.
        key: its session key.
        limit: how many entries at most.
        offset: how many to skip.
        pricer: the cost of calls that do not report one, as when they were stored.
        kept: what earlier pages were made of.

    Returns:
        The page; `None` if there is no such session.
    """
    parameters = {"key": key, "hash": id_hash(session_id), "limit": limit, "offset": offset}
    finished = None if kept is None else kept.finished_version()
    with store.reading() as client:
        units = client.query(statement("units_of_call_page"), parameters=parameters).result_rows
    if not units:
        return None
    _, _, _, total, newest, state = units[0]
    wanted = [
        unit
        for unit, listed, before, *_ in units
        if total is None or (before + listed > offset and before < offset + limit)
    ]
    if not wanted:
        return CallPage([], int(total or 0))
    session = (key, session_id)
    known = ResolvedSession(state, {}, {}) if kept is None else kept.get(session, state)
    resolved = _resolved(store, wanted, session, pricer, known)
    # A change under way writes trace groups before facts, so what was read may be older than the state.
    if kept is not None and finished is not None and newest <= finished and resolved is not known:
        kept.keep(session, resolved)
    ids = [(unit, id_) for unit in wanted for id_ in _listed(resolved.units.get(unit), session)]
    skipped = offset if total is None else offset - next(before for unit, _, before, *_ in units if unit == wanted[0])
    page: dict[int, set[int]] = {}
    for unit, id_ in ids[skipped : skipped + limit]:
        page.setdefault(unit, set()).add(id_)
    calls = [call for unit, only in page.items() for call in _calls(resolved, unit, only, session)]
    return CallPage(calls, len(ids) if total is None else int(total))


def _cache_uses(store: Store, session: Pair) -> Iterator[CacheUse]:
    """What all calls of a session did with the caches of providers: each is judged by the one before it."""
    parameters = {"key": session[0], "hash": id_hash(session[1])}
    with store.reading() as client:
        rows = client.query(statement("contents_of_session"), parameters=parameters).result_rows
    for (written,) in rows:
        yield from from_json(written).cache


def _resolved(
    store: Store, units: list[int], session: Pair, pricer: Pricer | None, known: ResolvedSession
) -> ResolvedSession:
    """The session with these units resolved; the same object if they are already."""
    missing = [unit for unit in units if unit not in known.units]
    if not missing:
        return known
    facts = facts_of(store, missing)
    related = related_units(store).of(facts, has_cells=has_cells(store))
    found = resolve_units({**facts, **related.again, **related.context}, pricer)
    nothing = Unit(0, None, None)
    more = {unit: found.get(unit, nothing) for unit in missing}
    return ResolvedSession(known.state, known.judged or judge(_cache_uses(store, session)), {**known.units, **more})


def _listed(unit: Unit | None, session: Pair) -> list[int]:
    return [] if unit is None or unit.resolved is None else listed_ids(unit.resolved, session)


def _calls(resolved: ResolvedSession, unit: int, only: Collection[int], session: Pair) -> list[ModelCall]:
    """Some entries of a trace or cell, in their order."""
    one = resolved.units[unit]
    assert one.resolved is not None
    return list_calls(unit, one.resolved, session, resolved.judged, is_cell=one.cell is not None, only=only)
