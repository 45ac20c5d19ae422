"""The usage object of a model's API or of a framework, as the tokens of a `Family`.

Some SDKs put the whole object into one attribute, as JSON, as a mapping or as Python prints it. Its own names tell what it
means: OpenAI's and LangChain's input includes cached tokens, Anthropic's and Bedrock's does not; Gemini's candidates do
not include thoughts. See https://platform.openai.com/docs/api-reference/chat/object,
https://docs.anthropic.com/en/api/messages, https://ai.google.dev/api/generate-content#UsageMetadata,
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_TokenUsage.html and
https://python.langchain.com/api_reference/core/messages/langchain_core.messages.ai.UsageMetadata.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from otel_sessions.dialects import values

_Names = tuple[tuple[str, ...], ...]
"""Paths of keys; of several that are present the greatest counts, since they are copies and a copy may be left at 0."""


def _paths(*dotted: str) -> _Names:
    return tuple(tuple(path.split(".")) for path in dotted)


_INCLUSIVE_INPUT: Final = _paths("prompt_tokens", "promptTokens")
_INPUT: Final = _paths("input_tokens", "inputTokens")
_OUTPUT: Final = _paths("completion_tokens", "output_tokens", "outputTokens", "completionTokens")
_TOTAL: Final = _paths("total_tokens", "totalTokens", "totalTokenCount", "total_token_count")

_CACHE_BESIDE_INPUT: Final = _paths(
    *("cache_read_input_tokens", "cache_creation_input_tokens", "cacheReadInputTokens", "cacheWriteInputTokens"),
    *("cacheCreationInputTokens", "cacheReadInputTokenCount", "cacheWriteInputTokenCount"),
)
"""Anthropic's and Bedrock's names: beside `input_tokens` they are not part of it."""

_GEMINI_INPUT: Final = _paths("promptTokenCount", "prompt_token_count")
_GEMINI_TOOL_INPUT: Final = _paths("toolUsePromptTokenCount", "tool_use_prompt_token_count")
_GEMINI_OUTPUT: Final = _paths("candidatesTokenCount", "candidates_token_count")
_GEMINI_THOUGHTS: Final = _paths("thoughtsTokenCount", "thoughts_token_count")

_PARTS: Final = {
    "cache_read": _paths(
        *("cache_read_input_tokens", "cacheReadInputTokens", "cacheReadInputTokenCount", "cachedInputTokens"),
        *("prompt_tokens_details.cached_tokens", "input_tokens_details.cached_tokens"),
        *("input_token_details.cache_read", "input_token_details.cached_tokens", "inputTokenDetails.cacheReadTokens"),
        *("input_token_details.priority_cache_read", "input_token_details.flex_cache_read"),
        *("prompt_cache_hit_tokens", "cached_tokens", "cachedContentTokenCount", "cached_content_token_count"),
    ),
    "cache_write": _paths(
        *("cache_creation_input_tokens", "cacheWriteInputTokens", "cacheCreationInputTokens"),
        *("cacheWriteInputTokenCount", "prompt_tokens_details.cache_creation_tokens"),
        *("prompt_tokens_details.cache_write_tokens", "input_tokens_details.cache_write_tokens"),
        *("input_token_details.cache_creation", "inputTokenDetails.cacheWriteTokens"),
    ),
    "cache_write_5m": _paths(
        *("cache_creation.ephemeral_5m_input_tokens", "input_token_details.ephemeral_5m_input_tokens"),
        "prompt_tokens_details.cache_creation_token_details.ephemeral_5m_input_tokens",
    ),
    "cache_write_1h": _paths(
        *("cache_creation.ephemeral_1h_input_tokens", "input_token_details.ephemeral_1h_input_tokens"),
        "prompt_tokens_details.cache_creation_token_details.ephemeral_1h_input_tokens",
    ),
    "cache_read_audio": _paths(
        "input_token_details.cached_tokens_details.audio_tokens",
        "input_tokens_details.cached_tokens_details.audio_tokens",
        "prompt_tokens_details.cached_tokens_details.audio_tokens",
    ),
    "reasoning": _paths(
        *("completion_tokens_details.reasoning_tokens", "output_tokens_details.reasoning_tokens"),
        *("output_tokens_details.thinking_tokens", "output_token_details.reasoning"),
        *("output_token_details.priority_reasoning", "output_token_details.flex_reasoning"),
        *("outputTokenDetails.reasoningTokens", "reasoningTokens", "reasoning_tokens"),
        *("thoughtsTokenCount", "thoughts_token_count"),
    ),
    "audio_input": _paths(
        *("prompt_tokens_details.audio_tokens", "input_tokens_details.audio_tokens"),
        *("input_token_details.audio", "input_token_details.audio_tokens"),
    ),
    "audio_output": _paths(
        *("completion_tokens_details.audio_tokens", "output_tokens_details.audio_tokens"),
        *("output_token_details.audio", "output_token_details.audio_tokens"),
    ),
}

_AUDIO_LISTS: Final = {
    "audio_input": ("promptTokensDetails", "prompt_tokens_details"),
    "audio_output": ("candidatesTokensDetails", "candidates_tokens_details"),
    "cache_read_audio": ("cacheTokensDetails", "cache_tokens_details"),
}
"""Gemini's lists of `{"modality": "AUDIO", "tokenCount": 7}`."""

_TIERS: Final = ("priority", "flex")


def usage_slots(usage: Mapping[str, Any]) -> dict[str, Any]:
    """The tokens by slot of a `Family`, with inclusive `input` and `output`; `service_tier` and `speed` as they are."""
    slots: dict[str, Any] = {slot: _most(usage, paths) for slot, paths in _PARTS.items()}
    for slot, keys in _AUDIO_LISTS.items():
        for key in keys:
            slots[slot] = slots[slot] or _audio(usage.get(key))
    by_time = (slots["cache_write_5m"] or 0) + (slots["cache_write_1h"] or 0)
    if by_time:
        slots["cache_write"] = max(slots["cache_write"] or 0, by_time)
    slots["input"] = _input(usage, (slots["cache_read"] or 0) + (slots["cache_write"] or 0))
    slots["output"] = _most(usage, _OUTPUT)
    gemini_output = _most(usage, _GEMINI_OUTPUT)
    if gemini_output is not None:
        slots["output"] = gemini_output + (_most(usage, _GEMINI_THOUGHTS) or 0)
    slots["total"] = _most(usage, _TOTAL)
    slots["service_tier"] = usage.get("service_tier") or _langchains_tier(usage)
    slots["speed"] = usage.get("speed")
    return slots


def _input(usage: Mapping[str, Any], cached: int) -> int | None:
    inclusive = _most(usage, _INCLUSIVE_INPUT)
    if inclusive is not None:
        return inclusive
    gemini = _most(usage, _GEMINI_INPUT)
    if gemini is not None:
        return gemini + (_most(usage, _GEMINI_TOOL_INPUT) or 0)
    own = _most(usage, _INPUT)
    if own is not None and _most(usage, _CACHE_BESIDE_INPUT) is not None:
        return own + cached
    return own


def _langchains_tier(usage: Mapping[str, Any]) -> str | None:
    """LangChain names the tier in the details: `{"flex": 42, "flex_cache_read": 100}`."""
    details = usage.get("input_token_details")
    return next((tier for tier in _TIERS if isinstance(details, Mapping) and tier in details), None)


def _most(usage: Mapping[str, Any], paths: _Names) -> int | None:
    found = [count for path in paths if (count := values.tokens(values.inside(usage, path))) is not None]
    return max(found, default=None)


def _audio(details: object) -> int | None:
    if not isinstance(details, list | tuple):
        return None
    for part in details:
        if isinstance(part, Mapping) and part.get("modality") == "AUDIO":
            return values.tokens(part.get("tokenCount", part.get("token_count")))
    return None
