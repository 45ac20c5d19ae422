"""Langfuse's free-form usage and cost buckets, summed up into input, output, total and their parts.

Its own buckets are exclusive: `input` and every `input_*` make up the input. The keys that OpenAI and Anthropic use
are accepted by it too, and are theirs: `prompt_tokens` includes cached tokens, `input_tokens` is as the provider says.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

_CACHE_READ: Final = ("input_cached_tokens", "cache_read_input_tokens", "input_cache_read")
_CACHE_WRITE: Final = ("input_cache_creation", "cache_creation_input_tokens", "input_cache_write")
_REASONING: Final = ("output_reasoning_tokens", "output_reasoning")


def usage_buckets(details: Mapping[str, Any]) -> dict[str, Any]:
    """Inclusive `input` and `output`, `total`, and the parts `cache_read`, `cache_write` and `reasoning`."""
    return {
        "input": _side(details, "input", ("prompt_tokens", "input_tokens")),
        "output": _side(details, "output", ("completion_tokens", "output_tokens")),
        "total": _first(details, ("total", "total_tokens")),
        "cache_read": _first(details, _CACHE_READ),
        "cache_write": _first(details, _CACHE_WRITE),
        "reasoning": _first(details, _REASONING),
    }


def cost_buckets(details: Mapping[str, Any]) -> dict[str, Any]:
    """`input`, `output` and `total` in USD; a missing total is the sum of all buckets."""
    numbers = [value for value in details.values() if _is_number(value)]
    total = details.get("total")
    return {
        "input": _side(details, "input", ()),
        "output": _side(details, "output", ()),
        "total": total if _is_number(total) else sum(numbers) if numbers else None,
    }


def _side(details: Mapping[str, Any], side: str, provider_keys: tuple[str, ...]) -> Any:
    for key in provider_keys:
        if key in details:
            return details[key]
    parts = [
        value for key, value in details.items() if (key == side or key.startswith(side + "_")) and _is_number(value)
    ]
    return sum(parts) if parts else None


def _first(details: Mapping[str, Any], keys: tuple[str, ...]) -> Any:
    return next((details[key] for key in keys if key in details), None)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
