"""`otel-sessions calls` shows what a session's totals are made of."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from decimal import Decimal

import pytest
from tests.cli.answering import Answer, Answering, Asked, error, page
from tests.cli.sending import a_call, a_session
from tests.cli.terminal import in_pipe, in_terminal

CALLS = [
    a_call(0, evidence=["span", "log"]),
    a_call(1, lane="agent:builtin:Explore", total_cost="0.0468150000000012", cost_exact=False),
    a_call(2, counted=False, reason="covered_by_children", model=None, total_cost=None),
    a_call(3, counted=False, reason="duplicate"),
    a_call(4, total_cost=None, cost_exact=False, cost_note="no model is named", input_tokens=None),
    a_call(5, counted=False, reason=None, lane="\x1b[31mred"),
]


def answer(asked: Asked) -> Answer:
    """A server with one session."""
    if asked.path == "/v1/sessions":
        return page([a_session("ticket-1")])
    if asked.path == "/v1/sessions/ticket-1/calls":
        return page(CALLS[: int(asked.parameters["limit"])], total=len(CALLS))
    return error(404, "there is no session", "not_found")


@pytest.fixture(scope="module")
def double() -> Iterator[Answering]:
    """A server with one session of six calls."""
    with Answering(answer) as double:
        yield double


TOTAL = (
    "total: 3 calls (3 more not counted), 100,244 input tokens, 1,293 output tokens, at least $0.1007550000000012 "
    "(1 call without a price)"
)


@pytest.mark.parametrize("columns", [20, 40, 80, 120])
def test_a_table(double: Answering, monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    """The table fits the terminal, has what was left out with the reason, and the totals below it."""
    ran = in_terminal(monkeypatch, columns, "calls", "ticket-1", "--url", double.url)
    assert (ran.status, ran.err) == (0, "")
    lines = ran.out.splitlines()
    assert max(map(len, lines)) <= columns
    assert "\x1b" not in ran.out
    place = next(number for number, line in enumerate(lines) if line.startswith("total:"))
    assert place == 1 + len(CALLS)
    assert " ".join(" ".join(lines[place:]).split()) == TOTAL
    if columns >= 40:
        assert "$0.05394" in lines[1]
        assert "≥ $0.046815" in lines[2]
        assert ["covered_by_" in line for line in lines[1:place]] == [False, False, True, False, False, False]
        assert "duplicate" in lines[4]


def test_a_wide_table(double: Answering, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wide terminal shows all columns, and cuts no text."""
    ran = in_terminal(monkeypatch, 200, "calls", "last", "--url", double.url)
    head, first, second, third, _, fifth, sixth, _ = (re.split(" {2,}", line.rstrip()) for line in ran.out.splitlines())
    assert head == [
        *("START", "MODEL", "LANE", "COUNTED", "INPUT", "CACHED", "OUTPUT", "TOOK", "COST", "SEEN IN"),
        "NOT EXACT, BECAUSE",
    ]
    told = ["claude-opus-4-8", "—", "yes", "50,122", "48,210", "431", "9.1 s", "$0.05394", "span, log", "—"]
    assert first[1:] == told
    assert "agent:builtin:Explore" in second
    assert "≥ $0.046815" in second
    assert third[1:4] == ["—", "—", "covered_by_children"]
    assert fifth[-1] == "no model is named"
    assert sixth[2:4] == ["\\x1b[31mred", "no"]


def test_calls_of_several_days(monkeypatch: pytest.MonkeyPatch) -> None:
    """If calls are of several days, their days are shown instead of seconds."""
    calls = [a_call(0), a_call(0, start="2026-11-25T12:00:00.000Z")]
    with Answering(lambda _: page(calls)) as double:
        ran = in_terminal(monkeypatch, 120, "calls", "x", "--url", double.url)
    assert ran.out.splitlines()[1].split()[:2] == ["20", "Nov"]
    assert ran.out.splitlines()[-1].endswith("$0.10788")
    assert "at least" not in ran.out


def test_lines(double: Answering) -> None:
    """A pipe gets a line a call; the totals are said on stderr."""
    ran = in_pipe("calls", "tick", "--url", double.url)
    assert ran.status == 0
    rows = [line.split("\t") for line in ran.out.splitlines()]
    assert [row[4:6] for row in rows] == [
        ["true", ""],
        ["true", ""],
        ["false", "covered_by_children"],
        ["false", "duplicate"],
        ["true", ""],
        ["false", ""],
    ]
    assert ran.error == TOTAL


def test_json_adds_up(double: Answering) -> None:
    """JSON has every field of every call."""
    ran = in_pipe("calls", "ticket-1", "--url", double.url, "--json")
    assert json.loads(ran.out) == CALLS
    counted = [call for call in json.loads(ran.out) if call["counted"]]
    assert sum(Decimal(call["total_cost"] or 0) for call in counted) == Decimal("0.1007550000000012")


def test_only_the_first(double: Answering) -> None:
    """With a limit, the last line says that it is about a part of the calls."""
    ran = in_pipe("calls", "ticket-1", "--url", double.url, "--limit", "1")
    assert len(ran.out.splitlines()) == 1
    assert ran.error == "total of the first: 1 call, 50,122 input tokens, 431 output tokens, $0.05394"


def test_the_session_key(double: Answering) -> None:
    """The session key goes to the server with every question."""
    assert in_pipe("calls", "last", "--key", "import", "--url", double.url).status == 0
    assert {asked.parameters["key"] for asked in double.asked[-2:]} == {"import"}


def test_no_calls() -> None:
    """A session without calls is no failure."""
    with Answering(lambda _: page([])) as double:
        ran = in_pipe("calls", "x", "--url", double.url)
    assert (ran.status, ran.out) == (0, "")
    assert "has no model calls" in ran.error


def test_unknown_costs_and_tokens() -> None:
    """What is not known of any call is not known of all."""
    unknown = a_call(input_tokens=None, output_tokens=None, total_cost=None, cost_exact=False)
    with Answering(lambda _: page([unknown])) as double:
        ran = in_pipe("calls", "x", "--url", double.url)
    assert ran.error == "total: 1 call, — input tokens, — output tokens, cost not known (1 call without a price)"


def test_a_session_that_does_not_exist(double: Answering) -> None:
    """An id that no session has or begins with ends the command with status 3."""
    ran = in_pipe("calls", "nope", "--url", double.url)
    assert (ran.status, ran.out) == (3, "")
    assert "otel-sessions list" in ran.error


def test_a_server_that_cannot_be_reached(double: Answering) -> None:
    """Without a server the command ends with status 4."""
    ran = in_pipe("calls", "last", "--url", "http://127.0.0.1:9")
    assert (ran.status, ran.out) == (4, "")
    assert "otel-sessions serve" in ran.error
