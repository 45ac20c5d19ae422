"""The call of a tool that a span or a log record tells of, and what the tool answered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from otel_sessions.content.blocks import blocks_in, parts_of
from otel_sessions.content.content import Content
from otel_sessions.content.json_values import clean, first_text, is_object, is_withheld, parsed
from otel_sessions.content.message import ASSISTANT, TOOL, Message, ToolCall, ToolResponse
from otel_sessions.content.messages import is_message, message_of
from otel_sessions.content.tool_parts import answer_of, arguments_of

NAMES: Final = (
    *("gen_ai.tool.name", "ai.toolCall.name", "tool.name", "tool_name", "function_name", "traceloop.entity.name"),
    *("haystack.component.name",),
)
IDS: Final = ("gen_ai.tool.call.id", "gen_ai.tool.call_id", "ai.toolCall.id", "tool_call.id", "tool_use_id", "call_id")


class Place(NamedTuple):
    """Where the arguments of a tool and its answer are.

    Attributes:
        title: the dialect, for people.
        arguments: the attribute with the arguments.
        result: the attribute with the answer.
        withheld: values of either that mean that it was not captured.
    """

    title: str
    arguments: str
    result: str
    withheld: frozenset[str] = frozenset()


OWN: Final[tuple[Place, ...]] = (
    Place("OpenTelemetry", "gen_ai.tool.call.arguments", "gen_ai.tool.call.result"),
    Place("Pydantic AI", "tool_arguments", "tool_response"),
    Place("Vercel AI SDK", "ai.toolCall.args", "ai.toolCall.result"),
    Place("Google ADK", "gcp.vertex.agent.tool_call_args", "gcp.vertex.agent.tool_response", frozenset({"{}", "N/A"})),
    Place("OpenInference", "tool_call.function.arguments", "tool.result"),
    Place("Strands", "tool.arguments", "tool.result"),
)
"""Attributes that only tools have."""

ANY: Final[tuple[Place, ...]] = (
    Place("Langfuse", "langfuse.observation.input", "langfuse.observation.output"),
    Place("MLflow", "mlflow.spanInputs", "mlflow.spanOutputs"),
    Place("LangSmith", "gen_ai.prompt", "gen_ai.completion"),
    Place("OpenInference", "input.value", "output.value"),
    Place("Traceloop", "traceloop.entity.input", "traceloop.entity.output"),
    Place("Haystack", "haystack.component.input", "haystack.component.output"),
    Place("Claude Code", "tool_input", ""),
)
"""Attributes that other spans have too: read so on the spans of tools only."""

OUTPUT_EVENT: Final = "tool.output"
"""Claude Code's span event with what a tool returned, and some of its arguments."""

_RETURNED: Final = ("output", "content", "diff", "tool.output", "tool.response")
_SIZES: Final = ("_truncated", "_original_length", "_length")
_ARGUMENTS_EVENT: Final = "gen_ai.tool.message"
_RESULT_EVENT: Final = "gen_ai.choice"
"""Strands tells of a tool in these two, on its span."""


def of_tool(
    attributes: Mapping[str, Any], events: Iterable[tuple[str, Mapping[str, Any]]], *, is_tool: bool
) -> Content | None:
    """The call and the answer in the attributes and events of a record; `None` if it has neither.

    Args:
        attributes: of the record.
        events: of the span.
        is_tool: the record is known to be a tool's, so that its general attributes mean the tool.
    """
    arguments = answer = None
    for place in (*OWN, *ANY) if is_tool else OWN:
        if arguments is None:
            arguments = _captured(attributes.get(place.arguments), place)
        if answer is None:
            answer = _captured(attributes.get(place.result), place)
    if is_tool:
        of_events = _of_events(events)
        arguments = of_events[0] if arguments is None else arguments
        answer = of_events[1] if answer is None else answer
    if arguments is None and answer is None:
        return None
    return exchanged(first_text(attributes, NAMES) or "", first_text(attributes, IDS), arguments, answer)


def exchanged(name: str, called: str | None, arguments: Any, answer: Any) -> Content:
    """The content of a record of a tool, from the arguments and the answer as the record has them; `None` where not told."""
    inner = None if arguments is None else _arguments(arguments)
    returned = None if answer is None else _answer(answer)
    if isinstance(returned, ToolResponse):
        called = called or returned.id
        returned = returned.content
    return Content(
        (Message(ASSISTANT, (ToolCall(called, name, inner),)),),
        () if answer is None else (Message(TOOL, (ToolResponse(called, returned),)),),
    )


def _captured(value: Any, place: Place) -> Any:
    return None if is_withheld(value) or (isinstance(value, str) and value in place.withheld) else value


def _arguments(given: Any) -> Any:
    """The arguments, without what LangChain, smolagents and function decorators put around them."""
    found = parsed(given)
    if is_object(found):
        inner = found.get("inputs")
        if "input_str" in found:
            return arguments_of(inner if is_object(inner) else found["input_str"])
        named, listed = found.get("kwargs"), found.get("args")
        if is_object(named) and not listed and (listed is not None or len(found) == 1):
            return clean(named)
    return arguments_of(found)


def _answer(given: Any) -> Any:
    """The answer: of a message, a block or LangChain's output what is in it."""
    found = parsed(given)
    if is_object(found):
        inner = found.get("output")
        held = inner if is_object(inner) else found
        parts = message_of(held, TOOL).parts if is_message(held) else []
        if len(parts) == 1 and isinstance(parts[0], ToolResponse):
            return parts[0]
        if "raw_output" in found:
            return clean(found["raw_output"])
    parts = parts_of(blocks_in(given))
    if len(parts) == 1 and isinstance(parts[0], ToolResponse):
        return parts[0]
    return answer_of(found, parts_of, 0)


def _of_events(events: Iterable[tuple[str, Mapping[str, Any]]]) -> tuple[Any, Any]:
    """The arguments and the answer that events of a tool's span tell."""
    arguments = answer = None
    for name, told in events:
        if name == OUTPUT_EVENT:
            kept = {key: value for key, value in told.items() if not key.endswith(_SIZES)}
            returned = next((key for key in _RETURNED if key in kept), None)
            answer = kept.pop(returned) if returned is not None else answer
            arguments = kept or arguments
        elif name == _ARGUMENTS_EVENT:
            arguments = told.get("content", arguments)
        else:
            answer = told.get("message", answer) if name == _RESULT_EVENT else answer
    return arguments, answer
