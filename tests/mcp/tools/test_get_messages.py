"""`get_messages` asks for the messages of a session, of a turn, or for one of them."""

from __future__ import annotations

import pytest
from tests.mcp.asks import told_of
from tests.mcp.stored import Stored, message, trace
from tests.mcp.synthetic import TIME, TRACE

END = "2026-11-20T12:05:00.000Z"
CELL = trace(trace_id=None, start=TIME, end=END)


@pytest.mark.parametrize(
    ("ref", "asked"),
    [
        ("session:s", {}),
        ("turn:3:s", {"turn": "3"}),
        (f"turn:{TRACE}:s", {"trace_id": TRACE}),
        (f"turn:{TIME}:s", {"since": TIME, "until": "2026-11-20T12:05:00.000000001Z"}),
    ],
)
def test_a_turn_is_a_condition(ref: str, asked: dict[str, str]) -> None:
    """The messages of a turn are found by its number, its trace, or the time of its log records."""
    stored = Stored(messages=[message(index=0)], traces=[CELL])
    told = told_of(stored, "get_messages", id=ref)
    given = stored.asked_of("messages")
    assert {name: given[name] for name in given.keys() - {"key", "limit", "offset"}} == asked
    assert [one["id"] for one in told["messages"]] == ["message:0:s"]


def test_one_message_is_got() -> None:
    """A message by its place, with the session that it is in."""
    stored = Stored(messages=[message({"type": "text", "content": "hi"}, index=0)])
    told = told_of(stored, "get_messages", id="message:0:s")
    assert (told["of"], told["session"], told["total"]) == ("message:0:s", "session:s", 1)
    assert told["messages"][0]["parts"] == [{"type": "text", "content": "hi"}]


def test_where_there_are_no_messages_none_are_inferred() -> None:
    """The answer says that nothing is known."""
    (note,) = told_of(Stored(), "get_messages", id="s")["notes"]
    assert note.startswith("There are no messages here")


def test_messages_without_content_name_the_switch() -> None:
    """Each switch is named once."""
    silent = message(content="not captured", switch="A=1", index=0)
    (note,) = told_of(Stored(messages=[silent, silent, message()]), "get_messages", id="s")["notes"]
    assert note.startswith("The content of 2 of these messages is not stored")
    assert note.endswith(" To capture content: A=1.")


def test_a_part_that_rest_has_cut_is_of_unknown_length() -> None:
    """It names the call that reads it whole, whether the answer cuts it again or not."""
    part = {"type": "text", "content": "x" * 20_000}
    stored = Stored(messages=[message(part, truncated=True, index=0)])
    shown = told_of(stored, "get_messages", id="s")["messages"][0]["parts"][0]
    read = {"tool": "get_payload", "arguments": {"id": "message:0:s", "field": "parts.0.content"}}
    assert (shown["type"], shown["content"]["length"], shown["content"]["read"]) == ("text", "at least 20,000", read)


def test_of_many_parts_the_first_are_shown() -> None:
    """The message says how many there are, and which call reads them."""
    parts = [{"type": "text", "content": "x"}] * 60
    stored = Stored(messages=[message(*parts, index=0, trace_id=None)])
    (told,) = told_of(stored, "get_messages", id="s")["messages"]
    assert (len(told["parts"]), told["part_count"], "span" in told) == (50, 60, False)
    assert told["read"] == {"tool": "get_payload", "arguments": {"id": "message:0:s", "field": "parts"}}
