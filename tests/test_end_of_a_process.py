"""The programs of docs/end-of-a-process.md, run and ended as their users do: the last spans arrive.

The batch processor waits longer than any test takes before it sends on its own, so what arrives is what was sent at the end.
"""

from __future__ import annotations

import multiprocessing
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests import processes
from tests.otlp_http_receiver import Received, receiving

PAGE = Path(__file__).parents[1] / "docs" / "end-of-a-process.md"
PROGRAM = re.compile(r"^```python\n(# (\w+\.py)\n.*?)^```$", re.MULTILINE | re.DOTALL)
NEVER = str(10**9)
SECONDS = 60


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the programs of the page."""
    programs = PROGRAM.findall(PAGE.read_text())
    assert ["tracing.py", "service.py", "tasks.py", "imports.py", "website.py"] == [name for _, name in programs]
    for text, name in programs:
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.fixture
def received() -> Iterator[Received]:
    """What the programs send."""
    with receiving() as received:
        yield received


def environment(received: Received, **more: str) -> dict[str, str]:
    """The environment of a program that sends to the receiver, at its end only."""
    return processes.environment(
        OTEL_EXPORTER_OTLP_ENDPOINT=received.endpoint, OTEL_BSP_SCHEDULE_DELAY=NEVER, PYTHONUNBUFFERED="1", **more
    )


def line_with(process: subprocess.Popen[str], pattern: str) -> re.Match[str]:
    """Read stderr up to the line in which a pattern is found."""
    assert process.stderr is not None
    read = []
    for line in process.stderr:
        read.append(line)
        found = re.search(pattern, line)
        if found is not None:
            return found
    raise AssertionError("".join(read))


def terminated(process: subprocess.Popen[str]) -> int:
    """Send SIGTERM, and return the exit status."""
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=SECONDS)
    return process.returncode


def test_uvicorn_sends_the_last_spans_on_sigterm(folder: Path, received: Received) -> None:
    """The lifespan shuts the provider down before uvicorn ends by the signal that it got."""
    command = (sys.executable, "-m", "uvicorn", "service:app", "--port", "0")
    with processes.started(*command, env=environment(received), cwd=folder) as process:
        url = line_with(process, r"running on (http://\S+)")[1]
        urllib.request.urlopen(f"{url}/answer/ticket-1", timeout=SECONDS).close()
        assert [] == received.spans
        terminated(process)
    assert ("answer", "ticket-1") in received.spans


def test_celery_sends_the_last_spans_on_sigterm(folder: Path, received: Received) -> None:
    """Each process of a worker shuts its own provider down; the broker is a folder."""
    # The transport reads from one folder and writes into another, as the other side of a queue reads it.
    (folder / "data_in").mkdir()
    (folder / "data_out").symlink_to("data_in")
    variables = environment(received, CELERY_BROKER_URL="filesystem://")
    command = (sys.executable, "-m", "celery", "--app", "tasks", "worker", "--loglevel", "info", "--concurrency", "1")
    with processes.started(*command, env=variables, cwd=folder) as process:
        line_with(process, r"ready\.$")
        enqueue = "import tasks; tasks.answer.delay('ticket-2')"
        assert 0 == processes.run(sys.executable, "-c", enqueue, env=variables, cwd=folder).returncode
        line_with(process, r"succeeded")
        assert [] == received.spans
        assert 0 == terminated(process)
    assert [("answer", "ticket-2")] == received.spans


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="this system cannot fork")
def test_forked_children_send_their_last_spans(folder: Path, received: Received) -> None:
    """Each child has a provider of its own, which it shuts down, and is in the session of its parent."""
    process = processes.run(sys.executable, "-W", "error", "imports.py", env=environment(received), cwd=folder)
    assert (0, "") == (process.returncode, process.stderr)
    assert [("load 1", "import-7"), ("load 2", "import-7")] == sorted(received.spans)


def test_flask_debug_server_sends_each_span_at_once(folder: Path, received: Received) -> None:
    """Nothing is left to be sent when the reloader kills the process that serves."""
    command = (sys.executable, "-m", "flask", "--app", "website", "run", "--debug", "--port", "0")
    with processes.started(*command, env=environment(received), cwd=folder) as process:
        url = line_with(process, r"Running on (http://\S+)")[1]
        urllib.request.urlopen(f"{url}/answer/ticket-3", timeout=SECONDS).close()
        assert 0 == terminated(process)
    assert [("answer", "ticket-3")] == received.spans
