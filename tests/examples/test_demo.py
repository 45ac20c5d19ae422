"""The demo and the agent run as their readers run them."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import urllib.request
from typing import Any

import pytest
from examples import coding_agent
from examples.agent import TICKETS
from examples.demo import AGENTS, number, table
from tests import processes


def run(module: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A module in a process of its own, as `make demo` starts it."""
    return processes.run(sys.executable, "-m", module, *arguments, env=processes.environment(**environment))


@pytest.mark.parametrize("conventions", ["", "gen_ai_latest_experimental"])
def test_the_demo_is_green(conventions: str) -> None:
    """Every ticket is in the table, every total is on the bill and every span arrives, under old and new conventions."""
    result = run("examples.demo", OTEL_SEMCONV_STABILITY_OPT_IN=conventions)

    assert result.returncode == 0, result.stdout + result.stderr
    assert all(ticket.session_id in result.stdout for ticket in TICKETS)
    assert coding_agent.SESSION in result.stdout
    assert "log records only; it equals the bill too" in result.stdout
    assert "/v1/sessions answers:" in result.stdout
    assert "equal the bill of the server" in result.stdout
    assert "spans arrived at the OTLP receiver" in result.stdout
    assert result.stderr == ""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_demo_stays_when_asked_to(number: int) -> None:
    """The server of the demo answers until the demo is ended, and ends with it."""
    with processes.started(sys.executable, "-m", "examples.demo", "--stay") as demo:
        assert demo.stdout is not None
        url = next(line.split()[4] for line in demo.stdout if line.startswith("The server runs at "))
        with urllib.request.urlopen(f"{url}/v1/sessions", timeout=30) as response:
            assert len(json.load(response)["data"]) == len(TICKETS) + 1
        demo.send_signal(number)
        _, err = demo.communicate(timeout=60)
    assert (demo.returncode, err) == (0, "")
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(url, timeout=30)


@pytest.mark.parametrize("names", [[], ["openinference"]])
def test_the_agent_runs_by_itself(names: list[str]) -> None:
    """`python -m examples.agent` runs with the default and with chosen instrumentations."""
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
    """The table shows an unknown number as a dash, not as 0."""
    assert [number(None), number(0)] == ["-", "0"]
    lines = table([tuple("abcdefghijkl"), ("long", *"bcdefghijkl")]).splitlines()
    assert len({len(line) for line in lines}) == 1


def test_the_demo_would_notice_a_difference_of_the_coding_agent() -> None:
    """The demo names each total of the coding agent's session that is not the one of its bill."""
    due = coding_agent.bill()
    session: dict[str, Any] = {
        "call_count": due.calls,
        "input_tokens": due.input,
        "cache_read_tokens": due.read,
        "cache_write_tokens": due.written,
        "output_tokens": due.output,
        "total_cost": str(due.cost),
    }
    assert coding_agent.differences(session) == []
    for name in session:
        (said,) = coding_agent.differences({**session, name: None})
        assert said.startswith(f"{coding_agent.SESSION}: {name} is None, in the bill it is ")
