"""The demo and the agent run as their readers run them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from examples.agent import TICKETS
from examples.demo import AGENTS, number, table
from tests.processes import killed_after, killed_at_end

ROOT = Path(__file__).parents[2]
SECONDS = 120


def run(module: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A module in a process of its own, as `make demo` starts it."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    return subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        env={**clean, **environment},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


@pytest.mark.parametrize("conventions", ["", "gen_ai_latest_experimental"])
def test_the_demo_is_green(conventions: str) -> None:
    """Every ticket is in the table, every total is on the bill, every span arrived; under old and new conventions."""
    result = run("examples.demo", OTEL_SEMCONV_STABILITY_OPT_IN=conventions)

    assert result.returncode == 0, result.stdout + result.stderr
    assert all(ticket.session_id in result.stdout for ticket in TICKETS)
    assert "/v1/sessions answers:" in result.stdout
    assert "equal the bill of the server" in result.stdout
    assert "spans arrived at the OTLP receiver" in result.stdout
    assert result.stderr == ""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_demo_stays_when_asked_to(number: int) -> None:
    """The server that it started answers until the demo is ended, and ends with it; also as a background job of a shell."""
    ignoring_interrupts = ["sh", "-c", 'trap "" INT; exec "$@"', "sh"]
    command = [*ignoring_interrupts, sys.executable, "-m", "examples.demo", "--stay"]
    started = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    with killed_at_end(started) as demo, killed_after(SECONDS, demo):
        assert demo.stdout is not None
        url = next(line.split()[3] for line in demo.stdout if line.startswith("It stays at "))
        with urllib.request.urlopen(f"{url}/v1/sessions", timeout=30) as response:
            assert len(json.load(response)["data"]) == len(TICKETS)
        demo.send_signal(number)
        _, err = demo.communicate()
        assert (demo.returncode, err) == (0, "")
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(url, timeout=30)


@pytest.mark.parametrize("names", [[], ["openinference"]])
def test_the_agent_runs_by_itself(names: list[str]) -> None:
    """`python -m examples.agent`, with the default instrumentations and with chosen ones."""
    result = run("examples.agent", *names)

    assert result.returncode == 0, result.stdout + result.stderr
    assert all(ticket.session_id in result.stdout for ticket in TICKETS)
    assert "please ask again (500)" in result.stdout
    assert result.stderr == ""


def test_every_ticket_has_its_agent() -> None:
    """The demo works all tickets, with both kinds of agent."""
    assert len(AGENTS) == len(TICKETS)
    assert len(set(AGENTS)) == 2


def test_the_table_shows_unknown_as_a_dash() -> None:
    """Nothing is shown as zero that is not known to be zero."""
    assert [number(None), number(0)] == ["-", "0"]
    lines = table([tuple("abcdefghijk"), ("long", *"bcdefghijk")]).splitlines()
    assert len({len(line) for line in lines}) == 1
