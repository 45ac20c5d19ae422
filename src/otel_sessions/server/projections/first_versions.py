"""`Births`: the version with which each session was seen first, in 16 bytes each.

An id's lower 64 bits stand for it, as in `known`: two that share them are as old as the older one, which is no harm.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from typing import Final

from otel_sessions.server.projections.seen_trace_ids import MASK

_LAYER: Final = 1 << 18


class Births:
    """A version for each id, which never changes."""

    def __init__(self, stored: array[int] | None = None) -> None:
        """Start with the lower 64 bits of the stored ids, sorted, each followed by its version."""
        self._layers = [(stored[::2], stored[1::2])] if stored else []
        self._new: dict[int, int] = {}

    def of(self, id_: int, version: int) -> int:
        """The version of this id; `version` if it was not seen before."""
        short = id_ & MASK
        born = self._new.get(short)
        if born is not None:
            return born
        for ids, versions in self._layers:
            place = bisect_left(ids, short)
            if place < len(ids) and ids[place] == short:
                return versions[place]
        self._new[short] = version
        if len(self._new) >= _LAYER:
            ids = array("Q", sorted(self._new))
            self._layers.append((ids, array("Q", map(self._new.__getitem__, ids))))
            self._new = {}
        return version
