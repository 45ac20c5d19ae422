"""Twenty questions that people ask their agents, how a reader finds the answers with at most three calls, and what they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from tests.mcp.world import FAILED_TRACE, LOGGED, SWITCH, TROUBLE

Step = tuple[str, Callable[[Sequence[Any]], Mapping[str, Any]]]
"""A tool, and its arguments, made of the answers so far."""


class Question(NamedTuple):
    """A question.

    Attributes:
        asked: by a person.
        steps: the calls.
        found: the value in the last answer.
        expected: what it has to be.
    """

    asked: str
    steps: Sequence[Step]
    found: Callable[[Any], Any]
    expected: Any


def one(tool: str, **arguments: Any) -> list[Step]:
    """A single call."""
    return [(tool, lambda _: arguments)]


def _in_failed_span(answers: Sequence[Any]) -> Mapping[str, Any]:
    return {"id": answers[0]["failed_steps"][0]["id"]}


QUESTIONS: Final = (
    Question(
        "Which session cost the most today?",
        one("list_sessions", sort="cost", since="today", limit=1),
        lambda told: told["sessions"][0]["id"],
        "session:dear",
    ),
    Question(
        "Why did it fail?", one("get_session", id="broken"), lambda told: told["failed_steps"][0]["error"], TROUBLE
    ),
    Question(
        "What did the user ask first?",
        one("get_messages", id="session:cheap", role="user", limit=1),
        lambda told: told["messages"][0]["parts"][0]["content"],
        "Question 0 cat",
    ),
    Question(
        "What was the last answer?",
        one("get_messages", id="session:cheap", offset=-1),
        lambda told: told["messages"][-1]["parts"][0]["content"],
        "Answer 2 cat",
    ),
    Question(
        "Which tool was called most, and how often?",
        one("get_session", id="tools"),
        lambda told: (told["tools"][0]["name"], told["tools"][0]["count"]),
        ("grep", 3),
    ),
    Question(
        "How full was the context?",
        one("get_session", id="dear"),
        lambda told: told["last_call"]["input_tokens"],
        90_000,
    ),
    Question(
        "Which call was slowest?",
        one("get_session", id="dear", part="calls", sort="duration", order="desc", limit=1),
        lambda told: told["calls"][0]["duration_ms"],
        90_000.0,
    ),
    Question(
        "Which call cost the most?",
        one("get_session", id="dear", part="calls", sort="cost", order="desc", limit=1),
        lambda told: told["calls"][0]["input_tokens"],
        90_000,
    ),
    Question(
        "What are my agents doing right now?",
        one("list_sessions", status="running"),
        lambda told: [session["id"] for session in told["sessions"]],
        ["session:running"],
    ),
    Question(
        "How many tokens did it take?",
        one("get_session", id="session:cheap"),
        lambda told: told["session"]["total_tokens"],
        45,
    ),
    Question(
        "What did each turn cost?",
        one("get_session", id="session:cheap"),
        lambda told: [turn["total_cost"] for turn in told["turns"]],
        ["0.00006"] * 3,
    ),
    Question(
        "Which sessions failed?",
        one("list_sessions", failed=True),
        lambda told: [session["id"] for session in told["sessions"]],
        ["session:broken"],
    ),
    Question("Who used it?", one("get_session", id="dear"), lambda told: told["session"]["user_ids"], ["mia"]),
    Question(
        "Which models did it use?",
        one("get_session", id="tools"),
        lambda told: [use["model"] for use in told["session"]["models"]],
        ["gpt-4o"],
    ),
    Question(
        "In which session did we talk about a haystack?",
        one("search", query="HAYSTACK"),
        lambda told: [(session["id"], "haystack" in session["found"]["excerpt"]) for session in told["sessions"]],
        [("session:tools", True)],
    ),
    Question(
        "What did the tool return?",
        one("get_messages", id="tools", role="tool"),
        lambda told: told["messages"][0]["parts"][0]["content"],
        "3 matches in haystack.txt",
    ),
    Question(
        "Which errors were logged?",
        one("get_session", id="broken", part="logs"),
        lambda told: [log["body"] for log in told["logs"]],
        [LOGGED],
    ),
    Question(
        "How was it judged?",
        one("get_session", id="cheap", part="scores"),
        lambda told: [(score["name"], score["value"]) for score in told["scores"]],
        [("tone", 1.0)],
    ),
    Question(
        "What was said in a session whose words were not captured?",
        one("get_messages", id="quiet"),
        lambda told: "do not infer" in told["notes"][0] and SWITCH in told["notes"][0],
        True,
    ),
    Question(
        "What did the tool that failed get as arguments?",
        [
            ("get_session", lambda _: {"id": "broken"}),
            ("get_session", _in_failed_span),
            (
                "get_payload",
                lambda answers: {"id": answers[1]["span"]["id"], "field": "attributes.gen_ai.tool.call.arguments"},
            ),
        ],
        lambda told: told["value"],
        '{"path": "/etc/shadow"}',
    ),
    Question(
        "What happened in the turn that failed?",
        [
            ("get_session", lambda _: {"id": "broken"}),
            ("get_session", lambda answers: {"id": answers[0]["turns"][0]["id"]}),
        ],
        lambda told: (told["turn"]["trace_id"], [step["name"] for step in told["steps"]]),
        (f"{FAILED_TRACE:032x}", ["invoke_agent", "execute_tool read_file"]),
    ),
)
