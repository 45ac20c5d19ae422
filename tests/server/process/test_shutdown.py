"""A server is asked to stop, by signals and otherwise."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import pytest

from otel_sessions.server.process.shutdown import SIGNALS, ShutdownSignal

TWO_SIGNALS = """
import signal, sys
from otel_sessions.server.process.shutdown import ShutdownSignal
with ShutdownSignal().on_signals():
    signal.raise_signal(signal.SIGTERM)
    print("alive", flush=True)
    signal.raise_signal(signal.SIGINT)
    print("still alive")
"""


def test_a_caller_requests() -> None:
    """A thread that waits goes on when another one requests the shutdown."""
    shutdown = ShutdownSignal()
    waiting = threading.Thread(target=shutdown.wait)
    waiting.start()
    shutdown.request()
    waiting.join(30)
    assert not waiting.is_alive()


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("inherited", [signal.SIG_DFL, signal.SIG_IGN])
def test_a_signal_requests(number: int, inherited: signal.Handlers) -> None:
    """A signal requests the shutdown, even one that was ignored before; afterwards signals do what they did before."""
    original = signal.signal(number, inherited)
    try:
        shutdown = ShutdownSignal()
        with shutdown.on_signals():
            os.kill(os.getpid(), number)
            shutdown.wait()
        assert signal.getsignal(number) == inherited
    finally:
        signal.signal(number, original)


def test_a_signal_that_another_thread_takes_requests() -> None:
    """The main thread wakes by itself to handle a signal that the system delivered to another thread."""
    shutdown = ShutdownSignal()
    too_late = threading.Event()

    def give_up() -> None:
        too_late.set()
        shutdown.request()

    def take() -> None:
        signal.pthread_kill(threading.get_ident(), signal.SIGTERM)

    # By then the main thread waits; if it does not, the signal requests the shutdown all the same.
    taking, alarm = threading.Timer(0.1, take), threading.Timer(30, give_up)
    with shutdown.on_signals():
        taking.start()
        alarm.start()
        shutdown.wait()
    alarm.cancel()
    taking.join(30)
    assert not too_late.is_set()


def test_only_the_second_signal_exits() -> None:
    """The first signal leaves the process running; the second exits with the number of that signal."""
    statuses: list[int] = []
    with ShutdownSignal(exit_now=statuses.append).on_signals():
        signal.raise_signal(signal.SIGTERM)
        assert statuses == []
        signal.raise_signal(signal.SIGINT)
    assert statuses == [128 + signal.SIGINT]


def test_a_second_signal_ends_the_process() -> None:
    """The second signal ends the process at once, with the status that shells give."""
    ran = subprocess.run([sys.executable, "-c", TWO_SIGNALS], capture_output=True, text=True, timeout=60, check=False)
    assert (ran.returncode, ran.stdout) == (128 + signal.SIGINT, "alive\n")


def test_off_the_main_thread_signals_are_left_alone() -> None:
    """A server on another thread changes no signal handler, since Python handles signals on the main thread only."""
    before = [signal.getsignal(one) for one in SIGNALS]
    seen: list[object] = []

    def elsewhere() -> None:
        with ShutdownSignal().on_signals():
            seen.extend(signal.getsignal(one) for one in SIGNALS)

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join(30)
    assert seen == before
