"""Asking a server to stop, by signals and otherwise."""

from __future__ import annotations

import os
import signal
import sys
import threading

import pytest

from otel_sessions.server.process.shutdown import SIGNALS, Stop


def test_a_caller_asks() -> None:
    """Whoever waits goes on."""
    stop = Stop()
    waiting = threading.Thread(target=stop.wait)
    waiting.start()
    stop.ask()
    waiting.join(30)
    assert not waiting.is_alive()


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_asks(number: int) -> None:
    """The main thread goes on; afterwards signals do what they did before."""
    before = [signal.getsignal(one) for one in SIGNALS]
    stop = Stop()
    with stop.on_signals():
        os.kill(os.getpid(), number)
        stop.wait()
    assert [signal.getsignal(one) for one in SIGNALS] == before


def test_a_signal_that_another_thread_takes_asks() -> None:
    """The system chooses the thread; only the main one handles signals, and does not wake by itself."""
    stop = Stop()
    main = threading.get_ident()
    too_late = threading.Event()

    def give_up() -> None:
        too_late.set()
        stop.ask()

    def take() -> None:
        while sys._current_frames()[main].f_code is not Stop.wait.__code__:
            pass
        signal.pthread_kill(threading.get_ident(), signal.SIGTERM)

    alarm = threading.Timer(30, give_up)
    alarm.start()
    with stop.on_signals():
        threading.Thread(target=take).start()
        stop.wait()
    alarm.cancel()
    assert not too_late.is_set()


def test_a_second_signal_ends_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """At once, with the status that shells give: nothing that was acknowledged needs more."""
    ended: list[int] = []
    monkeypatch.setattr(os, "_exit", ended.append)
    stop = Stop()
    with stop.on_signals():
        signal.raise_signal(signal.SIGTERM)
        assert ended == []
        signal.raise_signal(signal.SIGINT)
    assert ended == [128 + signal.SIGINT]


def test_off_the_main_thread_signals_are_left_alone() -> None:
    """Python takes signals on its main thread only."""
    before = [signal.getsignal(one) for one in SIGNALS]
    seen: list[object] = []

    def elsewhere() -> None:
        with Stop().on_signals():
            seen.extend(signal.getsignal(one) for one in SIGNALS)

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join(30)
    assert seen == before
