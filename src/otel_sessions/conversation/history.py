"""`History`: the tree of all that was said: a path from its root is what a model was given, message by message."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

ROOT: Final = 0
_LATEST: Final = 64
"""How many of the messages that say the same are looked at."""


class History:
    """Messages as nodes of a tree, found by what they say.

    Attributes:
        parents: by node, the node before it.
        lines: by node, the index of its line; `None` for the root.
        branches: by node, the branch that it is on.
        is_tip: by node, that nothing goes on from it.
    """

    def __init__(self) -> None:
        self.parents: list[int] = [ROOT]
        self.lines: list[int | None] = [None]
        self.branches: list[int] = [0]
        self.is_tip: list[bool] = [True]
        self.depths: list[int] = [0]
        self._children: dict[tuple[int, int], int] = {}
        self._by_likeness: dict[int, list[int]] = {}

    def add(self, node: int, likeness: int, line: int, branch: int, *, beside: bool = False) -> int:
        """Let a message follow a node; its node. What is `beside` the path may be repeated or not, so that the path may end before it."""
        added = len(self.parents)
        self.parents.append(node)
        self.lines.append(line)
        self.branches.append(branch)
        self.is_tip.append(True)
        self.depths.append(self.depths[node] + 1)
        self.is_tip[node] = self.is_tip[node] and beside
        self._children.setdefault((node, likeness), added)
        self._by_likeness.setdefault(likeness, []).append(added)
        return added

    def alias(self, node: int, likeness: int, child: int) -> None:
        """Let another wording of a message lead to it."""
        self._children.setdefault((node, likeness), child)

    def follow(self, node: int, likenesses: Sequence[int], start: int = 0) -> tuple[int, int]:
        """Where messages lead from a node, from the one at `start` on, and at which of them the known path ends."""
        children = self._children
        for place in range(start, len(likenesses)):
            child = children.get((node, likenesses[place]))
            if child is None:
                return node, place
            node = child
        return node, len(likenesses)

    def occurrences(self, likeness: int) -> Iterator[int]:
        """The latest messages that say this, the last one first."""
        return iter(self._by_likeness.get(likeness, ())[: -_LATEST - 1 : -1])

    def is_above(self, node: int, other: int) -> bool:
        """Return True if a node is on the path to another one."""
        while self.depths[other] > self.depths[node]:
            other = self.parents[other]
        return node == other

    def above(self, node: int, count: int) -> int:
        """The node this many messages before another one."""
        for _ in range(count):
            node = self.parents[node]
        return node
