"""Sets of names that are shared where they are equal."""

from __future__ import annotations

from otel_sessions.counting.shared_sets import only, present


def test_a_set_of_one_name() -> None:
    """The set holds the name, is the same object for equal names, and is empty for `None`."""
    assert only("web") == {"web"}
    assert only(None) == frozenset()
    assert only("web") is only(str(b"web", "ascii"))


def test_names_that_are_there() -> None:
    """`None` is left out of a set, and one name alone gives the shared set."""
    assert present(["b", None, "a", "b"]) == {"a", "b"}
    assert present([None, "web", "web"]) is only("web")
    assert present([None]) == present([]) == frozenset()
