"""The calls of a session, by page: what its totals are made of, and what was left out."""

from __future__ import annotations

from typing import NamedTuple

from otel_sessions.attributes import ID_KEY
from otel_sessions.counting.ledger import Unit
from otel_sessions.counting.membership import Pair
from otel_sessions.counting.model_call import ModelCall, listed_ids
from otel_sessions.counting.prices.pricer import Pricer
from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.projections.session_row import id_hash
from otel_sessions.server.queries.resolved_sessions import ResolvedSession, ResolvedSessions
from otel_sessions.server.queries.resolving import calls_of_unit, resolved_units
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
    resolved = resolved_units(store, wanted, session, pricer, known)
    # A change under way writes trace groups before facts, so what was read may be older than the state.
    if kept is not None and finished is not None and newest <= finished and resolved is not known:
        kept.keep(session, resolved)
    ids = [(unit, id_) for unit in wanted for id_ in _listed(resolved.units.get(unit), session)]
    skipped = offset if total is None else offset - next(before for unit, _, before, *_ in units if unit == wanted[0])
    page: dict[int, set[int]] = {}
    for unit, id_ in ids[skipped : skipped + limit]:
        page.setdefault(unit, set()).add(id_)
    calls = [call for unit, only in page.items() for call in calls_of_unit(resolved, unit, session, only)]
    return CallPage(calls, len(ids) if total is None else int(total))


def _listed(unit: Unit | None, session: Pair) -> list[int]:
    return [] if unit is None or unit.resolved is None else listed_ids(unit.resolved, session)
