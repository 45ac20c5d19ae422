"""`SeenMessages`: which messages were stored lately, so that a record that repeats them stores nothing."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import Final, NamedTuple

DEFAULT_COUNT: Final = 200_000
"""About 60 MB."""


class SeenMessage(NamedTuple):
    """A message of an owner on a day: what is stored once.

    Attributes:
        key: the session key of the owner; empty if it is a unit.
        owner: its id.
        digest: which message it is.
        day: days since the beginning of 1970 UTC. What is old is dropped by days, so a message is stored again on each.
    """

    key: str
    owner: int
    digest: int
    day: int


class SeenMessages:
    """A set that forgets what was used least recently. What it forgets is stored again, and merged by the store."""

    def __init__(self, bound: int = DEFAULT_COUNT) -> None:
        """Remember this number of messages."""
        self._bound = bound
        self._seen: OrderedDict[SeenMessage, None] = OrderedDict()

    def __contains__(self, message: SeenMessage) -> bool:
        """Return True if the message was stored; it is then used most recently."""
        if message not in self._seen:
            return False
        self._seen.move_to_end(message)
        return True

    def add(self, messages: Iterable[SeenMessage]) -> None:
        """Remember messages that are stored now."""
        for message in messages:
            self._seen[message] = None
        while len(self._seen) > self._bound:
            self._seen.popitem(last=False)

    def clear(self) -> None:
        """Forget all, after some were deleted."""
        self._seen.clear()
