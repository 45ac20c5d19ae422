"""A message, its identity, and its likeness."""

from __future__ import annotations

import pytest

from otel_sessions.content.content import Content, Said
from otel_sessions.content.message import Media, Message, Other, Part, Reasoning, Text, ToolCall, ToolResponse

EVERYTHING = Message(
    "assistant",
    (
        Text("Hi"),
        Reasoning("hm"),
        ToolCall("c", "f", {"a": [1, None]}),
        ToolResponse(None, "ok"),
        Media("image", "image/png", None, 8),
        Other({"type": "new"}),
    ),
)


def test_a_message_survives_json() -> None:
    """What `to_dict` writes, `from_dict` reads."""
    assert Message.from_dict(EVERYTHING.to_dict()) == EVERYTHING


def test_equal_messages_have_one_digest() -> None:
    """All that a message says is in its digest."""
    assert EVERYTHING.digest == Message.from_dict(EVERYTHING.to_dict()).digest
    assert EVERYTHING.digest != Message("user", EVERYTHING.parts).digest


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((Text("ab"), Text("c")), (Text("a"), Text("bc"))),
        ((Text("a1:b"),), (Text("a"), Text("b"))),
        ((Text("a"),), (Reasoning("a"),)),
        ((ToolCall(None, "f", "{}"),), (ToolCall(None, "f", {}),)),
        ((ToolCall("-", "f", {}),), (ToolCall(None, "f", {}),)),
        ((ToolCall(None, "f1", 2),), (ToolCall(None, "f", 12),)),
        ((ToolResponse(None, None),), (ToolResponse(None, "-"),)),
        ((ToolResponse(None, True),), (ToolResponse(None, 1),)),
        ((Other("a"),), (Text("a"),)),
        ((Media("image", size=1),), (Media("image", size=2),)),
    ],
)
def test_what_differs_has_another_digest(one: tuple[Part, ...], other: tuple[Part, ...]) -> None:
    """Parts, their borders, and the types of values count."""
    assert Message("assistant", one).digest != Message("assistant", other).digest


def test_likeness_leaves_out_what_a_repetition_lacks() -> None:
    """Reasoning, ids and blanks at the ends of a text do not count, words, names and media do."""
    told = Message("assistant", (Reasoning("hm"), Text(" Hi \n"), Text(" "), ToolCall("c", "f", {"a": 1})))
    repeated = Message("assistant", (Text("Hi"), ToolCall("fc_9", "f", {"a": 1})))
    assert told.likeness == repeated.likeness
    assert EVERYTHING.likeness != repeated.likeness


def test_excerpts_are_of_one_line() -> None:
    """The first words of a user and the last of a model, without blanks at their ends."""
    content = Content(
        (Message("system", (Text("S"),)), Message("user", (Text("  \n"),)), Message("user", (Text("Hi\n there "),))),
        (Message("assistant", (Text("a" * 400),)), Message("assistant", (Other(1),))),
    )
    assert content.said.input == "Hi there"
    assert len(content.said.output or "") == 300
    assert Content().said == Said(None, None)
