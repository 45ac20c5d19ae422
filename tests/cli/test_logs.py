"""`otel-sessions logs` reads like the log of a program."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from rich.cells import cell_len
from tests.cli.answering import Answering, page
from tests.cli.sending import a_log
from tests.cli.terminal import in_pipe, in_terminal

LOGS = [
    a_log("parcel is on its way"),
    a_log("first\nsecond", severity=17, severity_text="ERROR", event_name="order.failed"),
    a_log({"order": 1042}, severity=None, severity_text=None, service=None, time="2026-11-21T08:00:00.000Z"),
    a_log(None, severity=13, severity_text="WARN", event_name="claude_code.api_error", time=None),
    a_log(
        "claude_code.api_request",
        event_name="api_request",
        attributes={"session.id": "s", "event.name": "api_request", "model": "opus", "input_tokens": 12},
    ),
    a_log("日本語 " * 30, severity_text="A VERY LONG NAME OF A SEVERITY"),
]


@pytest.fixture(scope="module")
def double() -> Iterator[Answering]:
    """A server with the log records of one session."""
    with Answering(lambda _: page(LOGS)) as double:
        yield double


@pytest.mark.parametrize("columns", [20, 40, 80])
def test_lines_fit_the_terminal(double: Answering, monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    """No line is wider than the terminal."""
    ran = in_terminal(monkeypatch, columns, "logs", "ticket-1", "--url", double.url)
    assert (ran.status, ran.err) == (0, "")
    assert max(map(cell_len, ran.out.splitlines())) <= columns


def test_lines_to_read(double: Answering, monkeypatch: pytest.MonkeyPatch) -> None:
    """A short body stands behind time, severity, service and event, a long one below them."""
    ran = in_terminal(monkeypatch, 80, "logs", "ticket-1", "--url", double.url)
    lines = ran.out.splitlines()
    assert lines[0].startswith("── 20 Nov")
    assert lines[1].endswith(" INFO web parcel is on its way")
    assert lines[2].endswith(" ERROR web order.failed")
    assert lines[3:5] == ["  first", "  second"]
    assert lines[5].startswith("── 21 Nov")
    assert lines[6].endswith(' — {"order": 1042}')
    assert lines[8] == "— WARN web claude_code.api_error "
    assert lines[10].endswith(" INFO web api_request model=opus input_tokens=12")


def test_lines_for_programs(double: Answering) -> None:
    """A pipe gets a line a record, and the conditions are asked of the server."""
    ran = in_pipe(
        "logs", "s", "--url", double.url, "--severity", "error", "--grep", "parcel", "--event", "x", "--limit", "9"
    )
    assert ran.out.splitlines()[1].split("\t")[1:4] == ["ERROR", "web", "order.failed"]
    parameters = double.asked[-1].parameters
    assert {"severity": "error", "q": "parcel", "event": "x", "limit": "9", "key": "id"} == parameters
    assert json.loads(in_pipe("logs", "s", "--url", double.url, "--json").out) == LOGS


def test_colours(double: Answering, monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal gets colours unless NO_COLOR is set; FORCE_COLOR wants them also on a dumb one."""
    with monkeypatch.context() as terminal:
        terminal.setenv("TERM", "xterm")
        coloured = in_terminal(terminal, 80, "logs", "s", "--url", double.url, NO_COLOR="")
        terminal.setenv("TERM", "dumb")
        dumb = in_terminal(terminal, 80, "logs", "s", "--url", double.url, NO_COLOR="")
        forced = in_terminal(terminal, 80, "logs", "s", "--url", double.url, NO_COLOR="", FORCE_COLOR="1")
        plain = in_terminal(terminal, 80, "logs", "s", "--url", double.url, FORCE_COLOR="1")
    assert "\x1b[31mERROR\x1b[0m" in coloured.out
    assert "\x1b" not in dumb.out + plain.out
    assert forced.out == coloured.out
