"""Tables are compacted in quiet periods, once in each."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import pytest

from otel_sessions.server.process.compaction_job import CompactionJob


class Backend:
    """Reports given numbers of commits, one after the other, and notes at which of them it is compacted."""

    def __init__(self, commits: Sequence[int], *, fails: bool = False, parts: bool = True) -> None:
        self._commits = iter(commits)
        self._fails = fails
        self._parts = parts
        self._now = 0
        self.compacted: list[int] = []

    @property
    def commits(self) -> int:
        """The next number."""
        self._now = next(self._commits)
        return self._now

    def compact(self) -> bool:
        """Note the number, then do what the constructor was told."""
        self.compacted.append(self._now)
        if self._fails:
            raise OSError("no room")
        return self._parts


def run(backend: Backend, times: int) -> None:
    """Run one job several times."""
    job = CompactionJob(backend)
    for _ in range(times):
        job.run_once()


@pytest.mark.parametrize("parts", [True, False])
def test_each_quiet_period_compacts_once(parts: bool, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is compacted while commits come, nor again before more have come; only what was merged is logged."""
    backend = Backend([0, 3, 5, 5, 5, 6, 6, 6], parts=parts)
    with caplog.at_level(logging.INFO, "otel_sessions"):
        run(backend, 8)
    assert backend.compacted == [5, 6]
    assert caplog.messages == ["merged the parts of the tables"] * 2 * parts


def test_a_failure_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """A failure ends nothing: the next quiet period compacts again."""
    backend = Backend([0, 0, 1, 1], fails=True)
    run(backend, 4)
    assert backend.compacted == [0, 1]
    assert "could not be merged: no room" in caplog.text
