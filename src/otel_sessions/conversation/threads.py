"""`Threads`: what was said last in each lane, found fast in a call that repeats it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from otel_sessions.conversation.chains import WIDTH, Links, unpacked
from otel_sessions.conversation.history import ROOT, History

_RECENT: Final = 4
"""How many threads of a lane are compared as a whole; others are found message by message."""


class Lane:
    """Where an agent is in the conversation.

    Attributes:
        name: its name; `None` for the main agent.
        branch: the branch that it is on; `None` before its first message.
        tip: its last message.
        beside: the last answer of a tool after it that no call has repeated; `None` without one.
        replays: a call of it repeated what was said before.
        systems: the system instructions that it was given.
        system: the last of them; empty if the last call had none.
        end: when its last call ended.
        turn: the turn of its last call.
        last_line: the index of its last line.
    """

    def __init__(self, name: str | None) -> None:
        self.name = name
        self.branch: int | None = None
        self.tip = ROOT
        self.beside: int | None = None
        self.replays = False
        self.systems: set[bytes] = set()
        self.system = b""
        self.end = 0
        self.turn = -1
        self.last_line: int | None = None
        self._recent: dict[int, bytearray] = {}

    def known(self, history: History, links: Links) -> tuple[int, int]:
        """The last known message on the path that links go from the beginning, and how many of them are known."""
        given = links.likenesses
        best, length = ROOT, 0
        for node, said in self._recent.items():
            if length < len(said) <= len(given) and given[: len(said)] == said:
                best, length = node, len(said)
        if best == ROOT:
            for node, said in self._recent.items():
                shared = _shared(given, said)
                if length < shared:
                    best, length = history.above(node, (len(said) - shared) // WIDTH), shared
        node, place = history.follow(best, unpacked(given[length:]))
        return node, length // WIDTH + place

    def move(self, node: int, branch: int, *, before: int, said: bytes, path: bytes | None) -> None:
        """Go on to a message.

        Args:
            node: the message.
            branch: which it is on.
            before: the node that the last call, or this one, went on from.
            said: what was added after it.
            path: all that leads to `before`; `None` if only the thread itself knows.
        """
        known = self._recent.pop(before, None)
        if known is None and path is not None:
            known = bytearray(path)
        if known is not None:
            known += said
            self._recent[node] = known
            while len(self._recent) > _RECENT:
                del self._recent[next(iter(self._recent))]
        self.tip, self.branch, self.beside = node, branch, None


def _shared(one: bytes, other: bytearray) -> int:
    """The length of what two histories begin with alike."""
    low, high = 0, min(len(one), len(other)) // WIDTH
    while low < high:
        middle = (low + high + 1) // 2
        if one[low * WIDTH : middle * WIDTH] == other[low * WIDTH : middle * WIDTH]:
            low = middle
        else:
            high = middle - 1
    return low * WIDTH


def run_of(
    history: History, lanes: Sequence[str | None], lane: str | None, likenesses: Sequence[int], start: int
) -> tuple[int, int]:
    """The longest known run of messages from `start` on, wherever it begins in a lane: its last node, and its length.

    All messages from the beginning on is not meant, which `Lane.known` finds.
    """
    best, longest = ROOT, 0
    for first in history.occurrences(likenesses[start]):
        if lanes[history.branches[first]] != lane or (start == 0 and history.parents[first] == ROOT):
            continue
        node, end = history.follow(first, likenesses, start + 1)
        length = end - start
        if length > longest or (length == longest and history.is_tip[node] and not history.is_tip[best]):
            best, longest = node, length
    return best, longest
