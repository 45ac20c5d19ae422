"""Requests and responses of APIs and frameworks, and lists of messages: what was said in them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from otel_sessions.content.blocks import DEEPEST, TYPES, is_blocks, parts_of
from otel_sessions.content.json_values import clean, is_list, is_object, parsed
from otel_sessions.content.message import ASSISTANT, SYSTEM, TOOL, USER, Other, Part, Reasoning, ToolCall, ToolResponse
from otel_sessions.content.messages import is_message, message_of
from otel_sessions.content.spoken import Spoken

SYSTEM_MEMBERS: Final = ("system", "system_instruction", "systemInstruction", "instructions")
"""Members of a request that hold what the system says."""

REQUEST: Final = (
    *("messages", "contents", "chat_history", "input", "prompt", "prompts", "input_messages", "inputs", "request"),
    *("kwargs", "value"),
)
RESPONSE: Final = (
    *(
        "choices",
        "candidates",
        "generations",
        "output",
        "message",
        "delta",
        "replies",
        "messages",
        "outputs",
        "response",
    ),
    *("update", "output_text", "completion", "content", "result", "results", "generation", "text", "raw", "value"),
)
"""Members that hold messages, in the order in which they are looked for."""

_ALONE: Final = (
    "query",
    "question",
    "user_input",
    "input_str",
    "task",
    "topic",
    "text",
    "message",
    "content",
    "answer",
)
"""Members that are what was said in an object that has no other."""

_NESTED: Final = ("messages", "message", "contents", "choices", "candidates", "generations", "replies")


def told(given: Any, role: str, depth: int = 0) -> list[Spoken]:
    """The messages in a value that is a request, a response, a list of messages, one message or anything else.

    Args:
        given: any value; a text is read as JSON if it is.
        role: of what names none: `USER` for what was asked, `ASSISTANT` for what came back.
        depth: how deep the value was found.
    """
    if depth == 0:
        given = None if given == "null" else parsed(given)
    if is_object(given) and depth < DEEPEST:
        return _object(given, role, depth)
    if is_list(given) and depth < DEEPEST:
        return _list(given, role, depth)
    parts = parts_of(given, depth)
    return [Spoken(role, parts)] if parts else []


def holds_messages(given: Any) -> bool:
    """True for a value that is a message, a list of some, or has a member that holds them."""
    if is_object(given):
        return is_message(given) or any(given.get(name) is not None for name in _NESTED)
    return is_list(given) and any(is_object(one) and holds_messages(one) for one in given)


def _object(given: Mapping[Any, Any], role: str, depth: int) -> list[Spoken]:
    if is_message(given):
        return [message_of(given, role, depth)]
    kind = given.get("type")
    if isinstance(kind, str) and kind in TYPES:
        return [_of_parts(parts_of(given, depth), role)]
    system = _system(given, depth) if role == USER else []
    for name in REQUEST if role == USER else RESPONSE:
        found = told(given.get(name), role, depth + 1)
        said = [part for one in found if role == USER or one.role in (ASSISTANT, TOOL) for part in one.parts]
        if any(not isinstance(part, Other) for part in said) or (said and holds_messages(given.get(name))):
            return [*system, *found]
    if holds_messages(given):
        return system
    found = _of_function(given, role, depth)
    if found or system:
        return [*system, *found]
    if len(given) == 1 and isinstance(text := next(iter(given.values())), str) and next(iter(given)) in _ALONE:
        return told(text, role, depth + 1)
    if not given:
        return []
    return [_of_parts(parts_of(given, depth) if is_blocks(given) else [Other(clean(given))], role)]


def _system(given: Mapping[Any, Any], depth: int) -> list[Spoken]:
    config = given.get("config")
    for holder in (given, config if is_object(config) else {}):
        for name in SYSTEM_MEMBERS:
            parts = system_parts(holder.get(name), depth)
            if parts:
                return [Spoken(SYSTEM, parts)]
    return []


def system_parts(given: Any, depth: int = 0) -> list[Part]:
    """The parts of system instructions: a text, a list of parts, or Google's content."""
    if is_object(given) and is_list(given.get("parts")):
        given = given["parts"]
    return parts_of(given, depth)


def _of_function(given: Mapping[Any, Any], role: str, depth: int) -> list[Spoken]:
    """What was said in the arguments of a function: messages, or its only argument if that is a text."""
    arguments = given.get("args")
    if not is_list(arguments) or not is_object(given.get("kwargs", {})):
        return []
    for argument in arguments:
        if holds_messages(argument):
            return told(argument, role, depth + 1)
    is_text = len(arguments) == 1 and isinstance(arguments[0], str) and not given.get("kwargs")
    return told(arguments[0], role, depth + 1) if is_text else []


def _list(given: Any, role: str, depth: int) -> list[Spoken]:
    found: list[Spoken] = []
    for one in given:
        if is_object(one) and is_message(one) and depth + 1 < DEEPEST:
            found.append(message_of(one, role, depth + 1))
            continue
        is_part = isinstance(one, str) or (is_object(one) and not is_message(one) and is_blocks(one))
        for spoken in told(one, role, depth + 1):
            if is_part and found and spoken.role == found[-1].role:
                found[-1].parts.extend(spoken.parts)
            else:
                found.append(spoken)
    if all(isinstance(part, Other) for one in found for part in one.parts) and not holds_messages(given):
        return [Spoken(role, [Other(clean(given))])] if given else []
    return found


def _of_parts(parts: list[Part], role: str) -> Spoken:
    """Parts that stand among messages, which tell whose they are."""
    if any(isinstance(part, ToolResponse) for part in parts):
        return Spoken(TOOL, parts)
    if any(isinstance(part, (ToolCall, Reasoning)) for part in parts):
        return Spoken(ASSISTANT, parts)
    return Spoken(role, parts)
