"""`SessionRows`: the rows of `sessions`, kept in step with the trace groups that they are folded from.

A commit only marks the sessions that it changed. Their rows are written together before a list is read, so that a session that changes
with every commit is not folded with every commit. ClickHouse folds them (`write_session_rows.sql`); while lists are being read, sessions
that began lately are folded in memory, by the library's own `SessionSum`.

A row has the version of the commit that it follows. What a process that died has marked and not written is found by that at the next start.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, Final, NamedTuple

from otel_sessions.counting.fold import SessionSum
from otel_sessions.counting.membership import Pair
from otel_sessions.counting.trace import TraceGroup
from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.clickhouse.columns import COLUMNS, SESSION_COLUMNS, SESSIONS
from otel_sessions.server.clickhouse.insert import insert_written
from otel_sessions.server.projections.first_versions import FirstVersions
from otel_sessions.server.projections.recent_sessions import RecentSessions
from otel_sessions.server.projections.session_row import id_hash, session_row
from otel_sessions.server.projections.statements import statement
from otel_sessions.server.projections.trace_facts import chunks, last_version, numbers

FLUSH_AT: Final = 4_000
"""With this many marked sessions their rows are written at once, so that a list never waits for more."""

SESSIONS_AT_ONCE: Final = 4_000
"""How many sessions one statement is about."""

GROUPS_AT_ONCE: Final = 200_000
"""About how many trace groups one statement is about, where the sessions were found with the number of theirs: few statements make few
parts."""

LIST_WINDOW: Final = 64
"""For this many commits after a list another one is expected."""


class _Named(NamedTuple):
    """A session as statements name it."""

    key: str
    hash: int
    first_version: int


class SessionRows:
    """Writes the rows of sessions that changed. Its methods may be called from any thread.

    Two locks: `_writing` is held while rows are written, `_marking` for moments. A thread that holds both took `_writing` first.
    """

    def __init__(
        self,
        store: Store,
        *,
        recent: RecentSessions | None = None,
        may_write: Callable[[], object] = lambda: None,
        list_window: int = LIST_WINDOW,
        sessions_at_once: int = SESSIONS_AT_ONCE,
        groups_at_once: int = GROUPS_AT_ONCE,
    ) -> None:
        """Write the rows that an earlier process did not.

        Args:
            store: where the rows are.
            recent: sessions that are folded in memory.
            may_write: called before marked rows are written; raises `StoreAwayError` if nothing may be written now.
            list_window: for how many commits after a list these are kept.
            sessions_at_once: how many marked sessions one statement is about.
            groups_at_once: about how many trace groups, of sessions that an earlier process marked.

        Raises:
            StoreError: the store cannot do it.
        """
        self._store = store
        self._may_write = may_write
        self._writing = threading.RLock()
        self._marking = threading.Lock()
        self._changed: dict[Pair, _Named] = {}
        self._lost: set[Pair] = set()
        self._recent = RecentSessions() if recent is None else recent
        self._list_window = list_window
        self._sessions_at_once = sessions_at_once
        self._groups_at_once = groups_at_once
        self._last_list: int | None = None
        self._may_have_names = _has_names(store)
        _add_missing_columns(store)
        self._first_versions = FirstVersions(numbers(store, statement("first_versions")))
        self._version = last_version(store)
        self._catch_up()

    def mark_changed(self, written: Iterable[TraceGroup], lost: Iterable[Pair], version: int) -> int:
        """Note that a commit or a deletion changes sessions; return how many are marked now.

        Args:
            written: the trace groups that were written.
            lost: sessions that lose a trace group; one without any loses its row.
            version: of the change.
        """
        with self._marking:
            if self._last_list is not None and version > self._last_list + self._list_window:
                self._last_list = None
                self._recent.clear()
            # Kept groups cost the garbage collector time, a tenth of what a server that only takes spans can do.
            keep = self._last_list is not None
            for group in written:
                named = self._mark((group.key, group.value), version)
                if keep:
                    self._recent.add(group, is_new=named.first_version == version)
            for session in lost:
                self._mark(session, version)
                self._lost.add(session)
                self._recent.forget(session)
            self._recent.trim()
            self._version = version
            return len(self._changed)

    def mark_renamed(self, session: Pair, version: int) -> None:
        """Note that a session was given a name.

        Args:
            session: its key and id.
            version: of the change.
        """
        with self._marking:
            self._may_have_names = True
            self._mark(session, version)
            # A name that was given is looked up in the store.
            self._recent.forget(session)
            self._version = version

    def refresh(self, *, for_list: bool = False) -> None:
        """Write the rows of all sessions that are marked.

        Args:
            for_list: a list is read now, and another one probably soon.

        Raises:
            StoreError: the store cannot do it; the sessions stay marked.
        """
        if for_list:
            with self._marking:
                self._last_list = self._version
        with self._writing:
            self._write_marked()

    @contextmanager
    def paused(self, *, write_first: bool = True) -> Iterator[None]:
        """Let only the caller's thread write rows, until the block ends.

        Args:
            write_first: write the rows that are marked before the block; without it they stay marked.

        Raises:
            StoreError: the store cannot write rows.
        """
        with self._writing:
            if write_first:
                self._write_marked()
            try:
                yield
            finally:
                with self._marking:
                    self._recent.clear()

    def rewrite_older(self, before: int, version: int) -> None:
        """Write the rows of all sessions that began before a moment, as their trace groups are now; call it inside `paused`.

        Args:
            before: nanoseconds UTC.
            version: of the change.
        """
        self._write(self._found("sessions_before", {"before": before}, version), version)

    def _mark(self, session: Pair, version: int) -> _Named:
        named = self._changed.get(session)
        if named is None:
            hash_ = id_hash(session[1])
            named = self._changed[session] = _Named(session[0], hash_, self._first_versions.of(hash_, version))
        return named

    def _write_marked(self) -> None:
        with self._marking:
            changed, self._changed = self._changed, {}
            lost, self._lost = self._lost, set()
            recent = {session: groups for session in changed if (groups := self._recent.groups_of(session))}
            version = self._version
        with ExitStack() as unwritten:
            unwritten.callback(self._mark_again, changed, lost)
            if changed:
                self._may_write()
            self._drop_lost([changed[session] for session in lost])
            stored = (named for session, named in changed.items() if session not in recent)
            rows = [
                session_row(_folded(session, groups), version=version, first_version=changed[session].first_version)
                for session, groups in recent.items()
            ]
            self._write(chunks(stored, self._sessions_at_once), version, rows)
            unwritten.pop_all()

    def _mark_again(self, changed: dict[Pair, _Named], lost: set[Pair]) -> None:
        with self._marking:
            self._changed = {**changed, **self._changed}
            self._lost |= lost

    def _catch_up(self) -> None:
        """Write the rows of sessions that changed in a process that died before it wrote them."""
        with self._store.reading() as client:
            interrupted = [int(row[0]) for row in client.query(statement("interrupted_deletions")).result_rows]
            rows = int(client.query(statement("version_of_session_rows")).result_rows[0][0])
        if interrupted:
            # How far the deletion came is not known.
            with self._store.writing() as client:
                client.command(statement("truncate_sessions"))
        if interrupted or self._version > rows:
            since = 0 if interrupted else rows + 1
            self._write(self._found("sessions_since", {"from": since}, self._version), self._version)
        if interrupted:
            with self._store.writing() as client:
                client.command(statement("clear_deletion_queue"), parameters={"versions": interrupted})

    def _found(self, query: str, parameters: Mapping[str, int], version: int) -> Iterator[list[_Named]]:
        """The sessions that a query finds, as many together as one statement is to be about; rows that have to go are dropped."""
        chunk: list[_Named] = []
        lost: list[_Named] = []
        groups = 0
        with self._store.reading() as client:
            found = client.query(statement(query), parameters=dict(parameters)).result_rows
        for key, hash_, group_count, lost_one in found:
            if chunk and groups + group_count > self._groups_at_once:
                yield chunk
                chunk, groups = [], 0
            named = _Named(key, hash_, self._first_versions.of(hash_, version))
            chunk.append(named)
            groups += group_count
            if lost_one:
                lost.append(named)
        self._drop_lost(lost)
        if chunk:
            yield chunk

    def _drop_lost(self, sessions: Collection[_Named]) -> None:
        """Drop the rows of those of the sessions that have no trace group any more."""
        for chunk in chunks(sessions, self._sessions_at_once):
            with self._store.writing() as client:
                client.command(statement("drop_session_rows"), parameters=_parameters(chunk))

    def _write(self, steps: Iterable[list[_Named]], version: int, rows: Collection[bytes] = ()) -> None:
        """Write rows step by step, then the given ones.

        Only the last step writes the version, the others the one that is there: so a series that breaks off is taken up by `_catch_up`.
        """
        older: int | None = None
        remaining = iter(steps)
        step = next(remaining, None)
        while step is not None:
            following = next(remaining, None)
            is_last = following is None and not rows
            if not is_last and older is None:
                older = self._version_of_rows()
            parameters = {**_parameters(step), **self._names_of(step)}
            with self._store.writing() as client:
                client.command(_write_statement(), parameters={**parameters, "version": version if is_last else older})
            step = following
        if rows:
            insert_written(self._store, SESSIONS, list(COLUMNS[SESSIONS]), list(rows))

    def _names_of(self, sessions: Iterable[_Named]) -> dict[str, Any]:
        """The names that these sessions were given by hand, as parameters."""
        rows: Sequence[Sequence[Any]] = ()
        if self._may_have_names:
            with self._store.reading() as client:
                rows = client.query(statement("names_of_sessions"), parameters=_parameters(sessions)).result_rows
        return {"named": [hash_ for hash_, _ in rows], "names": [name for _, name in rows]}

    def _version_of_rows(self) -> int:
        with self._store.reading() as client:
            return int(client.query(statement("version_of_session_rows")).result_rows[0][0])


def _write_statement() -> str:
    return statement(
        "write_session_rows",
        columns=", ".join(column.name for column in SESSION_COLUMNS),
        values=",\n    ".join(column.combined for column in SESSION_COLUMNS),
    )


def _add_missing_columns(store: Store) -> None:
    """Add the columns of measures and facets that are newer than the table; all rows are then written again."""
    with store.reading() as client:
        there = {row[0] for row in client.query(statement("session_columns")).result_rows}
    missing = [column for column in SESSION_COLUMNS if column.name not in there]
    for column in missing:
        sql = statement("add_session_column", column=column.name, type=column.type, codec=column.codec)
        with store.writing() as client:
            client.command(sql)
    if missing:
        truncate_session_rows(store)


def truncate_session_rows(store: Store) -> None:
    """Leave no row; the next `SessionRows` writes all."""
    with store.writing() as client:
        client.command(statement("truncate_sessions"))


def _has_names(store: Store) -> bool:
    with store.reading() as client:
        return bool(client.query(statement("has_names")).result_rows)


def _folded(session: Pair, groups: Iterable[TraceGroup]) -> SessionSum:
    folded = SessionSum(*session)
    for group in groups:
        folded.add(group)
    return folded


def _parameters(sessions: Iterable[_Named]) -> dict[str, Any]:
    keys, hashes, first_versions = zip(*sessions, strict=True)
    return {"keys": list(keys), "hashes": list(hashes), "first_versions": list(first_versions)}
