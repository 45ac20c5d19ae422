"""The usage object of a model's API or of a framework, as the tokens of a `Family`.

Some SDKs put the whole object into one attribute, as JSON, as a mapping or as Python prints it. Its own names tell what it
means: OpenAI's and LangChain's input includes cached tokens, Anthropic's and Bedrock's does not; Gemini's candidates do
not include thoughts. See https://platform.openai.com/docs/api-reference/chat/object,
https://docs.anthropic.com/en/api/messages, https://ai.google.dev/api/generate-content#UsageMetadata,
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_TokenUsage.html and
https://python.langchain.com/api_reference/core/messages/langchain_core.messages.ai.UsageMetadata.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from otel_sessions.dialects import values

_PLACES: Final = {
    "whole_input": ("prompt_tokens", "promptTokens"),
    "own_input": ("input_tokens", "inputTokens"),
    "gemini_input": ("promptTokenCount", "prompt_token_count"),
    "gemini_tool_input": ("toolUsePromptTokenCount", "tool_use_prompt_token_count"),
    "gemini_output": ("candidatesTokenCount", "candidates_token_count"),
    "gemini_thoughts": ("thoughtsTokenCount", "thoughts_token_count"),
    # Anthropic's and Bedrock's names: beside `input_tokens` they are not part of it.
    "read_beside_input": ("cache_read_input_tokens", "cacheReadInputTokens", "cacheReadInputTokenCount"),
    "write_beside_input": (
        *("cache_creation_input_tokens", "cacheWriteInputTokens", "cacheCreationInputTokens"),
        "cacheWriteInputTokenCount",
    ),
    "output": ("completion_tokens", "output_tokens", "outputTokens", "completionTokens"),
    "total": ("total_tokens", "totalTokens", "totalTokenCount", "total_token_count"),
    "cache_read": (
        *("prompt_tokens_details.cached_tokens", "input_tokens_details.cached_tokens"),
        *("input_token_details.cache_read", "input_token_details.cached_tokens", "inputTokenDetails.cacheReadTokens"),
        *("input_token_details.priority_cache_read", "input_token_details.flex_cache_read"),
        *("prompt_cache_hit_tokens", "cached_tokens", "cachedContentTokenCount", "cached_content_token_count"),
        "cachedInputTokens",
    ),
    "cache_write": (
        *("prompt_tokens_details.cache_creation_tokens", "prompt_tokens_details.cache_write_tokens"),
        *("input_tokens_details.cache_write_tokens", "input_token_details.cache_creation"),
        "inputTokenDetails.cacheWriteTokens",
    ),
    "cache_write_5m": (
        *("cache_creation.ephemeral_5m_input_tokens", "input_token_details.ephemeral_5m_input_tokens"),
        "prompt_tokens_details.cache_creation_token_details.ephemeral_5m_input_tokens",
    ),
    "cache_write_1h": (
        *("cache_creation.ephemeral_1h_input_tokens", "input_token_details.ephemeral_1h_input_tokens"),
        "prompt_tokens_details.cache_creation_token_details.ephemeral_1h_input_tokens",
    ),
    "cache_read_audio": (
        "input_token_details.cached_tokens_details.audio_tokens",
        "input_tokens_details.cached_tokens_details.audio_tokens",
        "prompt_tokens_details.cached_tokens_details.audio_tokens",
    ),
    "reasoning": (
        *("completion_tokens_details.reasoning_tokens", "output_tokens_details.reasoning_tokens"),
        *("output_tokens_details.thinking_tokens", "output_token_details.reasoning"),
        *("output_token_details.priority_reasoning", "output_token_details.flex_reasoning"),
        *("outputTokenDetails.reasoningTokens", "reasoningTokens", "reasoning_tokens"),
    ),
    "audio_input": (
        *("prompt_tokens_details.audio_tokens", "input_tokens_details.audio_tokens"),
        *("input_token_details.audio", "input_token_details.audio_tokens"),
    ),
    "audio_output": (
        *("completion_tokens_details.audio_tokens", "output_tokens_details.audio_tokens"),
        *("output_token_details.audio", "output_token_details.audio_tokens"),
    ),
}
"""Paths of keys by place, that is by what they count; of several that are present the greatest counts, since they are copies and one may be
left at 0."""

PLACE_OF: Final = MappingProxyType({path: place for place, paths in _PLACES.items() for path in paths})
_FOLDERS: Final = frozenset(path[:end] for path in PLACE_OF for end in range(len(path)) if path[end] == ".")
_AUDIO_LISTS: Final = MappingProxyType(
    {
        **dict.fromkeys(("promptTokensDetails", "prompt_tokens_details"), "audio_input"),
        **dict.fromkeys(("candidatesTokensDetails", "candidates_tokens_details"), "audio_output"),
        **dict.fromkeys(("cacheTokensDetails", "cache_tokens_details"), "cache_read_audio"),
    }
)
"""Gemini's lists of `{"modality": "AUDIO", "tokenCount": 7}`."""

_AS_THEY_ARE: Final = (
    *("total", "cache_write_5m", "cache_write_1h", "cache_read_audio", "audio_input", "audio_output"),
)
_TIERS: Final = ("priority", "flex")


def usage_slots(usage: Mapping[str, Any]) -> dict[str, Any]:
    """The tokens by slot of a `Family`, with inclusive `input` and `output`; `service_tier` and `speed` as they are."""
    return slots_of(collected(usage, PLACE_OF), usage)


def collected(usage: Mapping[str, Any], place_of: Mapping[str, str]) -> dict[str, int]:
    """The counts in a usage object by place, which a table gives for paths of keys."""
    found: dict[str, int] = {}
    _collect(usage, "", found, place_of)
    return found


def slots_of(found: Mapping[str, int], usage: Mapping[str, Any]) -> dict[str, Any]:
    """The slots for the counts by place of a usage object."""
    slots: dict[str, Any] = {slot: found.get(slot) for slot in _AS_THEY_ARE}
    slots["cache_read"] = _most(found.get("cache_read"), found.get("read_beside_input"))
    slots["cache_write"] = _most(found.get("cache_write"), found.get("write_beside_input"), _writes_by_time(found))
    slots["reasoning"] = _most(found.get("reasoning"), found.get("gemini_thoughts"))
    slots["input"] = _input(found, (slots["cache_read"] or 0) + (slots["cache_write"] or 0))
    slots["output"] = found.get("output")
    if "gemini_output" in found:
        slots["output"] = found["gemini_output"] + found.get("gemini_thoughts", 0)
    slots["service_tier"] = usage.get("service_tier") or _langchains_tier(usage)
    slots["speed"] = usage.get("speed")
    return slots


def _writes_by_time(counts: Mapping[str, int]) -> int | None:
    """The sum of the cache writes by time to live; `None` without any."""
    return counts.get("cache_write_5m", 0) + counts.get("cache_write_1h", 0) or None


def _collect(usage: Mapping[str, Any], folder: str, found: dict[str, int], place_of: Mapping[str, str]) -> None:
    for key, value in usage.items():
        path = f"{folder}{key}"
        place = place_of.get(path)
        if place is not None:
            count = values.tokens(value)
        elif isinstance(value, Mapping):
            if path in _FOLDERS:
                _collect(value, path + ".", found, place_of)
            continue
        elif isinstance(value, list | tuple) and path in _AUDIO_LISTS:
            place, count = _AUDIO_LISTS[path], _audio(value)
        else:
            continue
        if count is not None:
            found[place] = max(count, found.get(place, 0))


def _input(found: Mapping[str, int], cached: int) -> int | None:
    if "whole_input" in found:
        return found["whole_input"]
    if "gemini_input" in found:
        return found["gemini_input"] + found.get("gemini_tool_input", 0)
    own = found.get("own_input")
    if own is not None and ("read_beside_input" in found or "write_beside_input" in found):
        return own + cached
    return own


def _langchains_tier(usage: Mapping[str, Any]) -> str | None:
    """LangChain names the tier in the details: `{"flex": 42, "flex_cache_read": 100}`."""
    details = usage.get("input_token_details")
    return next((tier for tier in _TIERS if tier in details), None) if isinstance(details, Mapping) else None


def _most(*counts: int | None) -> int | None:
    return max((count for count in counts if count is not None), default=None)


def _audio(details: Sequence[Any]) -> int | None:
    parts = (part for part in details if isinstance(part, Mapping) and part.get("modality") == "AUDIO")
    return next((values.tokens(part.get("tokenCount", part.get("token_count"))) for part in parts), None)
