"""What is wrong is collected from the parts of a server."""

from __future__ import annotations

from functools import partial

from otel_sessions.server.problems import Problem, Problems


def test_problems_come_in_the_order_of_their_checks() -> None:
    """Each check is asked every time; those that find nothing are left out."""
    problems = Problems()
    found = {"a": Problem("a", "first"), "b": Problem("b", "second", blocks=True)}
    for name in ("a", "c", "b"):
        problems.add(partial(found.get, name))
    assert problems.current() == [found["a"], found["b"]]
    found.clear()
    assert problems.current() == []
