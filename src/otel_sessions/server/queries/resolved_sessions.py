"""`ResolvedSessions`: what pages of a session's calls are made of, kept until the session changes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from otel_sessions.counting.cache_bill import Judged
from otel_sessions.counting.cache_use import CacheUse
from otel_sessions.counting.ledger import Unit
from otel_sessions.counting.membership import Pair

DEFAULT_RECORDS: Final = 50_000
"""About 120 MB: a record of a trace takes 2.3 kB."""


class ResolvedSession(NamedTuple):
    """A session in one state.

    Attributes:
        state: of its trace groups; differs whenever one of them does.
        judged: what its calls did with the caches of providers.
        units: some of its traces and cells, by id.
    """

    state: int
    judged: Mapping[CacheUse, Judged]
    units: Mapping[int, Unit]

    @property
    def size(self) -> int:
        """The number of records that it has."""
        facts = (0 if one.resolved is None else len(one.resolved.facts) for one in self.units.values())
        return len(self.judged) + sum(facts)


class ResolvedSessions:
    """A cache of sessions; the one that was used least recently is dropped first. Thread safe."""

    def __init__(self, finished_version: Callable[[], int], *, records: int = DEFAULT_RECORDS) -> None:
        """Keep sessions with this number of records together.

        Args:
            finished_version: the version of the last change of the store that is not under way any more.
            records: how many; one session that has more is not kept.
        """
        self.finished_version = finished_version
        self._bound = records
        self._size = 0
        self._sessions: OrderedDict[Pair, ResolvedSession] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, session: Pair, state: int) -> ResolvedSession:
        """The session in this state, with what is kept of it."""
        with self._lock:
            kept = self._sessions.get(session)
            if kept is None or kept.state != state:
                return ResolvedSession(state, {}, {})
            self._sessions.move_to_end(session)
            return kept

    def keep(self, session: Pair, resolved: ResolvedSession) -> None:
        """Keep a session in place of what is kept of it."""
        with self._lock:
            before = self._sessions.pop(session, None)
            self._size += resolved.size - (0 if before is None else before.size)
            self._sessions[session] = resolved
            while self._size > self._bound:
                _, dropped = self._sessions.popitem(last=False)
                self._size -= dropped.size
