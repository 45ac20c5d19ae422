"""`recompute`: price what is counted already again, by the prices of now, in parts between which everything else goes on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal
from typing import Any, Final, NamedTuple

from otel_sessions.counting.membership import Pair
from otel_sessions.counting.prices.pricer import Pricer
from otel_sessions.counting.trace import TraceGroup
from otel_sessions.money import money_sum
from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.projections.changes import ChangedTrace
from otel_sessions.server.projections.delete import Changing, units_of
from otel_sessions.server.projections.projection import project
from otel_sessions.server.projections.sessions import SessionRows
from otel_sessions.server.projections.statements import statement
from otel_sessions.server.projections.stored_units import related_units
from otel_sessions.server.projections.trace_facts import facts_of, has_cells
from otel_sessions.server.projections.unassigned import NO_KEY

UNITS_AT_ONCE: Final = 500
"""How many traces and cells hold up commits together."""


class Scope(NamedTuple):
    """What is priced again.

    Attributes:
        session: the key and id of one session; `None` for all.
        since: only traces that went on at or after this time, nanoseconds UTC.
    """

    session: Pair | None = None
    since: int = 0


class KeyCosts(NamedTuple):
    """What the sessions of one key cost, as far as they are in some traces.

    Attributes:
        before: USD before; `None` if no call had a price.
        after: USD after.
        unpriced_before: calls without a price before.
        unpriced_after: those without one after.
    """

    before: Decimal | None
    after: Decimal | None
    unpriced_before: int
    unpriced_after: int


def added(costs: Mapping[str, KeyCosts], more: Mapping[str, KeyCosts]) -> dict[str, KeyCosts]:
    """The costs of two parts together."""
    found = dict(costs)
    for key, new in more.items():
        old = found.get(key, KeyCosts(None, None, 0, 0))
        found[key] = KeyCosts(
            _sum((old.before, new.before)),
            _sum((old.after, new.after)),
            old.unpriced_before + new.unpriced_before,
            old.unpriced_after + new.unpriced_after,
        )
    return found


class Part(NamedTuple):
    """A part of what is priced again.

    Attributes:
        last: the greatest id of its units; `None` if there was nothing left.
        units: how many traces and cells it has.
        changed: how many of them cost something else than before.
        costs: by session key, what they cost.
        sessions: whose trace groups were written again.
    """

    last: int | None
    units: int
    changed: int
    costs: Mapping[str, KeyCosts]
    sessions: frozenset[Pair]


def count_units(store: Store, scope: Scope) -> int:
    """How many traces and cells there are to price again."""
    with store.reading() as client:
        found = client.query(statement("count_units_to_price"), parameters=_parameters(store, scope)).result_rows
    return int(found[0][0])


def recompute(
    store: Store,
    rows: SessionRows,
    scope: Scope,
    after: int,
    *,
    changing: Changing,
    pricer: Pricer | None,
    units_at_once: int = UNITS_AT_ONCE,
) -> Part:
    """Price the next part again. What was priced already comes to the same if it is priced once more.

    Args:
        store: where the facts are.
        rows: the rows of sessions, to bring them in step.
        scope: what is priced again.
        after: the greatest id of the part before, 0 for the first part.
        changing: holds up everything else that writes.
        pricer: with the prices of now.
        units_at_once: how many traces and cells a part has.
    """
    parameters = {**_parameters(store, scope), "after": after, "limit": units_at_once}
    with store.reading() as client:
        units = [row[0] for row in client.query(statement("units_to_price"), parameters=parameters).result_rows]
    if not units:
        return Part(None, 0, 0, {}, frozenset())
    with changing(()) as version:
        return _recompute(store, rows, units, version, pricer)


def _recompute(store: Store, rows: SessionRows, units: list[int], version: int, pricer: Pricer | None) -> Part:
    facts = facts_of(store, units)
    related = related_units(store).of(facts, has_cells=has_cells(store))
    before = _stored_costs(store, units)
    sessions = frozenset((key, value) for key, value, _ in before)
    # Marked before anything changes, so that a part that fails half way leaves no row behind its trace groups.
    rows.mark_changed((), sessions, version)
    stored: dict[int, set[Pair]] = {unit: set() for unit in units}
    for key, value, unit in before:
        stored[unit].add((key, value))
    changed = [ChangedTrace(unit, spans, stored[unit]) for unit, spans in facts.items()]
    written = project(store, changed, version, pricer, context={**related.again, **related.context}).written
    after = {(group.key, group.value, group.trace_id): _cost_of(group) for group in written}
    differ = {unit for key, value, unit in before.keys() | after.keys() if _differs(before, after, (key, value, unit))}
    return Part(units[-1], len(facts), len(differ), _by_key(before, after), sessions)


_Cost = tuple[Decimal | None, int]
"""USD, and how many calls have no price."""
_Costs = Mapping[tuple[str, str, int], _Cost]
"""By session key, session id and unit."""


def _stored_costs(store: Store, units: Collection[int]) -> _Costs:
    with store.reading() as client:
        found = client.query(statement("costs_of_units"), parameters={"units": units}).result_rows
    return {(key, value, unit): (cost, unpriced) for key, value, unit, cost, unpriced in found if key != NO_KEY}


def _cost_of(group: TraceGroup) -> _Cost:
    totals = group.totals
    return totals.total_cost, totals.unpriced_call_count


def _differs(before: _Costs, after: _Costs, group: tuple[str, str, int]) -> bool:
    return before.get(group) != after.get(group)


def _by_key(stored: _Costs, written: _Costs) -> dict[str, KeyCosts]:
    parts: dict[str, tuple[list[_Cost], list[_Cost]]] = defaultdict(lambda: ([], []))
    for place, costs in enumerate((stored, written)):
        for (key, _, _), cost in costs.items():
            parts[key][place].append(cost)
    return {
        key: KeyCosts(
            _sum(cost for cost, _ in before), _sum(cost for cost, _ in after), _unpriced(before), _unpriced(after)
        )
        for key, (before, after) in parts.items()
    }


def _sum(costs: Iterable[Decimal | None]) -> Decimal | None:
    return money_sum(cost for cost in costs if cost is not None)


def _unpriced(costs: Iterable[_Cost]) -> int:
    return sum(unpriced for _, unpriced in costs)


def _parameters(store: Store, scope: Scope) -> dict[str, Any]:
    only = scope.session is not None
    units = [] if scope.session is None else sorted(unit for unit, _ in units_of(store, scope.session))
    return {"since": scope.since, "only": int(only), "units": units}
