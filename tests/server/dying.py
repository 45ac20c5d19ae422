"""A server that kills itself inside a commit: `python dying.py insert_facts after 2 serve --store ...`.

The arguments are a method of `Destination` or `RequestLog.done`, `before` or `after` its work, and which call it is.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

from otel_sessions.cli.main import run
from otel_sessions.server.ingest.commit_target import Destination
from otel_sessions.server.wal.log import RequestLog


def die(owner: type, name: str, when: str, number: int) -> None:
    """Have the process killed at this call of a method."""
    method = getattr(owner, name)
    calls = 0

    def deadly(*args: Any, **more: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == number and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = method(*args, **more)
        if calls == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(owner, name, deadly)


if __name__ == "__main__":
    name, when, number = sys.argv[1:4]
    die(RequestLog if name == "done" else Destination, name, when, int(number))
    sys.argv[1:] = sys.argv[4:]
    run()
