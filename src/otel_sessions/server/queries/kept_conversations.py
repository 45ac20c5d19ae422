"""`KeptConversations`: the lines of conversations, kept until their session changes, so that pages help each other."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Final, NamedTuple

from otel_sessions.conversation.lines import Line
from otel_sessions.counting.membership import Pair
from otel_sessions.server.projections.contents import Owner

DEFAULT_LINES: Final = 250_000
"""About 150 MB."""


class Conversation(NamedTuple):
    """The conversation of a session in one state.

    Attributes:
        state: of its trace groups; differs whenever one of them does.
        lines: its messages.
        owners: whose messages these are.
    """

    state: int
    lines: list[Line]
    owners: list[Owner]


class KeptConversations:
    """A cache of conversations; the one that was used least recently is dropped first. Thread safe."""

    def __init__(self, *, lines: int = DEFAULT_LINES) -> None:
        """Keep conversations with this number of lines together."""
        self._bound = lines
        self._size = 0
        self._kept: OrderedDict[Pair, Conversation] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, session: Pair, state: int) -> Conversation | None:
        """The conversation of a session in this state; `None` if it is not kept."""
        with self._lock:
            kept = self._kept.get(session)
            if kept is None or kept.state != state:
                return None
            self._kept.move_to_end(session)
            return kept

    def keep(self, session: Pair, conversation: Conversation) -> None:
        """Keep a conversation in place of what is kept of its session."""
        with self._lock:
            before = self._kept.pop(session, None)
            self._size += _size(conversation) - (0 if before is None else _size(before))
            self._kept[session] = conversation
            while self._size > self._bound:
                _, dropped = self._kept.popitem(last=False)
                self._size -= _size(dropped)


def _size(conversation: Conversation) -> int:
    return len(conversation.lines) + len(conversation.owners)
