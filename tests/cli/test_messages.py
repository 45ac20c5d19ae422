"""`otel-sessions messages` reads like a transcript."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from rich.cells import cell_len
from tests.cli.answering import Answer, Answering, Asked, error, page
from tests.cli.sending import a_call, a_message, a_session
from tests.cli.terminal import in_pipe, in_terminal

LONG = "\n".join(f"line {number}" for number in range(100))
CALL = {"type": "tool_call", "id": "c1", "name": "look_up", "arguments": {"order": "1042"}}
MESSAGES = [
    a_message(0, "system", "You are the support agent."),
    a_message(1, "user", "Where is my order?\n\tNumber 1042."),
    a_message(2, "assistant", {"type": "reasoning", "content": "I look it up."}, CALL, call=a_call()),
    a_message(3, "tool", {"type": "tool_call_response", "id": "c1", "content": {"state": "shipped"}}),
    a_message(4, "assistant", "It was shipped. 日本語の文です", turn=0, call=a_call(failed=True, cost_exact=False)),
    a_message(5, "user", LONG, turn=1, time="2026-11-21T08:00:00.000Z"),
    a_message(6, "assistant", "cut text", turn=1, truncated=True, size=90_000),
    a_message(
        7,
        "user",
        {"type": "media", "modality": "image", "mime_type": "image/png", "uri": None, "size": 4_096},
        {"type": "other", "content": [1]},
        {"type": "text", "content": None},
        turn=1,
        branch=1,
        lane="Explore",
        fork={"kind": "sub_agent", "index": 4},
    ),
    a_message(8, "assistant", turn=1, content="not captured", switch="OTEL_LOG_USER_PROMPTS=1"),
    a_message(9, "assistant", turn=1, content="not captured"),
    a_message(10, "tool", {"type": "tool_call_response", "id": None, "content": "alone"}, turn=2, time=None),
]


def answer(asked: Asked) -> Answer:
    """A server with one session."""
    if asked.path == "/v1/sessions":
        return page([a_session("ticket-1")])
    if asked.path == "/v1/sessions/ticket-1/messages":
        return page(MESSAGES[: int(asked.parameters["limit"])], total=len(MESSAGES))
    if asked.path == "/v1/sessions/ticket-1/messages/6":
        return 200, {
            "data": {**MESSAGES[6], "truncated": False, "parts": [{"type": "text", "content": "the whole text"}]}
        }
    return error(404, "there is no session", "not_found")


@pytest.fixture(scope="module")
def double() -> Iterator[Answering]:
    """A server with one conversation."""
    with Answering(answer) as double:
        yield double


@pytest.mark.parametrize("columns", [20, 40, 80])
def test_a_transcript_fits_the_terminal(double: Answering, monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    """No line is wider than the terminal."""
    ran = in_terminal(monkeypatch, columns, "messages", "ticket-1", "--url", double.url)
    assert (ran.status, ran.err) == (0, "")
    assert max(map(cell_len, ran.out.splitlines())) <= columns


def test_a_transcript(double: Answering, monkeypatch: pytest.MonkeyPatch) -> None:
    """Turns have headings, answers their model, time, tokens and cost; tools are indented below who called them."""
    ran = in_terminal(monkeypatch, 100, "messages", "ticket-1", "--url", double.url)
    lines = [line.rstrip() for line in ran.out.splitlines()]
    assert lines[1].startswith("── turn 0 · 20 Nov ")
    assert lines[3:7] == ["  You are the support agent.", lines[4], "  Where is my order?", "      Number 1042."]
    assert lines[4].startswith("user · #1 · ")
    assert " · claude-opus-4-8 · $0.05394 · 9.1 s · 50,122 in · 431 out" in lines[7]
    assert lines[8:10] == ["  ~ I look it up.", '  → look_up {"order": "1042"}']
    assert lines[11] == '  ← look_up: {"state": "shipped"}'
    assert "≥ $0.05394" in lines[12]
    assert lines[12].endswith(" · failed")
    assert "  … 80 more lines; --full shows them" in lines
    assert "  … cut, 90,000 characters in all; --full shows them" in lines
    assert "── branch 1, a sub-agent after #4" in lines
    assert "── back on the main line" in lines
    assert "  [image, image/png, 4,096 bytes]" in lines
    assert any(line.startswith("user · #7 · ") and line.endswith(" · Explore") for line in lines)
    assert "  (not captured; to capture it: OTEL_LOG_USER_PROMPTS=1)" in lines
    assert "  (not captured)" in lines
    assert lines[-1] == "  ← alone"


def test_full(double: Answering, monkeypatch: pytest.MonkeyPatch) -> None:
    """With --full nothing is left out, and what the list has cut is read again."""
    ran = in_terminal(monkeypatch, 100, "messages", "ticket-1", "--full", "--url", double.url)
    assert "line 99" in ran.out
    assert "the whole text" in ran.out
    assert "more lines" not in ran.out
    assert '→ look_up {\n      "order": "1042"' in ran.out


def test_lines_for_programs(double: Answering) -> None:
    """A pipe gets a line a message with its words."""
    lines = in_pipe("messages", "tick", "--url", double.url).out.splitlines()
    assert len(lines) == len(MESSAGES)
    assert lines[1] == "1\t0\t2026-11-20T12:00:01.000Z\tuser\t\t0\tWhere is my order?\\n\\tNumber 1042."
    assert lines[2].endswith('~ I look it up.\\n→ look_up {"order": "1042"}')
    assert lines[8].endswith("not captured; to capture it: OTEL_LOG_USER_PROMPTS=1")


@pytest.mark.parametrize(
    ("options", "indexes"),
    [
        (("--since-turn", "1"), [5, 6, 7, 8, 9, 10]),
        (("--since-turn", "1", "--limit", "2"), [5, 6]),
        (("--limit", "3"), [0, 1, 2]),
        (("--lane", "Explore"), [7]),
        (("--lane", "main", "--limit", "1"), [0]),
        (("--lane", "none"), []),
    ],
)
def test_conditions(double: Answering, options: tuple[str, ...], indexes: list[int]) -> None:
    """Messages of a turn and later, of a lane, and a number of them at most."""
    ran = in_pipe("messages", "last", "--url", double.url, "--json", *options)
    assert [one["index"] for one in json.loads(ran.out)] == indexes


def test_a_server_without_messages() -> None:
    """A server of an older version is named as such, also for the last session."""
    with Answering(
        lambda asked: page([a_session("s")]) if asked.path == "/v1/sessions" else error(404, "nothing")
    ) as old:
        ran = in_pipe("messages", "last", "--url", old.url)
    assert (ran.status, ran.out) == (1, "")
    assert "is it of an older version?" in ran.error


def test_an_answer_of_another_shape() -> None:
    """An answer that is not what the command expects is told in one line."""
    with Answering(lambda _: page(["text"])) as other:
        ran = in_pipe("messages", "s", "--url", other.url)
    assert (ran.status, ran.out) == (1, "")
    assert "is the server of another version?" in ran.error
