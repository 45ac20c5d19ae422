"""`RecentSessions`: the trace groups of sessions that began lately, so that their rows are made without a look into the store."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from otel_sessions.counting.membership import Pair
from otel_sessions.counting.trace import TraceGroup

MOST_GROUPS: Final = 4_000
"""About 10 MB."""


class RecentSessions:
    """Some sessions with all of their trace groups; the one that changed least recently is forgotten first."""

    def __init__(self, most: int = MOST_GROUPS) -> None:
        """Keep about this many trace groups."""
        self._most = most
        self._sessions: OrderedDict[Pair, dict[int, TraceGroup]] = OrderedDict()
        self._size = 0

    def add(self, group: TraceGroup, *, is_new: bool) -> None:
        """Add a trace group that was written; one of a session that is not kept only if the session is new.

        So all groups of a session that is kept are here.
        """
        session = (group.key, group.value)
        groups = self._sessions.get(session)
        if groups is None:
            if not is_new:
                return
            groups = self._sessions[session] = {}
        else:
            self._sessions.move_to_end(session)
        self._size += group.trace_id not in groups
        groups[group.trace_id] = group

    def groups_of(self, session: Pair) -> list[TraceGroup] | None:
        """All trace groups of a session; `None` if it is not kept."""
        groups = self._sessions.get(session)
        return None if groups is None else list(groups.values())

    def forget(self, session: Pair) -> None:
        """Forget a session, because it lost a trace group."""
        self._size -= len(self._sessions.pop(session, ()))

    def clear(self) -> None:
        """Forget all sessions."""
        self._sessions.clear()
        self._size = 0

    def trim(self) -> None:
        """Forget what is over the bound; call it when all groups of a commit are added, since one session may have several."""
        while self._size > self._most:
            _, groups = self._sessions.popitem(last=False)
            self._size -= len(groups)
