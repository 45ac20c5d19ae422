"""A fault of the system that passes loses nothing: requests wait, the server says why, and starts and ends all the same."""

from __future__ import annotations

import secrets
import shutil
import signal
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.exporting import chat, finished
from tests.server.running import SECONDS, Server

LIMITED = (
    "-c",
    (
        "import resource, runpy; resource.setrlimit(resource.RLIMIT_FSIZE, (16384, -1));"
        "runpy.run_module('otel_sessions', run_name='__main__')"
    ),
    "serve",
)
"""A server whose files may not grow, as under a quota: small requests can be acknowledged, and large rows not stored."""


@contextmanager
def unusable(folder: Path) -> Iterator[None]:
    """While the block runs, the store can neither open nor make files."""
    parts = folder / "store"
    parts.rename(folder / "elsewhere")
    parts.touch()
    try:
        yield
    finally:
        parts.unlink()
        (folder / "elsewhere").rename(parts)


def readiness(server: Server) -> int:
    """The status of `/readyz`."""
    try:
        with urllib.request.urlopen(f"{server.url}/readyz", timeout=SECONDS) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def wait_until(is_so: Callable[[], bool]) -> None:
    """Look again and again, until the time of the test is over."""
    while not is_so():
        pass


def problems(server: Server) -> set[str]:
    """The names of the problems that `/healthz` shows."""
    return {problem["name"] for problem in server.get("/healthz")["problems"]}


def send(server: Server, *traces: int, size: int = 100) -> None:
    """Send a request of two spans for each trace."""
    for trace in traces:
        root = finished(trace, session="s", trace=trace, attributes={"text": secrets.token_urlsafe(size)})
        assert server.send([root, chat(trace + 1000, trace, trace=trace)]) == 200


def span_count(server: Server) -> int:
    """The spans of the session, as counted and as stored."""
    count = int(server.get("/v1/sessions/s")["data"]["span_count"])
    assert len(server.get("/v1/sessions/s/spans?limit=1000")["data"]) == count
    return count


def test_a_shortage_under_load(tmp_path: Path) -> None:
    """While the store cannot be used nothing is set aside, `/readyz` says no and `/healthz` why; then all is stored."""
    with Server(tmp_path) as server:
        send(server, 1, 2)
        assert span_count(server) == 4
        assert readiness(server) == 200
        with unusable(tmp_path):
            wait_until(lambda: readiness(server) == 503)
            send(server, *range(3, 20))
            wait_until(lambda: "commits_fail" in problems(server))
            send(server, *range(20, 40))
            assert readiness(server) == 503
            assert server.get("/healthz")["status"] == "degraded"
        assert span_count(server) == 78
        assert server.get("/healthz")["problems"] == []
        assert readiness(server) == 200
        status, _, err = server.stop()
    assert status == 0
    assert err.count("waits; it is tried again") == 1
    assert "commits succeed again" in err
    assert list((tmp_path / "requests").glob("*.refused")) == []


def test_a_start_that_cannot_commit_what_was_left(tmp_path: Path) -> None:
    """The server opens, takes requests and says what is wrong, ends when it is told to, and loses nothing."""
    with Server(tmp_path) as server, unusable(tmp_path):
        send(server, *range(1, 11), size=30_000)
        wait_until(lambda: "commits_fail" in problems(server))
        server.kill()
    with Server(tmp_path, program=LIMITED) as server:
        assert {"commits_fail", "replaying"} <= problems(server)
        assert readiness(server) == 503
        send(server, 11)
        status, _, err = server.stop(signal.SIGTERM)
    assert status == 0
    assert "the server starts nevertheless" in err
    with Server(tmp_path) as server:
        assert problems(server) == set()
        assert span_count(server) == 22


@pytest.mark.parametrize("lost", ["requests", "requests/next-segment"])
def test_a_lost_log_swallows_nothing(tmp_path: Path, lost: str) -> None:
    """Segments that are numbered from the beginning again are not taken for those before."""
    trace = 0
    for _ in range(2):
        with Server(tmp_path) as server:
            for _ in range(3):
                trace += 1
                send(server, trace)
                assert span_count(server) == 2 * trace
            server.stop()
        path = tmp_path / lost
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
