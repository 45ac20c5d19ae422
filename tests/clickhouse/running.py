"""A real ClickHouse server in a process of its own.

No registry has a package of today's ClickHouse server. But the library of chDB for Node.js holds all of `clickhouse-local`, and
that has the server's own HTTP handler, which a statement starts.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest
from tests import processes
from tests.processes import ROOT

INSTALL: Final = ROOT / ".ci" / "install-clickhouse"
REQUIRE: Final = "OTEL_SESSIONS_REQUIRE_CLICKHOUSE"

_SERVE: Final = (
    "SYSTEM START LISTEN HTTP; SELECT count() FROM numbers(100000000) WHERE sleepEachRow(1) = 0 "
    "SETTINGS max_block_size = 1, function_sleep_max_microseconds_per_block = 0"
)
"""Listens, then sleeps for as long as nothing ends the process."""

_SECONDS: Final = 60.0


def library() -> Path:
    """The shared library; skips the test without it, or fails where it is required."""
    said = subprocess.run([INSTALL, "--path"], check=True, capture_output=True, text=True, timeout=60).stdout.strip()
    found = Path(said) / "node_modules/@chdb/lib-linux-x64-gnu/libchdb.so"
    if not found.exists():
        advice = (
            "the ClickHouse server is not installed: run `make clickhouse` (needs Linux on x86-64, Node.js and npm)"
        )
        if os.environ.get(REQUIRE):
            pytest.fail(f"{advice}; {REQUIRE} is set")
        pytest.skip(advice)
    return found


@contextmanager
def clickhouse(folder: Path) -> Iterator[str]:
    """A running server that keeps its data in a folder: its address, without a database."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    arguments = [f"--path={folder}", f"--http_port={port}", "--listen_host=127.0.0.1", f"--query={_SERVE}"]
    with processes.started(sys.executable, Path(__file__).with_name("main.py"), library(), *arguments) as server:
        end = time.monotonic() + _SECONDS
        while not _answers(port):
            assert server.poll() is None, server.communicate()
            assert time.monotonic() < end, "ClickHouse does not answer"
        yield f"http://default:@127.0.0.1:{port}"


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        # Nothing listens yet; wait as long as a connection attempt may take.
        time.sleep(0.05)
        return False
