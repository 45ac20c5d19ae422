"""Locks and hooks in forked children."""

from __future__ import annotations

import gc
import os
import threading
import weakref
from collections.abc import Callable
from contextlib import suppress

import pytest
from tests.processes import forked

from otel_sessions.forking import ForkSafeLock, on_fork

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


class Counter:
    """Counts how often it is called."""

    def __init__(self) -> None:
        self.calls = 0

    def call(self) -> None:
        """Once more."""
        self.calls += 1


@pytest.fixture
def hooks(monkeypatch: pytest.MonkeyPatch) -> list[Callable[[], None]]:
    """The hooks that a fork would run in the child, kept here instead."""
    kept: list[Callable[[], None]] = []
    monkeypatch.setattr(os, "register_at_fork", lambda *, after_in_child: kept.append(after_in_child), raising=False)
    return kept


def test_a_hook_runs_for_as_long_as_its_object_lives(hooks: list[Callable[[], None]]) -> None:
    """The hook runs while its object lives, and does not keep it alive."""
    counter = Counter()
    on_fork(counter.call)
    hooks[0]()
    assert counter.calls == 1
    reference = weakref.ref(counter)
    del counter
    gc.collect()
    assert reference() is None
    hooks[0]()


def test_without_fork_there_are_no_hooks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Locks and hooks work on a system without fork, such as Windows."""
    monkeypatch.delattr(os, "register_at_fork", raising=False)
    counter = Counter()
    on_fork(counter.call)
    with ForkSafeLock():
        assert counter.calls == 0


def test_a_lock_that_another_thread_holds_is_free_in_the_child(hooks: list[Callable[[], None]]) -> None:
    """Another thread takes the lock in the child, although its holder in the parent never releases it."""
    lock = ForkSafeLock()
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        # It releases a lock that it never took: only in this test are parent and child one process.
        with suppress(RuntimeError), lock:
            held.set()
            done.wait()

    holder = threading.Thread(target=hold, daemon=True)
    holder.start()
    assert held.wait(60)
    hooks[0]()
    taken = threading.Event()

    def take() -> None:
        with lock, lock:
            taken.set()

    taker = threading.Thread(target=take, daemon=True)
    taker.start()
    was_free = taken.wait(20)
    done.set()
    holder.join()
    taker.join()
    assert was_free


@needs_fork
def test_a_real_child_has_a_free_lock_and_runs_its_hooks() -> None:
    """A child of `os.fork` takes the lock that its parent holds, and runs the hook."""
    counter = Counter()
    on_fork(counter.call)
    lock = ForkSafeLock()

    def child() -> bool:
        taken = threading.Event()

        def take() -> None:
            with lock:
                taken.set()

        threading.Thread(target=take).start()
        return taken.wait(20) and counter.calls == 1

    with lock:
        assert forked(child) == 0
    assert counter.calls == 0
