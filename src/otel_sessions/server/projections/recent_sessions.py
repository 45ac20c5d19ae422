"""`FreshSessions`: the trace groups of sessions that began lately, so that their rows need no look into the store."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from otel_sessions.counting.trace import TraceGroup
from otel_sessions.server.projections.group_rows import Pair

DEFAULT_GROUPS: Final = 4_000
"""About 10 MB."""


class FreshSessions:
    """Some sessions with all of their groups; the one that was touched least recently is forgotten first."""

    def __init__(self, size: int = DEFAULT_GROUPS) -> None:
        """Keep about so many groups."""
        self._bound = size
        self._sessions: OrderedDict[Pair, dict[int, TraceGroup]] = OrderedDict()
        self._size = 0

    def add(self, group: TraceGroup, *, is_new: bool) -> None:
        """A group that was written; of a session that is not kept only if it is new, so that no group is missing."""
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
        """All groups of a session; `None` if it is not kept."""
        groups = self._sessions.get(session)
        return None if groups is None else list(groups.values())

    def forget(self, session: Pair) -> None:
        """Keep it no longer, since groups of it went."""
        self._size -= len(self._sessions.pop(session, ()))

    def clear(self) -> None:
        """Forget all."""
        self._sessions.clear()
        self._size = 0

    def trim(self) -> None:
        """Forget what is over the bound; not while groups of one commit are added, some of which it may have."""
        while self._size > self._bound:
            _, groups = self._sessions.popitem(last=False)
            self._size -= len(groups)
