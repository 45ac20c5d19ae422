"""`Numbering`: the numbers of segments, and what identifies a segment in a store for ever.

Numbers order the segments of a folder. In a store they identify nothing: a folder may be lost and begin again, come back from a
backup, or be one of several that were used with a database. So every start draws an identity at random, which takes part
in what the store remembers of a segment. The file `next-segment` has the next free number, and a line for the identity of each
earlier start that segments may be left of.
"""

from __future__ import annotations

import logging
import secrets
import time
from pathlib import Path
from typing import Final

from otel_sessions.server.wal.disk import replace_file
from otel_sessions.server.wal.segments import segment_numbers

logger: Final = logging.getLogger("otel_sessions.server.ingest")

_NUMBERS_PER_START: Final = 1_000_000
"""Reserved at each start: far more than a process uses, so that no number is ever used twice in a folder."""

_RANDOM_BITS: Final = 43
_NUMBER_BITS: Final = 20
_LARGEST: Final = 1 << 64
"""Identities are a `UInt64` of ClickHouse."""


class Numbering:
    """Reserves numbers in a folder for one process.

    Attributes:
        first: the first number of this process.
    """

    def __init__(self, folder: Path, first: int = 1) -> None:
        """Read what earlier processes reserved, and choose numbers above; `reserve` writes that down."""
        self._file = folder / "next-segment"
        reserved, identities = self._read()
        left = segment_numbers(folder)
        self.first = max([first, reserved, *(number + 1 for number in left)])
        oldest = min(left, default=self.first)
        # Of the identities before the oldest segment only the last one is still needed.
        self._identities = {
            number: identity
            for number, identity in identities.items()
            if number >= max((begin for begin in identities if begin <= oldest), default=0) and number < self.first
        }
        if not left:
            self._identities.clear()
        self._identities[self.first] = secrets.randbits(_RANDOM_BITS) << _NUMBER_BITS
        self._is_reserved = False

    def reserve(self) -> None:
        """Write the reservation down, unless that is done; no segment is written before.

        Raises:
            OSError: it cannot be written.
        """
        if self._is_reserved:
            return
        lines = [str(self.first + _NUMBERS_PER_START), *(f"{n} {identity}" for n, identity in self._identities.items())]
        replace_file(self._file, "\n".join(lines).encode("ascii"))
        self._is_reserved = True

    def identity(self, number: int) -> int:
        """What identifies a segment in a store; its number, if a version wrote it that had no identities."""
        first = max((begin for begin in self._identities if begin <= number), default=None)
        return (number if first is None else self._identities[first] + number - first) % _LARGEST

    def _read(self) -> tuple[int, dict[int, int]]:
        try:
            first, *lines = self._file.read_text(encoding="ascii").split("\n")
            return int(first), {
                int(number): int(identity) for number, _, identity in (line.partition(" ") for line in lines)
            }
        except FileNotFoundError:
            return 1, {}
        except ValueError:
            # Milliseconds are always ahead of counting.
            reserved = time.time_ns() // 1_000_000
            logger.warning("%s does not hold a number; segments are numbered from %d", self._file, reserved)
            return reserved, {}
