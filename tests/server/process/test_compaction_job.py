"""The tables are put in order when nothing comes, once for what had come."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from otel_sessions.server.process.compaction_job import Tidier


class Backend:
    """Counts as it is told to, and notes when it is asked to tidy."""

    def __init__(self, commits: Sequence[int], *, fails: bool = False, parts: bool = True) -> None:
        self._commits = iter(commits)
        self._fails = fails
        self._parts = parts
        self.now = 0
        self.tidied: list[int] = []

    @property
    def commits(self) -> int:
        """The next number."""
        self.now = next(self._commits)
        return self.now

    def tidy(self) -> bool:
        """Note it."""
        self.tidied.append(self.now)
        if self._fails:
            raise OSError("no room")
        return self._parts


def run(backend: Backend, looks: int) -> None:
    """Look so many times."""
    waits = iter([False] * looks + [True])
    tidier = Tidier(backend, wait=lambda _: next(waits))
    tidier.start()
    tidier._thread.join(30)
    tidier.stop()


@pytest.mark.parametrize("parts", [True, False])
def test_once_after_each_quiet_spell(parts: bool) -> None:
    """Not while commits come, and not again before more have come."""
    backend = Backend([0, 3, 5, 5, 5, 6, 6, 6], parts=parts)
    run(backend, 7)
    assert backend.tidied == [5, 6]


def test_a_fault_is_said_and_forgotten(caplog: pytest.LogCaptureFixture) -> None:
    """The next quiet spell is another chance."""
    backend = Backend([0, 0, 1, 1], fails=True)
    run(backend, 3)
    assert backend.tidied == [0, 1]
    assert "could not be merged: no room" in caplog.text


def test_stopped_while_it_waits() -> None:
    """It ends at once; one that never started too."""
    backend = Backend([0, 0])
    tidier = Tidier(backend)
    tidier.stop()
    tidier = Tidier(backend)
    tidier.start()
    tidier.stop()
    assert not tidier._thread.is_alive()
