"""The attribute names of tokens and costs in all known SDKs, by family; see `names` for the notation."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from otel_sessions.dialects.documents import GEN_AI_DETAILS, LANGFUSE_COST, LANGFUSE_USAGE, LANGSMITH_USAGE, RAW_USAGE


class Family(NamedTuple):
    """One dialect's names for the tokens and costs of a call; a span's input and output come from one family.

    `exclusive` means that its input does not include cache reads and writes.
    `cache_write_5m` and `cache_write_1h` are the parts of `cache_write` by time to live; some emitters report only
    these. `cache_read_audio` is part of `cache_read` and of `audio_input`. `cost_micros` is the whole cost in millionths of
    a dollar, read where `cost_total` is missing. `thinks_beside` means that its output does not include reasoning.
    """

    input: tuple[str, ...] = ()
    output: tuple[str, ...] = ()
    total: tuple[str, ...] = ()
    cache_read: tuple[str, ...] = ()
    cache_write: tuple[str, ...] = ()
    cache_write_5m: tuple[str, ...] = ()
    cache_write_1h: tuple[str, ...] = ()
    cache_read_audio: tuple[str, ...] = ()
    reasoning: tuple[str, ...] = ()
    audio_input: tuple[str, ...] = ()
    audio_output: tuple[str, ...] = ()
    cost_total: tuple[str, ...] = ()
    cost_input: tuple[str, ...] = ()
    cost_output: tuple[str, ...] = ()
    cost_micros: tuple[str, ...] = ()
    exclusive: bool = False
    thinks_beside: bool = False


_COUNTS: Final = tuple(
    slot for slot in Family._fields if slot not in ("exclusive", "thinks_beside") and not slot.startswith("cost_")
)


def _usage(*documents: str) -> Family:
    """The keys of these usage objects."""
    keys: dict[str, Any] = {slot: tuple(f"{document}#{slot}" for document in documents) for slot in _COUNTS}
    return Family(**keys)


def _details(slot: str) -> tuple[str, ...]:
    return tuple(f"{document}#{slot}" for document in GEN_AI_DETAILS)


_LANGFUSE_COST: Final = LANGFUSE_COST + "#"
_GEN_AI: Final = "gen_ai.usage."
_PROVIDER_METADATA: Final = "ai.response.providerMetadata#"


def _braintrust(metric: str) -> tuple[str, ...]:
    return ("braintrust.metrics#" + metric, "braintrust.metrics." + metric)


FAMILIES: Final[Mapping[str, Family]] = MappingProxyType(
    {
        "langfuse": _usage(LANGFUSE_USAGE)._replace(
            cost_total=(_LANGFUSE_COST + "total",),
            cost_input=(_LANGFUSE_COST + "input",),
            cost_output=(_LANGFUSE_COST + "output",),
        ),
        "gen_ai": Family(
            input=(
                *(_GEN_AI + name for name in ("input_tokens", "prompt_tokens")),
                *("gen_ai.response.input_tokens", "gen_ai.response.prompt_tokens"),
            ),
            output=(
                *(_GEN_AI + name for name in ("output_tokens", "completion_tokens")),
                *("gen_ai.response.output_tokens", "gen_ai.response.completion_tokens"),
            ),
            total=(_GEN_AI + "total_tokens", "gen_ai.response.total_tokens"),
            cache_read=(
                *(
                    _GEN_AI + name
                    for name in ("cache_read.input_tokens", "cache_read_input_tokens", "cache_read_tokens")
                ),
                *(_GEN_AI + name for name in ("cached_input_tokens", "input_cached_tokens", "cached_tokens")),
                *(_GEN_AI + name for name in ("cached.input_tokens", "cache_hit_tokens")),
                *(_GEN_AI + name for name in ("details.cache_read_tokens", "details.cached_tokens")),
                *(_GEN_AI + name for name in ("details.cached_content_tokens", "cached_content_tokens")),
                *(_GEN_AI + "input_tokens." + name for name in ("cached", "cache_read")),
                _GEN_AI + "input_tokens_details.cached",
                *(_GEN_AI + name for name in ("input_tokens_details.cached_tokens", "input_token_details.cache_read")),
                *(_GEN_AI + name for name in ("input_token_details.cached_tokens", "cached_prompt_tokens")),
                *(
                    _GEN_AI + name
                    for name in ("prompt_tokens_details.cached_tokens", "prompt_tokens_details.cache_read")
                ),
                *_details("cache_read"),
            ),
            cache_write=(
                *(_GEN_AI + name for name in ("cache_write.input_tokens", "cache_creation.input_tokens")),
                *(_GEN_AI + name for name in ("cache_creation_input_tokens", "cache_write_input_tokens")),
                *(_GEN_AI + name for name in ("cache_write_tokens", "cache_creation_tokens")),
                *(_GEN_AI + name for name in ("details.cache_write_tokens", "details.cache_creation_tokens")),
                *(_GEN_AI + "input_tokens." + name for name in ("cache_write", "cache_creation")),
                _GEN_AI + "input_token_details.cache_creation",
                _GEN_AI + "prompt_tokens_details.cache_write",
                *_details("cache_write"),
            ),
            cache_write_5m=(
                *(_GEN_AI + "cache_creation." + name for name in ("ephemeral_5m_input_tokens", "5m_input_tokens")),
                *(_GEN_AI + name for name in ("cache_creation.ephemeral_5m.input_tokens", "cache_write_5m_tokens")),
                *(_GEN_AI + name for name in ("cache_creation_5m_input_tokens", "cache_write_5m_input_tokens")),
                *(_GEN_AI + name for name in ("cache_creation_5m.input_tokens", "cache_creation_5m_tokens")),
                "anthropic.usage.cache_creation.ephemeral_5m_input_tokens",
                *_details("cache_write_5m"),
            ),
            cache_write_1h=(
                *(_GEN_AI + "cache_creation." + name for name in ("ephemeral_1h_input_tokens", "1h_input_tokens")),
                *(_GEN_AI + name for name in ("cache_creation.ephemeral_1h.input_tokens", "cache_write_1h_tokens")),
                *(_GEN_AI + name for name in ("cache_creation_1h_input_tokens", "cache_write_1h_input_tokens")),
                *(_GEN_AI + name for name in ("cache_creation_1h.input_tokens", "cache_creation_1h_tokens")),
                "anthropic.usage.cache_creation.ephemeral_1h_input_tokens",
                *_details("cache_write_1h"),
            ),
            cache_read_audio=(
                *(_GEN_AI + name for name in ("audio.cache_read.input_tokens", "cache_audio_read_tokens")),
                _GEN_AI + "details.cache_audio_read_tokens",
                *_details("cache_read_audio"),
            ),
            reasoning=(
                *(
                    _GEN_AI + name
                    for name in ("reasoning.output_tokens", "reasoning_tokens", "reasoning_output_tokens")
                ),
                *(_GEN_AI + name for name in ("details.reasoning_tokens", "details.thoughts_tokens")),
                *(_GEN_AI + name for name in ("details.thinking_tokens", "thoughts_tokens", "thinking_tokens")),
                *(_GEN_AI + name for name in ("thoughts_token_count", "experimental.reasoning_tokens")),
                *(_GEN_AI + name for name in ("output_tokens.reasoning", "output_tokens_details.reasoning")),
                *(_GEN_AI + name for name in ("output_tokens_details.reasoning_tokens", "output_reasoning_tokens")),
                *(_GEN_AI + "completion_tokens_details." + name for name in ("reasoning_tokens", "reasoning")),
                *_details("reasoning"),
            ),
            audio_input=(
                *(_GEN_AI + name for name in ("audio.input_tokens", "audio_input_tokens", "input_audio_tokens")),
                *(_GEN_AI + name for name in ("details.input_audio_tokens", "details.audio_prompt_tokens")),
                *(_GEN_AI + name for name in ("experimental.input_audio_tokens", "input_tokens.audio")),
                *(
                    _GEN_AI + name
                    for name in ("input_token_details.audio_tokens", "prompt_tokens_details.audio_tokens")
                ),
                *_details("audio_input"),
            ),
            audio_output=(
                *(_GEN_AI + name for name in ("audio.output_tokens", "audio_output_tokens", "output_audio_tokens")),
                *(_GEN_AI + name for name in ("details.output_audio_tokens", "details.audio_candidates_tokens")),
                _GEN_AI + "output_tokens.audio",
                *(_GEN_AI + "completion_tokens_details." + name for name in ("audio_tokens", "audio")),
                *_details("audio_output"),
            ),
            cost_total=(
                *(_GEN_AI + name for name in ("cost", "total_cost", "cost.total", "cost_usd", "cost.total_usd")),
            ),
            cost_input=(_GEN_AI + "input_cost",),
            cost_output=(_GEN_AI + "output_cost",),
        ),
        "openinference": Family(
            input=("llm.token_count.prompt", "decision.token_count.input"),
            output=("llm.token_count.completion", "decision.token_count.output"),
            total=("llm.token_count.total",),
            cache_read=("llm.token_count.prompt_details.cache_read", "llm.token_count.prompt_details.cache_input"),
            cache_write=(
                "llm.token_count.prompt_details.cache_write",
                "llm.token_count.prompt_details.cache_creation",
            ),
            cache_write_5m=("llm.token_count.prompt_details.cache_write_5m",),
            cache_write_1h=("llm.token_count.prompt_details.cache_write_1h",),
            reasoning=("llm.token_count.completion_details.reasoning",),
            audio_input=("llm.token_count.prompt_details.audio",),
            audio_output=("llm.token_count.completion_details.audio",),
            cost_total=("llm.cost.total", "llm.response.cost"),
            cost_input=("llm.cost.prompt",),
            cost_output=("llm.cost.completion",),
        ),
        "vercel": Family(
            input=("ai.usage.inputTokens", "ai.usage.promptTokens", "ai.usage.tokens"),
            output=("ai.usage.outputTokens", "ai.usage.completionTokens"),
            total=("ai.usage.totalTokens",),
            cache_read=(
                "ai.usage.inputTokenDetails.cacheReadTokens",
                "ai.usage.cachedInputTokens",
                _PROVIDER_METADATA + "anthropic.usage.cache_read_input_tokens",
                _PROVIDER_METADATA + "openai.cachedPromptTokens",
                _PROVIDER_METADATA + "bedrock.usage.cacheReadInputTokens",
                _PROVIDER_METADATA + "google.usageMetadata.cachedContentTokenCount",
            ),
            cache_write=(
                "ai.usage.inputTokenDetails.cacheWriteTokens",
                _PROVIDER_METADATA + "anthropic.usage.cache_creation_input_tokens",
                _PROVIDER_METADATA + "bedrock.usage.cacheWriteInputTokens",
            ),
            cache_write_5m=(_PROVIDER_METADATA + "anthropic.usage.cache_creation.ephemeral_5m_input_tokens",),
            cache_write_1h=(_PROVIDER_METADATA + "anthropic.usage.cache_creation.ephemeral_1h_input_tokens",),
            reasoning=(
                "ai.usage.outputTokenDetails.reasoningTokens",
                "ai.usage.reasoningTokens",
                _PROVIDER_METADATA + "openai.reasoningTokens",
                _PROVIDER_METADATA + "google.usageMetadata.thoughtsTokenCount",
            ),
        ),
        "mlflow": Family(
            input=("mlflow.chat.tokenUsage#input_tokens",),
            output=("mlflow.chat.tokenUsage#output_tokens",),
            total=("mlflow.chat.tokenUsage#total_tokens",),
            cache_read=("mlflow.chat.tokenUsage#cache_read_input_tokens",),
            cache_write=("mlflow.chat.tokenUsage#cache_creation_input_tokens",),
            cost_total=("mlflow.llm.cost#total_cost",),
            cost_input=("mlflow.llm.cost#input_cost",),
            cost_output=("mlflow.llm.cost#output_cost",),
        ),
        "langsmith": _usage(*LANGSMITH_USAGE),
        "braintrust": Family(
            input=_braintrust("prompt_tokens"),
            output=_braintrust("completion_tokens"),
            total=_braintrust("tokens"),
            cache_read=_braintrust("prompt_cached_tokens"),
            cache_write=_braintrust("prompt_cache_creation_tokens"),
            cache_write_5m=_braintrust("prompt_cache_creation_5m_tokens"),
            cache_write_1h=_braintrust("prompt_cache_creation_1h_tokens"),
            reasoning=_braintrust("completion_reasoning_tokens") + _braintrust("reasoning_tokens"),
            audio_input=_braintrust("prompt_audio_tokens"),
            audio_output=_braintrust("completion_audio_tokens"),
        ),
        "langwatch": Family(
            input=("langwatch.metrics#prompt_tokens", "langwatch.metrics#promptTokens"),
            output=("langwatch.metrics#completion_tokens", "langwatch.metrics#completionTokens"),
            cache_read=("langwatch.metrics#cache_read_input_tokens", "langwatch.metrics#cacheReadInputTokens"),
            cache_write=("langwatch.metrics#cache_creation_input_tokens", "langwatch.metrics#cacheCreationInputTokens"),
            reasoning=("langwatch.metrics#reasoning_tokens", "langwatch.metrics#reasoningTokens"),
            cost_total=("langwatch.metrics#cost",),
        ),
        "traceloop": Family(
            input=("llm.usage.prompt_tokens", "llm.usage.input_tokens"),
            output=("llm.usage.completion_tokens", "llm.usage.output_tokens"),
            total=("llm.usage.total_tokens",),
            cache_read=("llm.usage.cache_read_input_tokens", "llm.usage.cached_tokens"),
            cache_write=("llm.usage.cache_creation_input_tokens",),
            cache_write_5m=("llm.usage.cache_creation.ephemeral_5m_input_tokens",),
            cache_write_1h=("llm.usage.cache_creation.ephemeral_1h_input_tokens",),
            reasoning=("llm.usage.reasoning_tokens",),
        ),
        "voltagent": Family(
            input=("usage.prompt_tokens", "usage.input_tokens"),
            output=("usage.completion_tokens", "usage.output_tokens"),
            total=("usage.total_tokens",),
            cache_read=(
                "usage.cached_tokens",
                "usage.cache_read_input_tokens",
                "usage.prompt_tokens_details.cached_tokens",
            ),
            cache_write=("usage.cache_creation_input_tokens",),
            cache_write_5m=("usage.cache_creation.ephemeral_5m_input_tokens",),
            cache_write_1h=("usage.cache_creation.ephemeral_1h_input_tokens",),
            reasoning=("usage.reasoning_tokens", "usage.completion_tokens_details.reasoning_tokens"),
        ),
        "weave": Family(
            input=("weave.usage.input_tokens",),
            output=("weave.usage.output_tokens",),
            total=("weave.usage.total_tokens",),
            cache_read=("weave.usage.cache_read_input_tokens",),
            cache_write=("weave.usage.cache_creation_input_tokens",),
            reasoning=("weave.usage.reasoning_tokens",),
        ),
        "codex": Family(
            input=("codex.usage.input_tokens",),
            output=("codex.usage.output_tokens",),
            total=("codex.usage.total_tokens",),
            cache_read=("codex.usage.cached_input_tokens",),
            reasoning=("codex.usage.reasoning_output_tokens",),
        ),
        "codex_turn": Family(
            input=("codex.turn.token_usage.input_tokens",),
            output=("codex.turn.token_usage.output_tokens",),
            total=("codex.turn.token_usage.total_tokens",),
            cache_read=("codex.turn.token_usage.cached_input_tokens",),
            reasoning=("codex.turn.token_usage.reasoning_output_tokens",),
        ),
        "openclaw": Family(
            input=("openclaw.tokens.input",),
            output=("openclaw.tokens.output",),
            total=("openclaw.tokens.total",),
            cache_read=("openclaw.tokens.cache_read",),
            cache_write=("openclaw.tokens.cache_write",),
            exclusive=True,
        ),
        "raw": _usage(*RAW_USAGE),
        "pydantic": Family(cost_total=("operation.cost",)),
        "litellm": Family(
            cost_total=("litellm.cost.total", "gen_ai.cost.total_cost"),
            cost_input=("litellm.cost.input", "gen_ai.cost.input_cost"),
            cost_output=("litellm.cost.output", "gen_ai.cost.output_cost"),
        ),
        "agentmark": Family(cost_total=("agentmark.usage.cost_usd",)),
        "signoz": Family(cost_total=("_signoz.gen_ai.total_cost",)),
    }
)
"""In order of priority. Totals of a run and metrics on a span (`gen_ai.aggregated_usage.*`, `logfire.metrics`,
`gen_ai.usage.partial.*`) are left out on purpose: they never count. Codex' turn is a span around its calls: it counts where
no call below it has tokens."""

CLAUDE_CODE: Final[Family] = Family(
    input=("input_tokens",),
    output=("output_tokens",),
    cache_read=("cache_read_tokens",),
    cache_write=("cache_creation_tokens",),
    cache_write_5m=("cache_creation_5m_tokens",),
    cache_write_1h=("cache_creation_1h_tokens",),
    cost_total=("cost_usd",),
    cost_micros=("cost_usd_micros",),
    exclusive=True,
)
"""Bare names, read only from spans and records of their emitter, as those that follow."""

CODEX_RECORDS: Final[Family] = Family(
    input=("input_token_count",),
    output=("output_token_count",),
    cache_read=("cached_token_count",),
    cache_write=("cache_write_token_count",),
    reasoning=("reasoning_token_count",),
)
"""Its `tool_token_count` is input plus output."""

GEMINI_CLI: Final[Family] = Family(
    input=("input_token_count",),
    output=("output_token_count",),
    cache_read=("cached_content_token_count",),
    reasoning=("thoughts_token_count",),
    thinks_beside=True,
)
"""Its total is left out: it has `tool_token_count`, which is in no other number."""

QWEN_CODE: Final[Family] = Family(
    input=("input_token_count",),
    output=("output_token_count",),
    total=("total_token_count",),
    cache_read=("cached_content_token_count",),
    reasoning=("thoughts_token_count",),
)
"""Gemini's names, with thinking in the output for most providers: the total tells."""

OWN: Final[tuple[Family, ...]] = (CLAUDE_CODE, CODEX_RECORDS, GEMINI_CLI, QWEN_CODE)
"""The families of single emitters."""
