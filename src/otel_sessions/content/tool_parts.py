"""Tool calls, and the answers of tools, as any provider writes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from otel_sessions.content.json_values import (
    clean,
    clean_text,
    first,
    first_text,
    is_list,
    is_object,
    is_withheld,
    parsed,
)
from otel_sessions.content.message import Part, Text, ToolCall, ToolResponse, shown

_CALL_ID: Final = ("call_id", "toolCallId", "toolUseId", "tool_call_id", "tool_use_id", "ref", "id")
"""The id of an item of OpenAI's Responses is another than that of the call, so `id` is last."""

_NAME: Final = ("name", "toolName", "tool_name")
_ARGUMENTS: Final = ("arguments", "args", "input", "tool_kwargs")
_ANSWER: Final = ("response", "result", "content", "output", "tool_call_result", "value")
_ONLY: Final = (frozenset({"result"}), frozenset({"output"}))
"""Google's answers are objects; its SDK puts a plain answer into one of these members."""

_TYPED_VALUES: Final = frozenset({"text", "json", "error-text", "error-json", "content"})

ReadParts = Callable[[Any, int], "list[Part]"]


def call_of(block: Mapping[Any, Any], *, without_arguments: Any = None) -> ToolCall:
    """The call that a block tells of; the arguments are unknown if none are told."""
    inner = block.get("function")
    named = inner if is_object(inner) else block
    arguments = first(named, _ARGUMENTS)
    return ToolCall(
        first_text(block, _CALL_ID) or first_text(named, _CALL_ID),
        first_text(named, _NAME) or "",
        without_arguments if arguments is None else arguments_of(arguments),
    )


def arguments_of(given: Any) -> Any:
    """The arguments of a call as a JSON value; an empty text is a call without arguments."""
    return {} if given == "" else clean(parsed(given))


def response_of(block: Mapping[Any, Any], read_parts: ReadParts, depth: int) -> ToolResponse:
    """The answer that a block tells of."""
    return ToolResponse(first_text(block, _CALL_ID), answer_of(first(block, _ANSWER), read_parts, depth))


def google_response_of(block: Mapping[Any, Any], read_parts: ReadParts, depth: int) -> ToolResponse:
    """The answer that a block of Google tells of."""
    answer = block.get("response")
    if is_object(answer) and answer.keys() in _ONLY:
        (answer,) = answer.values()
    return ToolResponse(first_text(block, _CALL_ID), answer_of(answer, read_parts, depth))


def answer_of(given: Any, read_parts: ReadParts, depth: int) -> Any:
    """What a tool answered: a JSON value or a text; the texts of blocks are put together, bytes become placeholders."""
    given = parsed(given)
    if is_object(given) and given.get("type") in _TYPED_VALUES and "value" in given:
        given = given["value"]
    if isinstance(given, str):
        return clean_text(given) if not given or not is_withheld(given) else None
    if is_list(given) and given and all(_is_block(one) for one in given):
        if len(given) == 1 and "json" in given[0]:
            return clean(given[0]["json"])
        parts = read_parts(given, depth + 1)
        if all(isinstance(part, Text) for part in parts):
            return "\n".join(part.content for part in parts if isinstance(part, Text))
        return [shown(part) for part in parts]
    return clean(given)


_BLOCKS: Final = frozenset(
    (
        *("text", "input_text", "output_text", "image", "image_url", "input_image", "image-data", "image-url", "media"),
        *("document", "file", "audio", "resource", "tool_reference", "search_result", "input_file"),
    )
)


def _is_block(one: Any) -> bool:
    if not is_object(one):
        return False
    kind = one.get("type")
    return kind in _BLOCKS if isinstance(kind, str) else len(one) == 1 and next(iter(one)) in _KEYS


_KEYS: Final = frozenset({"text", "json", "image", "document", "video"})
"""Members of which Bedrock's blocks have one."""
