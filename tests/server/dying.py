"""A server that kills itself inside a commit: `python dying.py insert_facts after 2 serve --store ...`.

The arguments are a method of `ClickHouseTarget` or `WriteAheadLog`, `before` or `after` for the moment, and the number of the call.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from otel_sessions.cli.main import run
from otel_sessions.server import backend


def deadly(method: Callable[..., Any], when: str, number: int) -> Callable[..., Any]:
    """The method, which kills the process at the call with this number."""
    calls = 0

    def call(*args: Any, **more: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == number and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = method(*args, **more)
        if calls == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    return call


def dying(kind: Callable[..., Any], name: str, when: str, number: int) -> Callable[..., Any]:
    """A constructor like `kind` whose objects kill the process in the method with this name."""

    def make(*args: Any, **more: Any) -> Any:
        made = kind(*args, **more)
        setattr(made, name, deadly(getattr(made, name), when, number))
        return made

    return make


if __name__ == "__main__":
    name, when, number = sys.argv[1:4]
    owner = "WriteAheadLog" if name == "delete" else "ClickHouseTarget"
    setattr(backend, owner, dying(getattr(backend, owner), name, when, int(number)))
    sys.argv[1:] = sys.argv[4:]
    run()
