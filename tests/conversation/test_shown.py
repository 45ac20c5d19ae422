"""A line as JSON: the contract's members, cut where a part is long."""

from __future__ import annotations

from decimal import Decimal

from tests.conversation.talking import call
from tests.counting.building import AT

from otel_sessions.content.message import Message, Text, ToolCall, ToolResponse
from otel_sessions.conversation.lines import Line
from otel_sessions.conversation.shown import shown_line

LINE = Line(3, 1, 0xABC, 7, AT, "user", None, 0, 5)


def test_a_line_has_the_members_of_the_contract() -> None:
    """Ids are hexadecimal, the time is RFC 3339, and the call is as in the list of calls."""
    answered = call(7, 0xABC, total_tokens=12, total_cost=Decimal("0.5"))
    line = Line(3, 1, 0xABC, 7, AT, "assistant", "explore", 2, 5, answered, (1, "sub_agent"))

    assert shown_line(line, Message("assistant", (Text("Hi"),))) == {
        "index": 3,
        "turn": 1,
        "trace_id": f"{0xABC:032x}",
        "span_id": f"{7:016x}",
        "time": "2026-11-18T11:06:40.000Z",
        "role": "assistant",
        "lane": "explore",
        "branch": 2,
        "fork": {"index": 1, "kind": "sub_agent"},
        "parts": [{"type": "text", "content": "Hi"}],
        "content": None,
        "switch": None,
        "size": 2,
        "truncated": False,
        "call": answered.to_dict(),
    }


def test_long_parts_are_cut() -> None:
    """The size is that of the whole message; arguments are cut as JSON; whole on request."""
    message = Message("assistant", (Text("x" * 30), ToolCall("c", "get", {"city": "Paris"}), Text("y")))

    shown = shown_line(LINE, message, longest=10)

    assert [part.get("content", part.get("arguments")) for part in shown["parts"]] == ["x" * 10, '{"city": "', "y"]
    assert (shown["size"], shown["truncated"]) == (30 + 17 + 1, True)
    whole = shown_line(LINE, message, longest=None)
    assert (whole["parts"], whole["truncated"]) == (message.to_dict()["parts"], False)


def test_a_short_value_stays_a_value() -> None:
    """What a tool answered is JSON as long as it is not cut."""
    shown = shown_line(LINE, Message("tool", (ToolResponse("c", [1, 2]),)))

    assert shown["parts"] == [{"type": "tool_call_response", "id": "c", "content": [1, 2]}]


def test_what_was_not_captured_says_so() -> None:
    """A deleted message, and one that was never sent; a call that failed has no content to capture."""
    missing = Line(0, 0, None, 7, AT, "assistant", None, 0, None, captured=False, switch="SET=1")
    failed = Line(0, 0, None, 7, AT, "assistant", None, 0, None)

    assert [shown_line(line, None)["content"] for line in (LINE, missing, failed)] == [
        "not captured",
        "not captured",
        None,
    ]
    assert (shown_line(missing, None)["switch"], shown_line(missing, None)["trace_id"]) == ("SET=1", None)
