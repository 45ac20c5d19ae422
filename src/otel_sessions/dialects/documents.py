"""The attributes that hold a whole object, and how an object becomes the keys that `names` lists as `document#key`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, Final

from otel_sessions.dialects import langfuse
from otel_sessions.dialects.raw_usage import usage_slots

LANGFUSE_USAGE: Final = "langfuse.observation.usage_details"
LANGFUSE_COST: Final = "langfuse.observation.cost_details"
"""Free-form buckets."""

RAW_PROVIDERS: Final[tuple[str, ...]] = (
    *("openai", "anthropic", "azure", "azure_ai", "bedrock", "gemini", "vertex_ai", "groq", "mistral", "deepseek"),
    *("xai", "openrouter", "together_ai", "fireworks_ai", "cohere_chat", "hosted_vllm", "ollama", "ollama_chat"),
    *("openai_like", "custom_openai", "litellm_proxy", "perplexity", "moonshot", "databricks", "None"),
)
"""LiteLLM's span of the raw request has the fields of the response as `llm.<provider>.<field>`."""


def of_raw_spans(*fields: str) -> tuple[str, ...]:
    """The names of these fields on LiteLLM's raw spans of all providers."""
    return tuple(f"llm.{provider}.{field}" for field in fields for provider in RAW_PROVIDERS)


LANGSMITH_USAGE: Final[tuple[str, ...]] = ("langsmith.usage_metadata", "langsmith.metadata.usage_metadata")
RAW_USAGE: Final[tuple[str, ...]] = (
    *of_raw_spans("usage", "usageMetadata"),
    *("metadata.usage_object", "usageMetadata", "usage_metadata", "gen_ai.usage", "llm.usage", "usage"),
)
GEN_AI_DETAILS: Final[Mapping[str, str]] = {
    "gen_ai.usage.input_token_details": "input_token_details",
    "gen_ai.usage.output_token_details": "output_token_details",
    "gen_ai.usage.input_tokens_details": "input_tokens_details",
    "gen_ai.usage.output_tokens_details": "output_tokens_details",
    "gen_ai.usage.prompt_tokens_details": "prompt_tokens_details",
    "gen_ai.usage.completion_tokens_details": "completion_tokens_details",
}
"""Objects that are one member of a usage object, by that member's name."""

USAGE_OBJECTS: Final[tuple[str, ...]] = (*LANGSMITH_USAGE, *RAW_USAGE)
"""Whole usage objects of an API or a framework."""

LAZY: Final[frozenset[str]] = frozenset({"llm.invocation_parameters"})
"""Documents with fields that are seldom needed: each is looked up by itself, when no name before it has a value."""


def _member(name: str, details: Mapping[str, Any]) -> dict[str, Any]:
    return usage_slots({name: details})


SUMMED: Final[Mapping[str, Callable[[Mapping[str, Any]], Mapping[str, Any]]]] = MappingProxyType(
    {
        LANGFUSE_USAGE: langfuse.usage_buckets,
        LANGFUSE_COST: langfuse.cost_buckets,
        **dict.fromkeys(USAGE_OBJECTS, usage_slots),
        **{document: partial(_member, member) for document, member in GEN_AI_DETAILS.items()},
    }
)
"""Documents whose keys are the slots of a `Family`."""
