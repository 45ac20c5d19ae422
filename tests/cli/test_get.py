"""`otel-sessions get` shows what there is to know about one session."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from rich.cells import cell_len
from tests.cli.answering import Answer, Answering, Asked, error, page
from tests.cli.sending import a_session
from tests.cli.terminal import in_pipe, in_terminal

USE = {"call_count": 12, "input_tokens": 50_122, "output_tokens": 431, "total_cost": "1.5", "cost_exact": False}


def a_trace(number: int) -> dict[str, Any]:
    """A trace of the session."""
    return {
        "trace_id": f"{number:032x}" if number else None,
        "start": "2026-11-20T12:00:00.000Z",
        "operations": ["invoke_agent"],
        "status": "ok",
        "duration_ms": 1_200.0,
        "call_count": 1,
        "total_cost": None,
        "cost_exact": True,
    }


SESSION = a_session(
    "ticket-1",
    key="id",
    title="Order \x1b[31m1042",
    first_input="Where is my order?\nPlease.",
    last_output=None,
    user_ids=["ann", "ben"],
    environments=["prod"],
    operations=["invoke_agent"],
    tags=[],
    metadata={"plan": "pro", "seats": 3},
    scores={
        "correct": {"session": {"count": 2, "mean": 0.75, "last": 1.0, "labels": {}}, "traces": None, "spans": None},
        "tone": {"session": None, "traces": {"count": 1, "mean": None, "labels": {"kind": 1}}, "spans": None},
        "none": {"session": None, "traces": None, "spans": None},
    },
    failed_trace_count=1,
    unpriced_call_count=2,
    start="2026-11-20T11:00:00.000Z",
    duration_ms=3_600_000,
    active_ms=60_000,
    time={"human_ms": None, "generation_ms": 5_000.0, "idle_ms": 0.0},
    cache={"rebuilt_count": 2, "rebuilt_cost": "0.02", "cost_exact": True},
    lanes=[{"lane": None, **USE}, {"lane": "Explore", **USE}],
    traces={"data": [a_trace(number) for number in range(12)], "pagination": {"total": 60}},
    **{**USE, "cache_read_tokens": 48_210, "reasoning_tokens": None, "models": [{"model": "gpt-4o", **USE}]},
)


def answer(asked: Asked) -> Answer:
    """A server with one session."""
    if asked.path == "/v1/sessions":
        return page([SESSION])
    if asked.path == "/v1/sessions/ticket-1":
        return 200, {"data": SESSION}
    return error(404, "there is no session", "not_found")


@pytest.fixture(scope="module")
def double() -> Iterator[Answering]:
    """A server with one session."""
    with Answering(answer) as double:
        yield double


@pytest.mark.parametrize("columns", [20, 40, 80])
def test_it_fits_the_terminal(double: Answering, monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    """No line is wider than the terminal, and nothing acts on it."""
    ran = in_terminal(monkeypatch, columns, "get", "ticket-1", "--url", double.url)
    assert (ran.status, ran.err) == (0, "")
    assert max(map(cell_len, ran.out.splitlines())) <= columns
    assert "\x1b" not in ran.out


def test_facts(double: Answering, monkeypatch: pytest.MonkeyPatch) -> None:
    """Facts stand in groups, and what is not known is left out."""
    ran = in_terminal(monkeypatch, 100, "get", "last", "--url", double.url)
    lines = [line.rstrip() for line in ran.out.splitlines()]
    assert lines[0] == "ticket-1"
    for name, text in {
        "title": "Order \\x1b[31m1042",
        "asked": "Where is my order?",
        "user": "ann, ben",
        "metadata": "plan=pro, seats=3",
        "scores": "correct 0.75 (2), tone kind 1 (1)",
        "traces": "1 (1 failed)",
        "calls": "12 (2 without a price)",
        "input": "50,122 tokens (48,210 from a cache)",
        "cost": "≥ $1.50",
        "rebuilt": "2 times, $0.02",
        "generation": "5.0 s",
    }.items():
        assert f"  {name:<12}{text}" in lines
    assert not any(line.split()[:1] in (["answered"], ["tag"], ["key"], ["human"], ["idle"]) for line in lines)
    assert [line.split()[0] for line in lines if line.split()[1:2] == ["12"]] == ["calls", "gpt-4o", "main", "Explore"]
    assert lines[-1] == "… 50 more"


def test_a_session_of_which_little_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """A session of another key, without models and traces, is shown with what there is."""
    with Answering(lambda _: (200, {"data": {"id": "i1", "key": "import", "models": None}})) as double:
        ran = in_terminal(monkeypatch, 80, "get", "i1", "--key", "import", "--url", double.url)
    assert [line.split() for line in ran.out.splitlines()] == [["i1"], ["key", "import"]]


def test_for_programs(double: Answering) -> None:
    """A pipe gets a line a field; --fields, --json and --jsonl work as for lists."""
    lines = in_pipe("get", "ticket-1", "--url", double.url).out.splitlines()
    assert "user_ids\tann,ben" in lines
    assert "title\tOrder \\x1b[31m1042" in lines
    assert in_pipe("get", "t", "--url", double.url, "--fields", "id,total_cost").out == "ticket-1\t1.5\n"
    assert json.loads(in_pipe("get", "t", "--url", double.url, "--json").out) == SESSION
    ran = in_pipe("get", "t", "--url", double.url, "--jsonl", "--fields", "id")
    assert ran.out == '{"id": "ticket-1"}\n'
    wrong = in_pipe("get", "t", "--url", double.url, "--fields", "nope")
    assert (wrong.status, wrong.out) == (2, "")
    assert "there is no field 'nope'; the fields are id, " in wrong.error


def test_no_such_session(double: Answering) -> None:
    """A session that does not exist has a status of its own."""
    with Answering(lambda asked: page([]) if asked.path == "/v1/sessions" else error(404, "none")) as empty:
        ran = in_pipe("get", "x", "--url", empty.url)
    assert (ran.status, ran.out) == (3, "")
