"""The call of a tool, and its answer, on the spans of tools."""

from __future__ import annotations

import json
from typing import Any

import pytest

from otel_sessions.content.content import Content
from otel_sessions.content.message import Message, Text, ToolCall, ToolResponse
from otel_sessions.content.read import read_span

CALL = Content(
    (Message("assistant", (ToolCall("call_1", "get_weather", {"city": "Paris"}),)),),
    (Message("tool", (ToolResponse("call_1", "rainy 14"),)),),
)
PARIS = '{"city": "Paris"}'
OTEL = {"gen_ai.tool.name": "get_weather", "gen_ai.tool.call.id": "call_1"}
LANGCHAIN = json.dumps(
    {"input_str": "{'city': 'Paris'}", "tags": [], "inputs": {"city": "Paris"}, "kwargs": {"tool_call_id": "call_1"}}
)
TOOL_MESSAGE = {
    "lc": 1,
    "type": "constructor",
    "id": ["langchain", "schema", "messages", "ToolMessage"],
    "kwargs": {"content": "rainy 14", "type": "tool", "tool_call_id": "call_1"},
}


@pytest.mark.parametrize(
    ("attributes", "kind"),
    [
        ({**OTEL, "gen_ai.tool.call.arguments": PARIS, "gen_ai.tool.call.result": "rainy 14"}, ""),
        ({**OTEL, "gen_ai.tool.call.arguments": {"city": "Paris"}, "gen_ai.tool.call.result": '"rainy 14"'}, "tool"),
        ({**OTEL, "tool_arguments": PARIS, "tool_response": "rainy 14"}, "tool"),
        (
            {
                "ai.toolCall.name": "get_weather",
                "ai.toolCall.id": "call_1",
                "ai.toolCall.args": PARIS,
                "ai.toolCall.result": '{"type": "text", "value": "rainy 14"}',
            },
            "",
        ),
        ({**OTEL, "gcp.vertex.agent.tool_call_args": PARIS, "gcp.vertex.agent.tool_response": "rainy 14"}, "tool"),
        (
            {
                "openinference.span.kind": "TOOL",
                "tool.name": "get_weather",
                "tool_call.id": "call_1",
                "input.value": PARIS,
                "output.value": "rainy 14",
            },
            "",
        ),
        (
            {
                **OTEL,
                "gen_ai.tool.call.arguments": LANGCHAIN,
                "gen_ai.tool.call.result": json.dumps({"output": TOOL_MESSAGE, "kwargs": {}}),
            },
            "tool",
        ),
        (
            {
                "traceloop.span.kind": "tool",
                "traceloop.entity.name": "get_weather",
                "traceloop.entity.input": json.dumps({"input_str": PARIS}),
                "traceloop.entity.output": json.dumps(TOOL_MESSAGE),
            },
            "",
        ),
        (
            {
                "langfuse.observation.type": "tool",
                **OTEL,
                "langfuse.observation.input": json.dumps({"args": [], "kwargs": {"city": "Paris"}}),
                "langfuse.observation.output": json.dumps({"raw_output": "rainy 14"}),
            },
            "",
        ),
        (
            {
                "mlflow.spanType": '"TOOL"',
                **OTEL,
                "mlflow.spanInputs": PARIS,
                "mlflow.spanOutputs": '"rainy 14"',
            },
            "",
        ),
        (
            {
                **OTEL,
                "tool.arguments": PARIS,
                "tool.result": json.dumps([{"toolResult": {"toolUseId": "call_1", "content": [{"text": "rainy 14"}]}}]),
            },
            "tool",
        ),
    ],
)
def test_a_tool_span_tells_its_call_and_its_answer(attributes: dict[str, Any], kind: str) -> None:
    """All dialects tell the same: a message of the assistant with the call, and one of the tool."""
    assert read_span(attributes, kind=kind) == CALL


def test_strands_tells_of_tools_in_events() -> None:
    """The events of a tool's span are its arguments and its answer, not messages."""
    events = [
        ("gen_ai.tool.message", {"role": "tool", "content": PARIS, "id": "call_1"}),
        ("gen_ai.choice", {"message": '[{"text": "rainy 14"}]', "id": "call_1"}),
        ("another", {}),
    ]
    assert read_span(OTEL, events=events, kind="tool") == CALL


@pytest.mark.parametrize(
    ("event", "arguments", "answer"),
    [
        ({"bash_command": "ls", "output": "a.txt", "output_truncated": True}, {"bash_command": "ls"}, "a.txt"),
        ({"file_path": "/a", "content": "text"}, {"file_path": "/a"}, "text"),
        ({"file_path": "/a", "diff": "+b"}, {"file_path": "/a"}, "+b"),
        ({"tool.output": "ok"}, None, "ok"),
        ({"file_path": "/a"}, {"file_path": "/a"}, None),
    ],
)
def test_claude_code_tells_of_tools_in_an_event(event: dict[str, Any], arguments: Any, answer: Any) -> None:
    """What a tool returned is in `tool.output`, with some of its arguments."""
    found = read_span({"tool_name": "Bash", "tool_use_id": "t"}, events=[("tool.output", event)], kind="tool")
    assert found is not None
    assert found.input == (Message("assistant", (ToolCall("t", "Bash", arguments),)),)
    assert found.output == (() if answer is None else (Message("tool", (ToolResponse("t", answer),)),))


@pytest.mark.parametrize("withheld", ["{}", "N/A", "<elided>"])
def test_a_tool_of_adk_whose_content_is_off_has_none(withheld: str) -> None:
    """What ADK writes in place of content is no content."""
    attributes = {"gcp.vertex.agent.tool_call_args": withheld, "gcp.vertex.agent.tool_response": withheld}
    llm = {"gcp.vertex.agent.llm_request": "{}", "gcp.vertex.agent.llm_response": "{}"}
    assert read_span({**OTEL, **attributes, **llm}, kind="tool") is None


def test_only_an_answer_leaves_the_arguments_unknown() -> None:
    """What was not told is `None`, and no tool's name is made up."""
    assert read_span({"gen_ai.tool.call.result": [1, 2]}) == Content(
        (Message("assistant", (ToolCall(None, "", None),)),), (Message("tool", (ToolResponse(None, [1, 2]),)),)
    )


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("value", "value"),
        ('{"kwargs": {"city": "Paris"}}', {"city": "Paris"}),
        ('{"args": ["Paris"], "kwargs": {}}', {"args": ["Paris"], "kwargs": {}}),
        ('{"a": 1, "kwargs": {}}', {"a": 1, "kwargs": {}}),
        ('{"cut', '{"cut'),
    ],
)
def test_arguments_are_json_or_text(arguments: str, expected: Any) -> None:
    """Arguments that are no object stay as they are; those of functions are unwrapped if they are all named."""
    found = read_span({"tool.name": "f", "input.value": arguments}, kind="tool")
    assert found == Content((Message("assistant", (ToolCall(None, "f", expected),)),))


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ('{"output": 3}', {"output": 3}),
        ('{"role": "user", "content": "x"}', {"role": "user", "content": "x"}),
        ('[{"type": "missing", "loc": ["city"]}]', [{"type": "missing", "loc": ["city"]}]),
        ("[]", []),
        ("14", "14"),
    ],
)
def test_answers_are_json_or_text(answer: str, expected: Any) -> None:
    """An answer of any shape is kept as it is."""
    found = read_span({"tool.name": "f", "output.value": answer}, kind="tool")
    assert found is not None
    assert found.output == (Message("tool", (ToolResponse(None, expected),)),)


def test_a_span_of_another_kind_is_read_as_messages() -> None:
    """General attributes mean a tool on the span of a tool only."""
    attributes = {"openinference.span.kind": "CHAIN", "tool.name": "f", "input.value": "Hi"}
    assert read_span(attributes) == Content((Message("user", (Text("Hi"),)),))
    assert read_span(attributes, kind="workflow") == Content((Message("user", (Text("Hi"),)),))
