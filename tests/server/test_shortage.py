"""A shortage that passes loses nothing: requests wait, the server says why, and starts and ends all the same.

The shortage is that files may not grow, as under a quota: the store cannot be written, but small files can.
"""

from __future__ import annotations

import resource
import secrets
import shutil
import signal
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.exporting import chat, finished
from tests.server.running import SECONDS, Server

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits of another process are set on Linux only")

FEW_BYTES = 4096
UNLIMITED = resource.RLIM_INFINITY
LIMITED = "import resource, runpy, sys; resource.setrlimit(resource.RLIMIT_FSIZE, ({0}, -1)); runpy.run_module({1!r}, run_name='__main__', alter_sys=False)"


def limit(server: Server, size: int) -> None:
    """Let the files of a server grow to this size only."""
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (size, UNLIMITED))


def readiness(server: Server) -> int:
    """The status of `/readyz`."""
    try:
        with urllib.request.urlopen(f"{server.url}/readyz", timeout=SECONDS) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def wait_until(is_so: Callable[[], bool]) -> None:
    """Look again and again."""
    while not is_so():
        pass


def problems(server: Server) -> set[str]:
    """The names of the problems that `/healthz` shows."""
    return {problem["name"] for problem in server.get("/healthz")["problems"]}


def send(server: Server, traces: range) -> None:
    """Send a request for each trace: its own bytes fit into a small file, its rows do not."""
    for trace in traces:
        spans = [finished(trace, session="s", trace=trace, attributes={"text": secrets.token_urlsafe(2000)})]
        assert server.send([*spans, chat(trace + 1000, trace, trace=trace)]) == 200


def span_count(server: Server) -> int:
    """The spans of the session, as listed and as stored."""
    count = int(server.get("/v1/sessions/s")["data"]["span_count"])
    assert len(server.get("/v1/sessions/s/spans?limit=1000")["data"]) == count
    return count


def test_a_shortage_under_load(tmp_path: Path) -> None:
    """While the store cannot be written nothing is set aside, `/readyz` says no and `/healthz` why; then all is stored."""
    with Server(tmp_path) as server:
        send(server, range(1, 3))
        assert readiness(server) == 200
        limit(server, FEW_BYTES)
        wait_until(lambda: readiness(server) == 503)
        assert problems(server) == set()
        send(server, range(3, 4))
        wait_until(lambda: "commits_fail" in problems(server))
        send(server, range(4, 5))
        assert readiness(server) == 503
        assert server.get("/healthz")["status"] == "degraded"
        limit(server, UNLIMITED)
        assert span_count(server) == 8
        assert server.get("/healthz")["problems"] == []
        assert readiness(server) == 200
        status, _, err = server.stop()
    assert status == 0
    assert err.count("waits; it is tried again") == 1
    assert "commits succeed again" in err
    assert list((tmp_path / "requests").glob("*.refused")) == []


def left_behind(folder: Path) -> None:
    """A store with a segment that was not committed: its server was killed while it could not."""
    with Server(folder) as server:
        limit(server, FEW_BYTES)
        send(server, range(1, 2))
        wait_until(lambda: "commits_fail" in problems(server))


def test_a_start_that_cannot_commit_what_was_left(tmp_path: Path) -> None:
    """The server opens, takes requests and says what is wrong, ends when it is told to, and loses nothing."""
    left_behind(tmp_path)
    program = ("-c", LIMITED.format(FEW_BYTES, "otel_sessions"), "serve")
    with Server(tmp_path, program=program) as server:
        assert {"commits_fail", "replaying"} <= problems(server)
        assert readiness(server) == 503
        send(server, range(2, 3))
        status, _, err = server.stop(signal.SIGTERM)
    assert status == 0
    assert "the server starts nevertheless" in err
    with Server(tmp_path) as server:
        assert problems(server) == set()
        assert span_count(server) == 4


@pytest.mark.parametrize("lost", ["requests", "requests/next-segment"])
def test_a_lost_log_swallows_nothing(tmp_path: Path, lost: str) -> None:
    """Segments that are numbered from the beginning again are not taken for those before."""
    trace = 0
    for _ in range(2):
        with Server(tmp_path) as server:
            for _ in range(3):
                trace += 1
                send(server, range(trace, trace + 1))
                assert span_count(server) == 2 * trace
            server.stop()
        path: Any = tmp_path / lost
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
