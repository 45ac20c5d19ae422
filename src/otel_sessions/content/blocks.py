"""Blocks of content, as OpenAI, Anthropic, Bedrock, Google, Vercel, LangChain and OpenTelemetry write them, as parts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from otel_sessions.content.json_values import clean, clean_text, first, is_list, is_object, is_withheld, parsed
from otel_sessions.content.media import media_of
from otel_sessions.content.message import Other, Part, Reasoning, Text, ToolCall
from otel_sessions.content.tool_parts import call_of, google_response_of, response_of

DEEPEST: Final = 12
"""How deep blocks are searched in blocks."""

Block = Mapping[Any, Any]
_Reader = Callable[[Block, int], Iterable[Part]]


def parts_of(given: Any, depth: int = 0) -> list[Part]:
    """The parts of the content of a message: a text, a block or a list of both. Blank and withheld texts are left out."""
    if isinstance(given, str):
        return _texts(given)
    if is_object(given):
        return list(_of_block(given, depth))
    if is_list(given):
        if depth >= DEEPEST:
            return [Other(clean(given))]
        return [part for one in given for part in parts_of(one, depth + 1)]
    return [] if given is None else [Other(clean(given))]


def blocks_in(given: Any) -> Any:
    """The list of blocks that a text holds as JSON; anything else as it is."""
    if not isinstance(given, str):
        return given
    found = parsed(given)
    return found if is_list(found) and is_blocks(found) else given


def is_blocks(given: Any) -> bool:
    """True for a block, and for a list of nothing else."""
    if is_object(given):
        return _reader_of(given) is not None
    return is_list(given) and bool(given) and all(is_object(one) and is_blocks(one) for one in given)


def reasoning_of(given: Any) -> list[Part]:
    """What a model thought, wherever the texts are: in a text, a list, or one of the members that providers use."""
    found: list[str] = []
    _thoughts(given, found, DEEPEST)
    return [Reasoning(clean_text(text)) for text in found if text.strip() and not is_withheld(text)]


_THOUGHT: Final = (
    *(
        "content",
        "text",
        "thinking",
        "reasoning",
        "summary",
        "reasoningText",
        "reasoning_text",
        "value",
        "reasoning_content",
    ),
)


def _thoughts(given: Any, found: list[str], deep: int) -> None:
    if isinstance(given, str):
        found.append(given)
    elif deep and is_list(given):
        for one in given:
            _thoughts(one, found, deep - 1)
    elif deep and is_object(given):
        for name in _THOUGHT:
            _thoughts(given.get(name), found, deep - 1)


def _texts(text: str) -> list[Part]:
    return [] if is_withheld(text) or text.isspace() else [Text(clean_text(text))]


_TEXT: Final = ("text", "content", "value", "refusal", "transcript", "data")


def _text(block: Block, depth: int) -> list[Part]:
    if len(block) == 2 and "thought" not in block:
        # Nearly all are a type and a text.
        only = block.get("text", block.get("content"))
        if isinstance(only, str):
            return _texts(only)
    found = first(block, _TEXT)
    if block.get("thought") is True:
        return reasoning_of(found)
    if is_object(found) and isinstance(found.get("value"), str):
        found = found["value"]
    return parts_of(found, depth + 1) if found is None or isinstance(found, str) else [Other(clean(block))]


def _reasoning(block: Block, depth: int) -> list[Part]:
    del depth
    return reasoning_of(block)


def _call(block: Block, depth: int) -> list[Part]:
    del depth
    return [call_of(block)]


def _response(block: Block, depth: int) -> list[Part]:
    return [response_of(block, parts_of, depth)]


def _server_call(block: Block, depth: int) -> list[Part]:
    inner = block.get("server_tool_call")
    if not is_object(inner):
        return _call(block, depth)
    call = call_of({"arguments": {key: value for key, value in inner.items() if key != "type"}, **block})
    return [ToolCall(call.id, call.name or str(clean(inner.get("type")) or ""), call.arguments)]


def _server_response(block: Block, depth: int) -> list[Part]:
    return [response_of({"content": block.get("server_tool_call_response"), **block}, parts_of, depth)]


def _media(block: Block, depth: int) -> list[Part]:
    del depth
    kind = block.get("type", block.get("block_type"))
    return [media_of(block, kind if isinstance(kind, str) else str(next(iter(block), "")))]


def _audio(block: Block, depth: int) -> list[Part]:
    spoken = block.get("transcript")
    return [*_media(block, depth), *(_texts(spoken) if isinstance(spoken, str) else ())]


def _nothing(block: Block, depth: int) -> list[Part]:
    del block, depth
    return []


TYPES: Final[Mapping[str, _Reader]] = {
    **dict.fromkeys(("text", "input_text", "output_text", "refusal", "summary_text"), _text),
    **dict.fromkeys(("reasoning", "thinking", "reasoning_content", "reasoning-part"), _reasoning),
    **dict.fromkeys(("tool_call", "tool-call", "tool_use", "toolUse", "function_call", "function", "mcp_call"), _call),
    **dict.fromkeys(("custom_tool_call", "server_tool_use"), _call),
    "server_tool_call": _server_call,
    "server_tool_call_response": _server_response,
    **dict.fromkeys(("tool_call_response", "tool_result", "tool-result", "toolResult"), _response),
    **dict.fromkeys(("function_call_output", "custom_tool_call_output", "tool-error"), _response),
    **dict.fromkeys(("web_search_tool_result", "mcp_tool_result", "code_execution_tool_result"), _response),
    **dict.fromkeys(("image", "image_url", "input_image", "image-url", "document", "file", "input_file"), _media),
    **dict.fromkeys(("blob", "uri", "video", "video_url", "media", "document_url"), _media),
    **dict.fromkeys(("audio", "input_audio", "output_audio", "audio_url"), _audio),
}
"""By the type of a block. Any other is kept as it is, if it has no member of `KEYS`."""


def _of_text(value: Any, block: Block, depth: int) -> Iterable[Part]:
    return _text(block, depth) if isinstance(value, str) else [Other(clean(block))]


def _of_thoughts(value: Any, block: Block, depth: int) -> Iterable[Part]:
    del block, depth
    return reasoning_of(value)


def _of_call(value: Any, block: Block, depth: int) -> Iterable[Part]:
    del depth
    return [call_of(value, without_arguments={}) if is_object(value) else Other(clean(block))]


def _of_google_response(value: Any, block: Block, depth: int) -> Iterable[Part]:
    return [google_response_of(value, parts_of, depth) if is_object(value) else Other(clean(block))]


def _of_response(value: Any, block: Block, depth: int) -> Iterable[Part]:
    return [response_of(value, parts_of, depth) if is_object(value) else Other(clean(block))]


def _of_haystack(value: Any, block: Block, depth: int) -> Iterable[Part]:
    if not is_object(value):
        return [Other(clean(block))]
    origin = value.get("origin")
    return [response_of({**(origin if is_object(origin) else {}), **value}, parts_of, depth)]


def _of_media(value: Any, block: Block, depth: int) -> Iterable[Part]:
    del value
    return _media(block, depth)


def _of_cache_point(value: Any, block: Block, depth: int) -> Iterable[Part]:
    del value
    return _nothing(block, depth)


KEYS: Final[Mapping[str, Callable[[Any, Block, int], Iterable[Part]]]] = {
    "text": _of_text,
    **dict.fromkeys(("toolUse", "toolRequest"), _of_call),
    **dict.fromkeys(("toolResult", "toolResponse"), _of_response),
    "function_call": _of_call,
    "functionCall": _of_call,
    "function_response": _of_google_response,
    "functionResponse": _of_google_response,
    "tool_call": _of_call,
    "tool_call_result": _of_haystack,
    "reasoningContent": _of_thoughts,
    "reasoning": _of_thoughts,
    **dict.fromkeys(("inline_data", "inlineData", "file_data", "fileData"), _of_media),
    **dict.fromkeys(("image", "document", "video", "audio", "media"), _of_media),
    "cachePoint": _of_cache_point,
}
"""By a member of a block without a type that is known, in this order: Bedrock, Genkit, Google, Haystack, OpenInference."""


def _reader_of(block: Block) -> _Reader | None:
    kind = block.get("type", block.get("block_type"))
    if isinstance(kind, str) and kind in TYPES:
        return TYPES[kind]
    if isinstance(kind, str) and kind and "text" not in block:
        return None
    for key, read in KEYS.items():
        if block.get(key) is not None:
            return lambda block, depth: read(block[key], block, depth)
    return None


def _of_block(block: Block, depth: int) -> Iterable[Part]:
    if depth >= DEEPEST:
        return [Other(clean(block))]
    known = TYPES.get(kind) if isinstance(kind := block.get("type"), str) else None
    if known is not None:
        return known(block, depth)
    inner = block.get("message_content")
    if is_object(inner):
        # OpenInference puts the call of a `tool_use` beside it.
        call = block.get("tool_call")
        return [call_of(call)] if is_object(call) else _of_block(inner, depth + 1)
    read = _reader_of(block)
    if read is not None:
        return read(block, depth)
    if "type" not in block and isinstance(block.get("content"), str):
        return _text(block, depth)
    return [Other(clean(block))] if block else []
