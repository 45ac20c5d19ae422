"""Something is done again and again on a thread, until it is stopped."""

from __future__ import annotations

import threading

from otel_sessions.server.process.periodic_thread import PeriodicThread


def test_it_runs_at_the_start_and_after_every_pause() -> None:
    """Calls follow one another on one thread, which has the given name."""
    threads: list[str] = []
    enough = threading.Event()

    def run_once() -> None:
        threads.append(threading.current_thread().name)
        if len(threads) == 3:
            enough.set()

    periodic = PeriodicThread(run_once, name="otel-sessions-test", pause_seconds=0)
    periodic.start()
    assert enough.wait(30)
    assert periodic.stop(30)
    assert set(threads) == {"otel-sessions-test"}


def test_stopping_ends_the_pause() -> None:
    """A server that stops does not wait until the pause is over."""
    done = threading.Event()
    periodic = PeriodicThread(done.set, name="otel-sessions-test", pause_seconds=3600)
    periodic.start()
    assert done.wait(30)
    assert periodic.stop(30)


def test_a_call_under_way_is_waited_for() -> None:
    """Stopping waits for the call at most as long as it is told, then returns without it."""
    begun, may_end = threading.Event(), threading.Event()

    def run_once() -> None:
        begun.set()
        assert may_end.wait(30)

    periodic = PeriodicThread(run_once, name="otel-sessions-test", pause_seconds=0)
    periodic.start()
    assert begun.wait(30)
    assert not periodic.stop(0)
    may_end.set()
    assert periodic.stop(30)


def test_one_that_never_started_is_stopped() -> None:
    """A server that fails to start stops what it had not started yet."""
    assert PeriodicThread(lambda: None, name="otel-sessions-test", pause_seconds=0).stop(0)
