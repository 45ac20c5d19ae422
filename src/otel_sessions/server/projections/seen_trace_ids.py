"""`KnownIds`: whether anything of a trace may be in the store, in 8 bytes each.

Most that arrive are new, and a look into the store for each would cost more than all else. An id's lower 64 bits stand
for it: two that share them cost a look for nothing, never a wrong answer.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from typing import Final

MASK: Final = (1 << 64) - 1

_LAYER: Final = 1 << 18


class KnownIds:
    """A set of ids that may answer yes too often, and never no wrongly."""

    def __init__(self, stored: array[int] | None = None) -> None:
        """Start with the sorted lower 64 bits of the stored ids."""
        self._layers: list[array[int]] = [stored] if stored else []
        self._new: set[int] = set()

    def __contains__(self, id_: int) -> bool:
        """Whether it may be known."""
        short = id_ & MASK
        return short in self._new or any(_in(layer, short) for layer in self._layers)

    def __len__(self) -> int:
        """How many are known."""
        return len(self._new) + sum(map(len, self._layers))

    def add(self, id_: int) -> None:
        """Know it from now on."""
        self._new.add(id_ & MASK)
        if len(self._new) >= _LAYER:
            self._layers.append(array("Q", sorted(self._new)))
            self._new = set()


def _in(layer: array[int], short: int) -> bool:
    place = bisect_left(layer, short)
    return place < len(layer) and layer[place] == short
