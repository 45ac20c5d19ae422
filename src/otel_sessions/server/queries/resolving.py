"""`resolved_units`: the calls of some units of a session, resolved once for all that asks about them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from otel_sessions.counting.cache_use import CacheUse
from otel_sessions.counting.ledger import Unit, resolve_units
from otel_sessions.counting.membership import Pair
from otel_sessions.counting.model_call import ModelCall, judge, list_calls
from otel_sessions.counting.prices.pricer import Pricer
from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.projections.given_prices import GivenPrices
from otel_sessions.server.projections.group_json import from_json
from otel_sessions.server.projections.session_row import id_hash
from otel_sessions.server.projections.stored_units import related_units
from otel_sessions.server.projections.trace_facts import facts_of, has_cells
from otel_sessions.server.queries.resolved_sessions import ResolvedSession
from otel_sessions.server.queries.statements import statement


def resolved_units(
    store: Store, units: Collection[int], session: Pair, pricer: Pricer | None, known: ResolvedSession
) -> ResolvedSession:
    """The session with these units resolved; the same object if they are already.

    Args:
        store: where the facts are.
        units: traces and cells.
        session: its key and id.
        pricer: the cost of calls that do not report one, as when they were stored.
        known: what is known of the session in the state that it is in.
    """
    missing = [unit for unit in units if unit not in known.units]
    if not missing:
        return known
    facts = facts_of(store, missing)
    related = related_units(store).of(facts, has_cells=has_cells(store))
    found = resolve_units(
        {**facts, **related.again, **related.context}, pricer, pricers=_pricers(store, missing, session, pricer)
    )
    nothing = Unit(0, None, None)
    more = {unit: found.get(unit, nothing) for unit in missing}
    return ResolvedSession(known.state, known.judged or judge(_cache_uses(store, session)), {**known.units, **more})


def _pricers(store: Store, units: Collection[int], session: Pair, pricer: Pricer | None) -> Mapping[int, Pricer]:
    """By unit, the pricer as it was when the unit was counted; none if it is the one of now."""
    if not isinstance(pricer, GivenPrices) or not pricer.last_change:
        return {}
    parameters = {"key": session[0], "hash": id_hash(session[1]), "units": list(units)}
    with store.reading() as client:
        rows = client.query(statement("versions_of_units"), parameters=parameters).result_rows
    return {unit: pricer.at(version) for unit, version in rows if version < pricer.last_change}


def calls_of_unit(
    resolved: ResolvedSession, unit: int, session: Pair, only: Collection[int] | None = None
) -> list[ModelCall]:
    """The entries of a trace or cell in the session's list of calls, in their order; all, or only those of some ids."""
    one = resolved.units[unit]
    if one.resolved is None:
        return []
    return list_calls(unit, one.resolved, session, resolved.judged, is_cell=one.cell is not None, only=only)


def _cache_uses(store: Store, session: Pair) -> Iterator[CacheUse]:
    """What all calls of a session did with the caches of providers: each is judged by the one before it."""
    parameters = {"key": session[0], "hash": id_hash(session[1])}
    with store.reading() as client:
        rows = client.query(statement("contents_of_session"), parameters=parameters).result_rows
    for (written,) in rows:
        yield from from_json(written).cache
