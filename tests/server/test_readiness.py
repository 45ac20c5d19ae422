"""A server is ready if a commit would succeed now."""

from __future__ import annotations

import pytest

from otel_sessions.server.clickhouse.errors import StoreAwayError, StoreError
from otel_sessions.server.problems import Problem, Problems
from otel_sessions.server.readiness import CommitReadiness


def test_a_problem_that_blocks_is_known_without_the_store() -> None:
    """The store is not asked then; other problems leave the server ready."""
    problems, written = Problems(), []
    found: list[Problem] = [Problem("small", "look at it")]
    problems.add(lambda: found[-1])
    readiness = CommitReadiness(problems, lambda: written.append(1))
    readiness.check()
    readiness.check()
    assert written == [1]
    found.append(Problem("large", "no disk", blocks=True))
    with pytest.raises(StoreAwayError, match="no disk"):
        readiness.check()


def test_a_row_that_cannot_be_written() -> None:
    """Each check tries again after a failure."""
    results: list[Exception | None] = [StoreError("full"), StoreError("full"), None]

    def write() -> None:
        error = results.pop(0)
        if error is not None:
            raise error

    readiness = CommitReadiness(Problems(), write)
    for _ in range(2):
        with pytest.raises(StoreError, match="full"):
            readiness.check()
    readiness.check()
    assert results == []
