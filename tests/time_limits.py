"""A pytest plugin that ends a run that hangs, also where no Python code can run any more.

`timeout` in pyproject.toml fails a test that takes too long, by a signal. A signal does not reach a test that is stuck
in C code. A test that has failed may also hang in its teardown, and a thread that it left may keep the process from
ending. For these the C thread of `faulthandler` prints where every thread is and ends the process, after
`faulthandler_timeout` seconds. pytest starts that timer with each test but stops it when the test fails.
"""

from __future__ import annotations

import faulthandler
import os
import sys
from collections.abc import Generator

import pytest

_STDERR = pytest.StashKey[int]()


def pytest_configure(config: pytest.Config) -> None:
    """Keep the standard error of the run, which tests redirect."""
    assert sys.__stderr__ is not None
    config.stash[_STDERR] = os.dup(sys.__stderr__.fileno())


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None]:
    """Start the timer again for the teardown of a test, which may have failed."""
    _start_timer(item.config)
    return (yield)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Start the timer for the end of the process, which waits for threads that tests have left."""
    _start_timer(config)


def _start_timer(config: pytest.Config) -> None:
    seconds = float(config.getini("faulthandler_timeout"))
    if seconds:
        faulthandler.dump_traceback_later(seconds, file=config.stash[_STDERR], exit=True)
