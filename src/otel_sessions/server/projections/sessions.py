"""`SessionRows`: the rows of `sessions`, kept in step with the trace groups that they add up.

A commit only notes which sessions it changed; their rows are written before they are read, many at once. So a session that
changes with every commit is not added up with every commit. Who has committed may stop at any time: what was not written
is found by the versions of rows and groups at the next start.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from otel_sessions.counting.trace import TraceGroup
from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.clickhouse.columns import COLUMNS, SESSIONS
from otel_sessions.server.clickhouse.insert import insert_written
from otel_sessions.server.projections.first_versions import Births
from otel_sessions.server.projections.group_rows import Pair
from otel_sessions.server.projections.recent_sessions import FreshSessions
from otel_sessions.server.projections.session_row import id_hash, session_row
from otel_sessions.server.projections.statements import statement
from otel_sessions.server.projections.trace_facts import chunks, last_version, numbers

EAGER: Final = 4_000
"""From so many changed sessions on rows are written at once, so that a list never waits for more."""

SESSIONS_AT_ONCE: Final = 4_000
"""So many sessions are named in one statement."""

GROUPS_AT_ONCE: Final = 200_000
"""About so many trace groups are added up in one statement."""

YOUNG: Final = 256
"""For so many commits a session counts as young."""

LISTED: Final = 64
"""So many commits after a list another one is expected."""

_HASHES: Final = 2**128


class _Step(NamedTuple):
    """Some rows to write: the query for the trace groups to add up, and its parameters."""

    groups: str
    parameters: dict[str, Any]


class SessionRows:
    """Writes the rows of sessions that changed. Its methods may be called from any thread."""

    def __init__(self, store: Store, *, fresh: FreshSessions | None = None) -> None:
        """Write what an earlier process did not.

        Args:
            store: where to.
            fresh: sessions that are added up in memory.

        Raises:
            StoreError: the store cannot do it.
        """
        self._store = store
        self._writing = threading.Lock()
        self._noting = threading.Lock()
        self._changed: dict[Pair, int] = {}
        self._left: set[Pair] = set()
        self._fresh = FreshSessions() if fresh is None else fresh
        catch_up(store)
        self._births = Births(numbers(store, statement("births", which="1")))
        self._start = self._version = last_version(store)
        self._listed: int | None = None

    def note(self, written: Iterable[TraceGroup], left: Iterable[Pair], version: int) -> int:
        """Trace groups of a new version, and the sessions that lost one; how many sessions wait now to be written."""
        with self._noting:
            if self._listed is not None and version > self._listed + LISTED:
                self._listed = None
                self._fresh.clear()
            # What is kept takes the garbage collector time: a tenth of a server's that is busy with ingest alone.
            keep = self._listed is not None
            for group in written:
                born = self._note((group.key, group.value), version)
                if keep:
                    self._fresh.add(group, is_new=born == version)
            for session in left:
                self._note(session, version)
                self._left.add(session)
                self._fresh.forget(session)
            self._fresh.trim()
            self._version = version
            return len(self._changed)

    def _note(self, session: Pair, version: int) -> int:
        born = self._changed.get(session)
        if born is None:
            born = self._changed[session] = self._births.of(_hash(session[1]), version)
        return born

    def refresh(self, *, for_list: bool = False) -> None:
        """Write the rows of all sessions that were noted so far.

        Args:
            for_list: they are read now, and probably soon again.

        Raises:
            StoreError: the store cannot do it; they stay noted.
        """
        if for_list:
            with self._noting:
                self._listed = self._version
        with self._writing:
            self._refresh()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Write what was noted, then let none be written, because somebody else writes trace groups and rows.

        Raises:
            StoreError: the store cannot do it.
        """
        with self._writing:
            self._refresh()
            try:
                yield
            finally:
                with self._noting:
                    self._fresh.clear()

    def _refresh(self) -> None:
        with self._noting:
            births, self._changed = self._changed, {}
            left, self._left = self._left, set()
            fresh = {session: groups for session in births if (groups := self._fresh.groups_of(session))}
            version = self._version
        try:
            write_rows(self._store, births, left, version, young=max(self._start, version - YOUNG), fresh=fresh)
        except Exception:
            with self._noting:
                self._changed = {**births, **self._changed}
                self._left |= left
            raise


def write_rows(
    store: Store,
    births: Mapping[Pair, int],
    left: Collection[Pair],
    version: int,
    *,
    young: int | None = None,
    fresh: Mapping[Pair, Collection[TraceGroup]] = MappingProxyType({}),
) -> None:
    """Write the rows of sessions as their trace groups are now.

    Args:
        store: where.
        births: sessions, each with the version it was born with; one that has no groups gets no row.
        left: sessions that may have none any more, so that their rows have to go.
        version: of the groups; all sessions that groups of it or before are for have to be among these, or have rows.
        young: sessions that were born after this version have no group that is older than their birth; by default none.
        fresh: the groups of some of the sessions, all that these have.
    """
    for some in chunks(left, SESSIONS_AT_ONCE):
        with store.writing() as client:
            client.command(_of_named("drop_session_rows"), parameters=_named(some))
    young = version if young is None else young
    others = [session for session in births if session not in fresh]
    steps: list[_Step] = []
    for name, sessions in (
        ("groups_of_changed_sessions", [session for session in others if births[session] <= young]),
        ("groups_of_young_sessions", [session for session in others if births[session] > young]),
    ):
        for some in chunks(sessions, SESSIONS_AT_ONCE):
            born = [births[session] for session in some]
            steps.append(_Step(_of_named(name), {**_named(some), "births": born, "born": min(born)}))
    _write(store, steps, version, more=bool(fresh))
    if fresh:
        rows = [session_row(one, groups, version=version, born=births[one]) for one, groups in fresh.items()]
        insert_written(store, SESSIONS, list(COLUMNS[SESSIONS]), rows)


def births_of(store: Store, sessions: Collection[Pair], version: int) -> dict[Pair, int]:
    """Sessions with the version that each was born with, as their rows say; this version for one that has none."""
    hashes = {pair: _hash(pair[1]) for pair in sessions}
    sql = statement("births", which="IdHash IN {hashes:Array(UInt128)}")
    born = Births(numbers(store, sql, {"hashes": list(hashes.values())}))
    return {pair: born.of(hash_, version) for pair, hash_ in hashes.items()}


def write_old_rows(store: Store, before: int, version: int) -> None:
    """Write the rows of all sessions that began before a moment, nanoseconds UTC, since traces of theirs are gone."""
    parameters = {"before": before}
    with store.reading() as client:
        keys = client.query(statement("old_keys"), parameters=parameters).result_rows
    with store.writing() as client:
        client.command(statement("drop_old_session_rows"), parameters=parameters)
    _write(store, _shares("old_sessions", keys, parameters), version)


def clear_rows(store: Store) -> None:
    """Leave no row; `catch_up` writes them anew."""
    with store.writing() as client:
        client.command(statement("clear_session_rows"))


def catch_up(store: Store) -> None:
    """Write the rows of sessions that changed when nobody noted it, in a process that died for example."""
    with store.reading() as client:
        doomed = client.query(statement("count_doomed")).result_rows[0][0]
    rows, groups = _version_of_rows(store), last_version(store)
    if doomed:
        # A deletion was broken off. What it took until then is not known.
        clear_rows(store)
        _write_newer(store, 0, groups)
        with store.writing() as client:
            client.command(statement("spare_all"))
    elif groups > rows:
        _write_newer(store, rows + 1, groups)


def _write_newer(store: Store, from_: int, version: int) -> None:
    with store.reading() as client:
        keys = client.query(statement("changed_keys"), parameters={"from": from_}).result_rows
    _write(store, _shares("newer_sessions", keys, {"from": from_}), version)


def _write(store: Store, steps: Sequence[_Step], version: int, *, more: bool = False) -> None:
    """Write rows in steps, with more to follow or not.

    Only the last has the version, so that what is broken off is found to be; see `catch_up`.
    """
    written = _version_of_rows(store) if len(steps) + more > 1 else version
    for number, step in enumerate(steps, 1):
        is_last = number == len(steps) and not more
        sql = statement("write_session_rows", groups=step.groups)
        with store.writing() as client:
            client.command(sql, parameters={**step.parameters, "version": version if is_last else written})


def _version_of_rows(store: Store) -> int:
    with store.reading() as client:
        return int(client.query(statement("version_of_session_rows")).result_rows[0][0])


def _shares(sessions: str, keys: Iterable[Sequence[Any]], parameters: Mapping[str, Any]) -> list[_Step]:
    """Steps for keys that have so many groups; `sessions` is the query that says which sessions."""
    groups = statement("groups_of_share", sessions=statement(sessions))
    return [
        _Step(groups, {**parameters, "key": key, "first": first, "last": min(first + width, _HASHES) - 1})
        for key, count in keys
        for width in [_HASHES // (1 + count // GROUPS_AT_ONCE) + 1]
        for first in range(0, _HASHES, width)
    ]


def _of_named(name: str) -> str:
    """The statement of this name; what it is about is in `_named`."""
    return statement(name, named=statement("named_sessions"))


def _named(sessions: Iterable[Pair]) -> dict[str, Any]:
    """Sessions as parameters."""
    pairs = list(sessions)
    return {"keys": [key for key, _ in pairs], "hashes": [_hash(value) for _, value in pairs]}


def _hash(value: str) -> int:
    """`IdHash` of the session with this id."""
    return int.from_bytes(id_hash(value.encode()), "little")
