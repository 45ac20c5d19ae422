"""`SessionRecords`: the calls of a session, its records that may tell of its conversation, and what was captured of them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from otel_sessions.conversation.chains import Chain, Links
from otel_sessions.conversation.lines import Member
from otel_sessions.counting.facts import SpanFacts
from otel_sessions.counting.lanes import lanes_of
from otel_sessions.counting.ledger import Unit
from otel_sessions.counting.membership import Pair
from otel_sessions.counting.model_call import ModelCall
from otel_sessions.counting.resolved import Resolved
from otel_sessions.dialects.kinds import AGENT, CALLS, HUMAN, TOOL
from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.projections.contents import OF_UNIT, Owner, owner_of
from otel_sessions.server.projections.trace_facts import chunks, facts_of, members
from otel_sessions.server.queries.resolved_sessions import ResolvedSession
from otel_sessions.server.queries.resolving import calls_of_unit
from otel_sessions.server.queries.statements import statement

UNITS_AT_ONCE: Final = 1_000

_AS_BYTES: Final = {"String": "bytes"}

_TELLING: Final = frozenset({*CALLS, TOOL, AGENT, HUMAN})


class SessionRecords(NamedTuple):
    """What a conversation is put together from.

    Attributes:
        members: the records that may tell of it.
        calls: the list of the session's calls.
        chains: what was captured of its records.
        owners: whose messages these are.
    """

    members: list[Member]
    calls: list[ModelCall]
    chains: list[Chain]
    owners: list[Owner]


def session_records(
    store: Store, units: Sequence[int], cells: Collection[int], session: Pair, resolved: ResolvedSession
) -> SessionRecords:
    """The records of a session.

    Args:
        store: where the facts and messages are.
        units: the traces and cells of the session, in the order of their start.
        cells: those in which all log records are counted in traces, so that they are not among the units.
        session: its key and id.
        resolved: the session, with these units.
    """
    found: dict[tuple[int, int], SpanFacts] = {}
    lanes: dict[tuple[int, int], str] = {}
    of_cells = [*cells]
    for unit in units:
        one = resolved.units[unit]
        if one.cell is not None or one.resolved is None:
            of_cells.append(unit)
            continue
        for facts in one.resolved.facts.values():
            if session in one.resolved.members.sessions[facts.span_id]:
                found[unit, facts.span_id] = facts
        lanes.update(((unit, id_), lane) for id_, lane in _lanes(one.resolved).items())
    # Counting leaves out records of a cell that a trace tells of too; they may say more of the conversation.
    for unit, stored in facts_of(store, of_cells).items():
        for facts in members(stored, session):
            found[unit, facts.span_id] = facts
            if facts.agent is not None:
                lanes[unit, facts.span_id] = facts.agent
        lanes.update(((unit, id_), lane) for id_, lane in _counted_lanes(resolved.units.get(unit)))
    # A log record that is not counted, in a span of the session, may name no session.
    owners = {owner_of(unit, facts) for (unit, _), facts in found.items()}.union(Owner(OF_UNIT, unit) for unit in units)
    chains: list[Chain] = []
    owning: set[Owner] = set()
    for owner, chain, is_counted in _chains(store, sorted(owners), [*units, *cells]):
        if (chain.unit, chain.record if is_counted else chain.parent) in found:
            chains.append(chain)
            owning.add(owner)
    told = {(chain.unit, chain.record) for chain in chains}
    ids = {id_ for _, id_ in found}
    kept = [
        Member(unit, facts, lanes.get((unit, id_)))
        for (unit, id_), facts in found.items()
        if facts.event or facts.kind in _TELLING or facts.parent_id not in ids or (unit, id_) in told
    ]
    calls = [call for unit in units for call in calls_of_unit(resolved, unit, session)]
    return SessionRecords(kept, calls, chains, sorted(owning))


def _lanes(resolved: Resolved) -> Mapping[int, str]:
    """The lanes of the spans of a trace that are not in the main one."""
    naming = [facts for facts in (*resolved.facts.values(), *resolved.adopted.values()) if facts.agent is not None]
    if not naming:
        return {}
    found = lanes_of(
        [id_ for id_, facts in resolved.facts.items() if facts.kind != AGENT], resolved.facts, resolved.skipped, naming
    )
    found.update((id_, one.lane) for id_, one in resolved.priced.items() if one.lane is not None)
    return found


def _counted_lanes(unit: Unit | None) -> Iterator[tuple[int, str]]:
    for id_, one in () if unit is None or unit.resolved is None else unit.resolved.priced.items():
        if one.lane is not None:
            yield id_, one.lane


def _chains(store: Store, owners: Sequence[Owner], units: Sequence[int]) -> Iterator[tuple[Owner, Chain, bool]]:
    """What was captured of the records of units whose messages are of these owners, after whose messages they are, and before whether they are counted."""
    for some in chunks(units, UNITS_AT_ONCE):
        parameters = {**owner_parameters(owners), "units": some}
        with store.reading() as client:
            rows = client.query(
                statement("chains_of_units"), parameters=parameters, query_formats=_AS_BYTES
            ).result_rows
        for key, owner, unit, record, parent, time, is_new, compacted, is_counted, *links in rows:
            given, answered = Links(*links[:3]), Links(*links[3:])
            chain = Chain(unit, record, parent, time, given, answered, bool(is_new), bool(compacted))
            yield Owner(key.decode(), owner), chain, bool(is_counted)


def owner_parameters(owners: Sequence[Owner]) -> dict[str, Any]:
    """The parameters that name owners."""
    return {"keys": [key for key, _ in owners], "owners": [id_ for _, id_ in owners]}
