"""`SetAside`: the files of requests and segments that a person has to look at."""

from __future__ import annotations

import logging
from collections import Counter
from pathlib import Path
from typing import Final

from otel_sessions.server.signals import SIGNALS
from otel_sessions.server.wal.disk import replace_file
from otel_sessions.server.wal.salvage import Salvaged
from otel_sessions.server.wal.segments import DAMAGED, move_aside

logger: Final = logging.getLogger("otel_sessions.server.ingest")

REFUSED: Final = ".refused"
"""At the end of the names of files with a request that cannot be stored."""


class SetAside:
    """Keeps what cannot be stored in files beside the log, so that it holds up nothing else, and counts these files.

    Attributes:
        count: how many requests are in files.
        damaged: how many segments are in files, because they were damaged.
    """

    def __init__(self, folder: Path) -> None:
        """Count what earlier processes left in a folder."""
        self._folder = folder
        self._mine: set[Path] = set()
        self.count = len(refused_files(folder))
        self.damaged = len(damaged_segments(folder))

    def keep(self, number: int, signal: str, payload: bytes) -> None:
        """Write a request of the segment with this number to a file of its own.

        A process that died before the segment was deleted may have kept it already; it is not kept twice.

        Raises:
            OSError: it cannot be written now.
        """
        place = 1
        while True:
            path = self._folder / f"{number:012d}-{place}.{signal}{REFUSED}"
            if not path.exists():
                # On the disk, since the segment that has the request too is deleted next.
                replace_file(path, payload)
                self.count += 1
                break
            if path not in self._mine and path.read_bytes() == payload:
                break
            place += 1
        self._mine.add(path)
        logger.error(
            "a request of %d bytes cannot be stored; it is kept in %s, and `otel-sessions retry-refused` tries it again",
            len(payload),
            path,
        )

    def keep_damaged(self, number: int, signal: str, salvaged: Salvaged) -> None:
        """Keep the files of a segment of which all that can be read is stored.

        Raises:
            OSError: they cannot be moved now.
        """
        path = move_aside(self._folder, number, signal)
        self.damaged = len(damaged_segments(self._folder))
        logger.error(
            "segment %d of the log of requests is damaged: %d requests could be read, %d or more are lost; the files are "
            "kept as %s*",
            number,
            len(salvaged.requests),
            salvaged.lost,
            path,
        )


def refused_files(folder: Path) -> list[Path]:
    """The files of requests that cannot be stored, in the order in which they were acknowledged."""
    return sorted(path for signal in SIGNALS for path in folder.glob(f"*.{signal}{REFUSED}") if path.is_file())


def damaged_segments(folder: Path) -> Counter[str]:
    """The segments whose files are kept because they are damaged, as numbers in names of files."""
    return Counter(path.name.partition(".")[0] for path in folder.glob(f"*{DAMAGED}"))
