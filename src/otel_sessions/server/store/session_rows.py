"""`SessionRows`: the rows of `sessions`, kept in step with the trace groups that they add up.

A commit only notes which sessions it changed; their rows are written before they are read, many at once. So a session that
changes with every commit is not added up with every commit. Who has committed may stop at any time: what was not written
is found by the versions of rows and groups at the next start.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from otel_sessions.server.known import KnownIds
from otel_sessions.server.store.client import Store
from otel_sessions.server.store.group_rows import Pair
from otel_sessions.server.store.sql import statement, statement_with
from otel_sessions.server.store.trace_facts import chunks, last_version, numbers

EAGER: Final = 4_000
"""From so many changed sessions on rows are written at once, so that a list never waits for more."""

GROUPS_AT_ONCE: Final = 200_000
"""About so many trace groups are added up in one statement."""

YOUNG: Final = 256
"""For so many commits a session counts as young."""

_THESE: Final = "IdHash IN {hashes:Array(UInt128)}"
_SHARE: Final = "IdHash BETWEEN {first:UInt128} AND {last:UInt128}"
_HASHES: Final = 2**128


class _Step(NamedTuple):
    """Some rows to write: the query for the trace groups to add up, and its parameters."""

    groups: str
    parameters: dict[str, Any]


class SessionRows:
    """Writes the rows of sessions that changed. Its methods may be called from any thread."""

    def __init__(self, store: Store) -> None:
        """Write what an earlier process did not.

        Raises:
            StoreError: the store cannot do it.
        """
        self._store = store
        self._writing = threading.Lock()
        self._noting = threading.Lock()
        self._changed: set[Pair] = set()
        self._left: set[Pair] = set()
        self._version = 0
        catch_up(store)
        self._known = KnownIds(numbers(store, "known_sessions"))
        self._born: dict[Pair, int] = {}
        self._births: deque[tuple[int, list[Pair]]] = deque()

    def note(self, changed: Collection[Pair], left: Collection[Pair], version: int) -> int:
        """Sessions that trace groups of this version were written for, and those that lost one; how many wait now."""
        with self._noting:
            self._changed.update(changed)
            self._left.update(left)
            self._version = max(self._version, version)
            born = []
            for pair in changed:
                id_ = id_hash(pair[1])
                if id_ not in self._known:
                    self._known.add(id_)
                    born.append(pair)
            self._born.update(dict.fromkeys(born, version))
            if born:
                self._births.append((version, born))
            return len(self._changed)

    def refresh(self) -> None:
        """Write the rows of all sessions that were noted so far.

        Raises:
            StoreError: the store cannot do it; they stay noted.
        """
        with self._writing:
            self._refresh()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Write what was noted, then let none be written, because somebody else writes rows.

        Raises:
            StoreError: the store cannot do it.
        """
        with self._writing:
            self._refresh()
            yield

    def _refresh(self) -> None:
        with self._noting:
            changed, self._changed = self._changed, set()
            left, self._left = self._left, set()
            version = self._version
            while self._births and self._births[0][0] <= version - YOUNG:
                for pair in self._births.popleft()[1]:
                    del self._born[pair]
            young = {pair: self._born[pair] for pair in changed if pair in self._born}
        try:
            write_rows(self._store, changed, left, version, young=young)
        except Exception:
            self.note(changed, left, version)
            raise


def write_rows(
    store: Store,
    changed: Iterable[Pair],
    left: Iterable[Pair],
    version: int,
    *,
    young: Mapping[Pair, int] = MappingProxyType({}),
) -> None:
    """Write the rows of sessions as their trace groups are now.

    Args:
        store: where.
        changed: sessions; one that has no groups gets no row.
        left: sessions that may have none any more, so that their rows have to go.
        version: of the groups; all sessions that groups of it or before are for have to be among these, or have rows.
        young: sessions none of whose groups has a lower version than this; what is older is not looked at for these.
    """
    for parameters in _some_at_once(left):
        with store.writing() as client:
            client.command(statement_with("drop_session_rows", which=_THESE, among=_THESE), parameters=parameters)
    of_young, of_all = statement("groups_of_young_sessions"), statement_with("groups_to_add_up", which=_THESE)
    born = min(young.values(), default=0)
    steps = [_Step(of_all, parameters) for parameters in _some_at_once(pair for pair in changed if pair not in young)]
    steps += [_Step(of_young, {**parameters, "born": born}) for parameters in _some_at_once(young)]
    _write(store, steps, version)


def write_old_rows(store: Store, before: int, version: int) -> None:
    """Write the rows of all sessions that began before a moment, nanoseconds UTC, since traces of theirs are gone."""
    with store.reading() as client:
        keys = client.query(statement("old_keys"), parameters={"before": before}).result_rows
    for key, _ in keys:
        parameters = {"key": key, "before": before}
        with store.writing() as client:
            sql = statement_with("drop_session_rows", which="Created < {before:UInt64}", among="1")
            client.command(sql, parameters=parameters)
    _write(store, _shares("old_sessions", keys, {"before": before}), version)


def rewrite_rows(store: Store, version: int) -> None:
    """Write the rows of all sessions anew; `version` is of the newest groups."""
    with store.writing() as client:
        client.command(statement("clear_session_rows"))
    _write_newer(store, 0, version)


def catch_up(store: Store) -> None:
    """Write the rows of sessions that changed when nobody noted it, in a process that died for example."""
    with store.reading() as client:
        doomed = client.query(statement("count_doomed")).result_rows[0][0]
    rows, groups = _version_of_rows(store), last_version(store)
    if doomed:
        # A deletion was broken off. What it took until then is not known.
        rewrite_rows(store, groups)
        with store.writing() as client:
            client.command(statement("spare_all"))
    elif groups > rows:
        _write_newer(store, rows + 1, groups)


def id_hash(value: str) -> int:
    """`IdHash` of the session with this id."""
    return int.from_bytes(sha256(value.encode()).digest()[:16], "little")


def _write_newer(store: Store, from_: int, version: int) -> None:
    with store.reading() as client:
        keys = client.query(statement("changed_keys"), parameters={"from": from_}).result_rows
    _write(store, _shares("newer_sessions", keys, {"from": from_}), version)


def _write(store: Store, steps: Sequence[_Step], version: int) -> None:
    """Write rows in steps. Only the last has the version, so that what is broken off is found to be; see `catch_up`."""
    written = _version_of_rows(store) if len(steps) > 1 else version
    for number, step in enumerate(steps, 1):
        sql = statement_with("write_session_rows", groups=step.groups)
        with store.writing() as client:
            client.command(sql, parameters={**step.parameters, "version": version if number == len(steps) else written})


def _version_of_rows(store: Store) -> int:
    with store.reading() as client:
        return int(client.query(statement("version_of_session_rows")).result_rows[0][0])


def _shares(sessions: str, keys: Iterable[Sequence[Any]], parameters: Mapping[str, Any]) -> list[_Step]:
    """Steps for keys that have so many groups; `sessions` is the query that says which sessions."""
    groups = statement_with("groups_to_add_up", which=f"{_SHARE} AND IdHash IN ({statement(sessions)})")
    return [
        _Step(groups, {**parameters, "key": key, "first": first, "last": min(first + width, _HASHES) - 1})
        for key, count in keys
        for width in [_HASHES // (1 + count // GROUPS_AT_ONCE) + 1]
        for first in range(0, _HASHES, width)
    ]


def _some_at_once(pairs: Iterable[Pair]) -> Iterator[dict[str, Any]]:
    """Keys with hashes of ids."""
    by_key: dict[str, list[int]] = {}
    for key, value in pairs:
        by_key.setdefault(key, []).append(id_hash(value))
    for key, hashes in by_key.items():
        for some in chunks(hashes, EAGER):
            yield {"key": key, "hashes": some}
