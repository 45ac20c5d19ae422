"""Log records of coding agents: which event has whose words in which attribute, as data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from otel_sessions.content.blocks import parts_of
from otel_sessions.content.content import Content
from otel_sessions.content.json_values import first, first_text, is_withheld
from otel_sessions.content.message import ASSISTANT, USER
from otel_sessions.content.shapes import told
from otel_sessions.content.spoken import Spoken, answered, canonical
from otel_sessions.content.tools import exchanged


class Words(NamedTuple):
    """An event whose attributes are what somebody said.

    Attributes:
        name: of the attribute.
        role: who says it: `USER` for what the model was given, `ASSISTANT` for what it answered.
        is_json: it may be a request or a response, which repeats what was said before.
    """

    name: str
    role: str
    is_json: bool = False


class Tool(NamedTuple):
    """An event of a tool.

    Attributes:
        arguments: names of the attributes with its arguments, the best first.
        result: of the one with its answer, if the agent sends any.
    """

    arguments: tuple[str, ...]
    result: tuple[str, ...] = ()


_OF_GEMINI: Final[Mapping[str, Words | Tool]] = {
    "user_prompt": Words("prompt", USER),
    "api_request": Words("request_text", USER, is_json=True),
    "api_response": Words("response_text", ASSISTANT, is_json=True),
    "tool_call": Tool(("function_args",), ("function_response", "result")),
}

EVENTS: Final[Mapping[str, Words | Tool]] = {
    "claude_code.user_prompt": Words("prompt", USER),
    "claude_code.assistant_response": Words("response", ASSISTANT),
    "claude_code.tool_result": Tool(("tool_input", "tool_parameters"), ("tool_output",)),
    "claude_code.api_request_body": Words("body", USER, is_json=True),
    "claude_code.api_response_body": Words("body", ASSISTANT, is_json=True),
    "codex.user_prompt": Words("prompt", USER),
    "codex.tool_result": Tool(("arguments",), ("output",)),
    **{f"gemini_cli.{name}": how for name, how in _OF_GEMINI.items()},
    **{f"qwen-code.{name}": how for name, how in _OF_GEMINI.items()},
}
"""By the full name of the event. Copilot, goose, opencode and openclaw use the attributes of `sources`."""

COMPACTIONS: Final = frozenset({"claude_code.compaction", "gemini_cli.chat_compression", "qwen-code.chat_compression"})
"""Events that tell that what was said before was summed up."""

_CALL_ID: Final = ("tool_use_id", "call_id", "tool_call_id")
_TOOL: Final = ("tool_name", "function_name")


def of_agent(name: str, attributes: Mapping[str, Any]) -> Content | None:
    """What the event of a coding agent with this full name holds; `None` if it holds no words."""
    if name in COMPACTIONS:
        return Content(compacted=True) if str(attributes.get("success", True)).lower() != "false" else None
    how = EVENTS.get(name)
    if isinstance(how, Words):
        return _words(how, attributes.get(how.name))
    if isinstance(how, Tool):
        arguments, answer = first(attributes, how.arguments), first(attributes, how.result)
        if is_withheld(arguments) and is_withheld(answer):
            return None
        content = exchanged(first_text(attributes, _TOOL) or "", first_text(attributes, _CALL_ID), arguments, answer)
        return Content(content.input, content.output, is_new=True)
    return None


def _words(how: Words, value: Any) -> Content | None:
    if is_withheld(value):
        return None
    messages = canonical(told(value, how.role) if how.is_json else [Spoken(how.role, parts_of(value))])
    if not messages:
        return None
    if how.role == USER:
        return Content(messages, is_new=not how.is_json)
    return Content((), answered(messages), is_new=True)
