"""`SeenTraceIds`: whether the store may have anything of a trace, in 8 bytes each.

Most traces that arrive are new, and a look into the store for each would cost more than all else. The lower 64 bits of an id stand for
it: two ids that share them cost a look that finds nothing, never a wrong answer. Like `FirstVersions` it is read from the store at the
start, and complete while no other process writes.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from typing import Final

_MASK: Final = (1 << 64) - 1

RUN_LENGTH: Final = 1 << 18
"""New ids are kept in a set until there are this many; then they become one more sorted run, in a seventh of the memory."""


class SeenTraceIds:
    """A set of trace ids that contains all that were added, and a few others."""

    def __init__(self, stored: array[int] | None = None, *, run_length: int = RUN_LENGTH) -> None:
        """Know what is stored.

        Args:
            stored: the lower 64 bits of ids, sorted.
            run_length: how many new ids are kept in a set.
        """
        self._stored = stored or array("Q")
        self._runs: list[array[int]] = [stored] if stored else []
        self._new: set[int] = set()
        self._run_length = run_length

    def __contains__(self, trace_id: int) -> bool:
        """Return True if the id may have been added."""
        short = trace_id & _MASK
        return short in self._new or any(_contains(run, short) for run in self._runs)

    def was_stored(self, trace_id: int) -> bool:
        """Return True if the id may have been in the store at the start, so that an earlier process wrote it."""
        return _contains(self._stored, trace_id & _MASK)

    def add(self, trace_id: int) -> None:
        """Add an id."""
        self._new.add(trace_id & _MASK)
        if len(self._new) >= self._run_length:
            self._runs.append(array("Q", sorted(self._new)))
            self._new = set()


def _contains(run: array[int], short: int) -> bool:
    place = bisect_left(run, short)
    return place < len(run) and run[place] == short
