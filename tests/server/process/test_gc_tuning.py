"""Garbage collection is tuned while a server runs, and as it was afterwards."""

from __future__ import annotations

import gc

import pytest

from otel_sessions.server.process.gc_tuning import collecting_rarely


class Node:
    """An object that may refer to itself."""

    def __init__(self) -> None:
        self.itself: Node | None = None


def test_collections_are_rare_within() -> None:
    """Within, only the first threshold differs and existing objects are left alone; afterwards all is as it was."""
    before, frozen = gc.get_threshold(), gc.get_freeze_count()
    with collecting_rarely(123_456):
        assert gc.get_threshold() == (123_456, *before[1:])
        assert gc.get_freeze_count() > frozen
    assert (gc.get_threshold(), gc.get_freeze_count()) == (before, frozen)


def test_an_error_ends_it_too() -> None:
    """The thresholds are restored when the server ends with an error."""
    before = gc.get_threshold()
    with pytest.raises(KeyError), collecting_rarely():
        raise KeyError
    assert gc.get_threshold() == before


def test_cycles_are_still_collected() -> None:
    """Objects that refer to one another are freed by a collection within."""
    with collecting_rarely():
        node = Node()
        node.itself = node
        del node
        assert gc.collect() >= 1
