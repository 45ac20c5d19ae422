"""`FirstVersions`: the version of the first row of each session, in 16 bytes each.

Rows of `sessions` are sorted by it, so it must never change. Memory has it for all sessions, since a look into the store for each
session of a commit would cost more than the commit. That is safe while no other process writes, which the lock on the folder, or the
lease in the database, makes sure of; at the start it is read from the store.

The lower 64 bits of `IdHash` stand for a session. Two sessions that share them, of any keys, have the smaller version of the two, which
does no harm.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from typing import Final

_MASK: Final = (1 << 64) - 1

RUN_LENGTH: Final = 1 << 18
"""New entries are kept in a dictionary until there are this many; then they become one more sorted run, in a sixth of the memory."""


class FirstVersions:
    """The first version of each session; not thread safe."""

    def __init__(self, stored: array[int] | None = None, *, run_length: int = RUN_LENGTH) -> None:
        """Know what is stored.

        Args:
            stored: the lower 64 bits of hashes, sorted, each followed by its version.
            run_length: how many new entries are kept in a dictionary.
        """
        self._runs = [(stored[::2], stored[1::2])] if stored else []
        self._new: dict[int, int] = {}
        self._run_length = run_length

    def of(self, id_hash: int, version: int) -> int:
        """The first version of the session with this hash; from now on `version`, if it was not known."""
        short = id_hash & _MASK
        first = self._new.get(short)
        if first is not None:
            return first
        for hashes, versions in self._runs:
            place = bisect_left(hashes, short)
            if place < len(hashes) and hashes[place] == short:
                return versions[place]
        self._new[short] = version
        if len(self._new) >= self._run_length:
            run = array("Q", sorted(self._new))
            self._runs.append((run, array("Q", map(self._new.__getitem__, run))))
            self._new = {}
        return version
