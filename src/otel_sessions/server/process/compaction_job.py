"""`CompactionJob`: merges the parts of tables while nothing is committed, so that lists are fastest."""

from __future__ import annotations

import logging
from typing import Final, Protocol

logger: Final = logging.getLogger("otel_sessions.server")

PAUSE_SECONDS: Final = 15.0
"""Between two runs: ingest counts as quiet if it committed nothing for that long."""

STOP_SECONDS: Final = 30.0


class Compactable(Protocol):
    """The part of a backend that a compaction job uses."""

    @property
    def commits(self) -> int:
        """The number of commits so far."""
        ...

    def compact(self) -> bool:
        """Merge the parts of tables that have many; return False if none has."""
        ...


class CompactionJob:
    """Compacts once per quiet period: merging then takes nothing from ingest."""

    def __init__(self, backend: Compactable) -> None:
        self._backend = backend
        self._seen: int | None = None
        self._compacted: int | None = None

    def run_once(self) -> None:
        """Compact if nothing was committed since the last run, unless that was done already. A failure is logged."""
        commits = self._backend.commits
        is_quiet = commits == self._seen
        self._seen = commits
        if not is_quiet or commits == self._compacted:
            return
        self._compacted = commits
        try:
            if self._backend.compact():
                logger.info("merged the parts of the tables")
        except Exception as error:
            logger.warning("the tables could not be merged: %s", error)
