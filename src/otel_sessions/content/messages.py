"""One message, in the form of any API or framework."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from otel_sessions.content.blocks import blocks_in, is_blocks, parts_of, reasoning_of
from otel_sessions.content.json_values import first, first_text, is_list, is_object
from otel_sessions.content.message import TOOL, Part, Text, ToolCall, ToolResponse
from otel_sessions.content.roles import role_of
from otel_sessions.content.spoken import Spoken, content_of
from otel_sessions.content.tool_parts import answer_of, call_of

_BLOCKS: Final = ("parts", "contents", "blocks")
_WHOLE: Final = ("content", "_content")
_ROLE: Final = ("role", "_role")
_THOUGHTS: Final = ("reasoning_content", "reasoning", "thinking")
MEMBERS: Final = (
    *_BLOCKS,
    *_WHOLE,
    *_THOUGHTS,
    "refusal",
    "audio",
    "tool_calls",
    "function_call",
    "additional_kwargs",
    "data",
    "kwargs",
)
"""The members of messages that hold what was said."""

_ANSWERED_CALL: Final = ("tool_call_id", "toolCallId", "call_id", "tool_use_id", "id")
_TYPED: Final = frozenset({"human", "ai", "system", "tool", "function", "chat", "developer"})
"""LangChain's types of messages."""


_PLAIN: Final = frozenset({"role", "parts", "name", "finish_reason"})
"""The members of a message in OpenTelemetry's form."""

_SIMPLE: Final = frozenset({"role", "content", "name"})
"""The members of most messages in OpenAI's form."""


def is_message(given: Mapping[Any, Any]) -> bool:
    """True for an object that is a message."""
    if isinstance(first(given, _ROLE), str) or _constructed(given) is not None:
        return True
    kind = given.get("type")
    return isinstance(kind, str) and kind in _TYPED and ("content" in given or "data" in given)


def message_of(given: Mapping[Any, Any], role: str, depth: int = 0) -> Spoken:
    """The message that an object is.

    Args:
        given: the message.
        role: of one that names none, or one that means nothing.
        depth: how deep it was found.
    """
    if given.keys() <= _PLAIN:
        return Spoken(role_of(given.get("role"), role), parts_of(given.get("parts"), depth))
    if given.keys() <= _SIMPLE and role_of(given.get("role"), role) != TOOL:
        return Spoken(role_of(given.get("role"), role), _of_content(given.get("content"), depth))
    given = _constructed(given) or given
    role = role_of(first(given, (*_ROLE, "type")), role)
    data = given.get("data")
    if is_object(data) and "content" in data:
        given = data
    parts = [*_thoughts(given), *_content(given, depth)]
    parts += _calls(given, parts)
    if role == TOOL and not any(isinstance(part, ToolResponse) for part in parts):
        parts = _answer(given, parts, depth)
    return Spoken(role, parts)


def _constructed(given: Mapping[Any, Any]) -> Mapping[Any, Any] | None:
    """The fields of a message that LangChain wrote as a call of its class."""
    names, fields = given.get("id"), given.get("kwargs")
    if given.get("lc") is None or not is_list(names) or not names or not is_object(fields):
        return None
    return {"role": names[-1], **fields}


def _thoughts(given: Mapping[Any, Any]) -> list[Part]:
    return reasoning_of(first(given, _THOUGHTS))


def _content(given: Mapping[Any, Any], depth: int) -> list[Part]:
    parts = [part for name in _BLOCKS for part in parts_of(given.get(name), depth)]
    # OpenInference has the text in both where a message has blocks.
    if not any(isinstance(part, Text) for part in parts):
        parts += [part for name in _WHOLE for part in _of_content(given.get(name), depth)]
    refusal, audio = given.get("refusal"), given.get("audio")
    parts += parts_of(refusal, depth) if isinstance(refusal, str) else []
    return parts + (parts_of({**audio, "type": "audio"}, depth) if is_object(audio) else [])


def _of_content(content: Any, depth: int) -> list[Part]:
    if is_object(content) and not is_blocks(content) and is_list(content.get("parts")):
        return parts_of(content["parts"], depth)
    return parts_of(blocks_in(content), depth)


def _calls(given: Mapping[Any, Any], parts: list[Part]) -> list[Part]:
    """The calls beside the content, without those that it has too."""
    extra = given.get("additional_kwargs")
    calls = _listed(given) or (_listed(extra) if is_object(extra) else [])
    known = {_identity(part) for part in parts if isinstance(part, ToolCall)}
    return [call for call in calls if _identity(call) not in known]


def _identity(call: ToolCall) -> str:
    return call.id or json.dumps([call.name, call.arguments], sort_keys=True)


def _listed(given: Mapping[Any, Any]) -> list[ToolCall]:
    listed, single = given.get("tool_calls"), given.get("function_call")
    if is_list(listed) and listed:
        return [call_of(_inner(call)) for call in listed if is_object(call)]
    return [call_of(single)] if is_object(single) else []


def _inner(call: Mapping[Any, Any]) -> Mapping[Any, Any]:
    inner = call.get("tool_call")
    return inner if is_object(inner) else call


def _answer(given: Mapping[Any, Any], parts: list[Part], depth: int) -> list[Part]:
    """The one part of a message of a tool."""
    answer = (
        content_of(parts) if first(given, _BLOCKS) is not None else answer_of(first(given, _WHOLE), parts_of, depth)
    )
    called = first_text(given, _ANSWERED_CALL)
    return [] if called is None and answer is None else [ToolResponse(called, answer)]
