"""Roles, requests and responses, and the canonical form."""

from __future__ import annotations

import json
from typing import Any

import pytest

from otel_sessions.content.message import Media, Message, Other, Reasoning, Text, ToolCall, ToolResponse
from otel_sessions.content.read import read_span


def asked(value: Any) -> tuple[Message, ...]:
    """What `input.value` holds."""
    found = read_span({"input.value": value})
    return () if found is None else found.input


def answered(value: Any) -> tuple[Message, ...]:
    """What `output.value` holds."""
    found = read_span({"output.value": value})
    return () if found is None else found.output


def said(role: str, *texts: str) -> Message:
    """A message of texts."""
    return Message(role, tuple(map(Text, texts)))


@pytest.mark.parametrize(
    ("word", "role"),
    [
        ("human", "user"),
        ("HumanMessage", "user"),
        ("ai", "assistant"),
        ("AIMessageChunk", "assistant"),
        ("model", "assistant"),
        ("MessageRole.ASSISTANT", "assistant"),
        ("sub-agent", "assistant"),
        ("developer", "system"),
        ("moderator", "user"),
        ("", "user"),
    ],
)
def test_roles(word: str, role: str) -> None:
    """A role that is not known is the nearest one, and its text is kept."""
    assert asked([{"role": "user", "content": "a"}, {"role": word, "content": "b"}])[-1] == said(role, "b")


@pytest.mark.parametrize("word", ["function", "tool-response", "ToolMessage"])
def test_messages_of_tools_are_answers(word: str) -> None:
    """The content of a message of a tool is an answer."""
    assert asked([{"role": word, "content": "ok", "tool_call_id": "c"}]) == (
        Message("tool", (ToolResponse("c", "ok"),)),
    )


def test_an_unknown_role_answers_where_an_answer_is_expected() -> None:
    """What came back from a role that is not known is the model's."""
    assert answered({"role": "oracle", "content": "b"}) == (said("assistant", "b"),)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Hi", "Hi"),
        ('"Hi"', "Hi"),
        ('{"prompt": "Hi", "max_tokens": 3}', "Hi"),
        ('{"input": "Hi"}', "Hi"),
        ('{"question": "Hi"}', "Hi"),
        ('{"args": ["Hi"], "kwargs": {}}', "Hi"),
        ('{"args": [[{"role": "user", "content": "Hi"}]], "kwargs": {"a": 1}}', "Hi"),
        ('{"kwargs": {"messages": [{"role": "user", "content": "Hi"}]}, "args": []}', "Hi"),
        ('{"messages": [["human", {"role": "user", "content": "Hi"}]]}', None),
        ('["Hi"]', "Hi"),
    ],
)
def test_requests(value: str, expected: str | None) -> None:
    """What a user said is found in the argument of a function, in a text and in a request."""
    if expected is None:
        assert asked(value) == (said("user", "human"), said("user", "Hi"))
    else:
        assert asked(value) == (said("user", expected),)


@pytest.mark.parametrize(
    "value",
    [
        {"query": "Hi", "top_k": 3},
        [1, 2],
        {"args": [1], "kwargs": {}},
        {"args": ["a", "b"], "kwargs": {}},
        {"args": ["a"], "kwargs": 3},
        {"args": ["a"], "kwargs": {"b": 1}},
        {"query": 3},
        [{"a": 1}],
    ],
)
def test_json_that_is_no_message_is_kept(value: Any) -> None:
    """It is there whole, as it came."""
    assert asked(json.dumps(value)) == (Message("user", (Other(value),)),)


@pytest.mark.parametrize("value", ["null", "{}", "[]", "", None, '{"messages": []}'])
def test_nothing_is_no_message(value: Any) -> None:
    """Empty values, and requests without messages, hold nothing."""
    assert asked(value) == ()


def test_an_empty_answer_is_none() -> None:
    """A response whose messages say nothing is not shown as an object."""
    assert answered({"generations": [[{"text": "", "message": {"type": "ai", "content": ""}}]]}) == ()


def test_messages_of_unknown_blocks_are_kept() -> None:
    """A message that has only parts of kinds that are not known is there."""
    told = {"messages": [{"role": "user", "content": [{"type": "new", "a": 1}]}]}
    assert asked(told) == (Message("user", (Other({"type": "new", "a": 1}),)),)


@pytest.mark.parametrize(
    "value",
    [
        {"choices": [{"message": {"role": "assistant", "content": "Hi"}}]},
        {"choices": [{"text": "Hi"}]},
        {"choices": [{"delta": {"content": "Hi"}}]},
        {"candidates": [{"content": {"parts": [{"text": "Hi"}], "role": "model"}}]},
        {"generations": [[{"text": "Hi"}]]},
        {"output": "Hi"},
        {"message": {"role": "assistant", "content": "Hi"}, "done": True},
        {"replies": ["Hi"]},
        {"text": "Hi", "meta": {}},
        {"raw": "Hi", "messages": [{"role": "user", "content": "prompt"}], "output": None},
        {"messages": [{"role": "user", "content": "prompt"}, {"role": "assistant", "content": "Hi"}]},
        {"completion": "Hi", "stop": None},
        [{"type": "text", "text": "Hi"}],
        ["Hi"],
        "Hi",
    ],
)
def test_responses(value: Any) -> None:
    """What a model answered is found in the response of any API; a repeated prompt is not an answer."""
    assert answered(value if value == "Hi" else json.dumps(value)) == (said("assistant", "Hi"),)


def test_items_of_responses_have_the_role_of_what_they_are() -> None:
    """A call and a thought are the model's, an answer is the tool's."""
    items = [
        {"role": "user", "content": "Hi"},
        {"type": "reasoning", "summary": [{"text": "hm"}]},
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": "ok"},
        {"type": "text", "text": "more"},
    ]
    assert asked(items) == (
        said("user", "Hi"),
        Message("assistant", (Reasoning("hm"), ToolCall("c", "f", {}))),
        Message("tool", (ToolResponse("c", "ok"),)),
        said("user", "more"),
    )


def test_the_canonical_form() -> None:
    """The system leads in one message, answers of tools are apart, and what the assistant said in a row is one message."""
    told = [
        {"role": "system", "content": "A"},
        {"role": "developer", "content": "B"},
        {"role": "system", "content": "A"},
        {
            "role": "user",
            "content": [{"type": "tool_result", "tool_use_id": "c", "content": "ok"}, {"type": "text", "text": "x"}],
        },
        {"role": "assistant", "content": "1"},
        {"role": "assistant", "content": "2"},
        {"role": "assistant", "content": ""},
        {"role": "user", "content": "y"},
        {"role": "user", "content": "z"},
        {"role": "system", "content": "late"},
    ]
    assert asked(told) == (
        said("system", "A", "B"),
        Message("tool", (ToolResponse("c", "ok"),)),
        said("user", "x"),
        said("assistant", "1", "2"),
        said("user", "y"),
        said("user", "z"),
        said("system", "late"),
    )


@pytest.mark.parametrize(
    ("message", "parts"),
    [
        ({"role": "assistant", "content": "a", "reasoning_content": "hm"}, (Reasoning("hm"), Text("a"))),
        ({"role": "assistant", "content": None, "refusal": "no"}, (Text("no"),)),
        (
            {"role": "assistant", "audio": {"id": "a", "data": "AAAA", "transcript": "Hi"}},
            (Media("audio", size=3), Text("Hi")),
        ),
        ({"role": "assistant", "function_call": {"name": "f", "arguments": "{}"}}, (ToolCall(None, "f", {}),)),
        (
            {"role": "assistant", "content": [{"type": "tool_use", "id": "c", "name": "f", "input": {}}],
             "tool_calls": [{"id": "c", "name": "f", "args": {}}, {"id": "d", "name": "g", "args": {}}]},
            (ToolCall("c", "f", {}), ToolCall("d", "g", {})),
        ),
        (
            {"role": "assistant", "blocks": [{"block_type": "text", "text": "a"}], "content": "a"},
            (Text("a"),),
        ),
        ({"role": "assistant", "tool_calls": ["x"]}, None),
        ({"role": "assistant", "additional_kwargs": {"tool_calls": [{"id": "c", "function": {"name": "f", "arguments": "{}"}}]}}, (ToolCall("c", "f", {}),)),
    ],
)  # fmt: skip
def test_members_of_messages(message: Any, parts: tuple[Any, ...] | None) -> None:
    """Thoughts, refusals, audio and calls beside the content are parts; what is told twice is one part."""
    assert asked([message]) == (() if parts is None else (Message("assistant", parts),))


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ({"role": "tool", "content": [{"type": "text", "text": "a"}]}, "a"),
        ({"role": "tool", "blocks": [{"block_type": "text", "text": "a"}]}, "a"),
        ({"role": "tool", "parts": [{"type": "new", "a": 1}]}, {"type": "new", "a": 1}),
        ({"role": "tool", "parts": [{"type": "text", "text": "a"}, {"type": "new"}]},
         [{"type": "text", "content": "a"}, {"type": "other", "content": {"type": "new"}}]),
        ({"role": "tool", "tool_call_id": "c", "content": None}, None),
    ],
)  # fmt: skip
def test_answers_of_tools(message: Any, expected: Any) -> None:
    """The parts of a message of a tool are one answer."""
    ((found,),) = (one.parts for one in asked([message]))
    assert isinstance(found, ToolResponse)
    assert found.content == expected


def test_a_message_of_a_tool_without_anything_is_none() -> None:
    """Neither an id nor a content tells of an answer."""
    assert asked([{"role": "tool"}]) == ()


def test_parts_of_a_tool_beside_its_answer() -> None:
    """What a message of a tool says beside its answer is an answer too."""
    told = {
        "role": "tool",
        "content": [{"type": "tool_result", "tool_use_id": "c", "content": "ok"}, {"type": "text", "text": "x"}],
    }
    assert asked([told]) == (
        Message("tool", (ToolResponse("c", "ok"),)),
        Message("tool", (ToolResponse(None, "x"),)),
    )
