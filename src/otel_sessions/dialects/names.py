"""The attribute names of every field in all known SDKs, in order of priority.

The first candidate of a field that is present and valid wins; two candidates are never added up. Names that a person
sets by hand come before those that instrumentations write, OpenTelemetry's current names before its older ones, and
those before the names of vendors. `name#key` is a key inside a value that is JSON or a mapping; `name*` stands for any
name with that prefix.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from otel_sessions import attributes, resource

SESSION_ID: Final = (
    attributes.SESSION_ID,
    "langfuse.session.id",
    "lmnr.association.properties.session_id",
    "traceloop.association.properties.session_id",
    "agentmark.session_id",
    "agentmark.metadata.session_id",
    "langwatch.thread.id",
    "langwatch.session.id",
    "thread_id",
    "mlflow.trace.session",
    "ai.telemetry.metadata.sessionId",
    "ai.telemetry.metadata.session_id",
    "ai.settings.context.sessionId",
    "langsmith.metadata.session_id",
    "langsmith.metadata.thread_id",
    "langsmith.metadata.conversation_id",
    "langfuse.trace.metadata.langfuse_session_id",
    "langfuse.observation.metadata.langfuse_session_id",
    "traceloop.association.properties.thread_id",
    "traceloop.association.properties.Helicone-Session-Id",
    "metadata#session_id",
    "metadata#thread_id",
    "metadata#conversation_id",
    "gcp.vertex.agent.session_id",
    "gen_ai.conversation.id",
    "gen_ai.thread.id",
    "@agentuity/threadId",
    "thread.id",
    "conversation.id",
    "anthropic.session.id",
)
"""`thread.id` is OpenTelemetry's number of an operating system thread where it is an int: only strings count."""

STRINGS_ONLY: Final = frozenset({"thread.id", "thread_id"})

USER_ID: Final = (
    attributes.USER_ID,
    "langfuse.user.id",
    "enduser.id",
    "lmnr.association.properties.user_id",
    "traceloop.association.properties.user_id",
    "agentmark.user_id",
    "agentmark.metadata.user_id",
    "langwatch.customer.id",
    "mlflow.trace.user",
    "ai.telemetry.metadata.userId",
    "ai.telemetry.metadata.user_id",
    "langsmith.metadata.user_id",
    "langfuse.trace.metadata.langfuse_user_id",
    "traceloop.association.properties.Helicone-User-Id",
    "litellm.end_user.id",
    "gen_ai.user",
    "llm.user",
    "user.account_id",
)

SESSION_NAME: Final = (
    attributes.SESSION_NAME,
    "agentmark.session_name",
    "agentmark.metadata.session_name",
    "traceloop.association.properties.Helicone-Session-Name",
)

TAGS: Final = (
    attributes.SESSION_TAGS,
    "langfuse.trace.tags",
    "langfuse.tags",
    "tag.tags",
    "lmnr.association.properties.tags",
    "agentmark.tags",
    "braintrust.tags",
    "opik.tags",
    "langsmith.span.tags",
    "logfire.tags",
    "ai.telemetry.metadata.tags",
)

METADATA: Final = (
    attributes.SESSION_METADATA_PREFIX + "*",
    "langfuse.trace.metadata.*",
    "traceloop.association.properties.*",
    "ai.telemetry.metadata.*",
    "ai.settings.context.*",
    "langsmith.metadata.*",
    "lmnr.association.properties.metadata.*",
    "opik.metadata.*",
    "agentmark.metadata.*",
    "litellm.metadata.*",
    "langfuse.observation.metadata.*",
    "metadata#*",
    "braintrust.metadata#*",
    "langwatch.params#*",
)
"""The only field whose candidates are merged; of two with the same name the first wins."""

ENVIRONMENT: Final = ("langfuse.environment", resource.ENVIRONMENT, resource.OLDER_ENVIRONMENT)

MODEL: Final = (
    "langfuse.observation.model.name",
    "gen_ai.response.model",
    "llm.response.model_name",
    "ai.response.model",
    "gen_ai.request.model",
    "llm.request.model_name",
    "llm.model_name",
    "embedding.model_name",
    "reranker.model_name",
    "ai.model.id",
    "mlflow.llm.model",
    "langsmith.metadata.ls_model_name",
    "braintrust.metadata#model",
    "llm.response.model",
)
"""The model of the response before that of the request: it is the one that answered, and its dated name has a price."""

REQUEST_MODEL: Final = ("gen_ai.request.model", "llm.request.model_name", "ai.model.id", "llm.model_name")

PROVIDER: Final = (
    "gen_ai.provider.name",
    "gen_ai.system",
    "llm.provider",
    "llm.system",
    "ai.model.provider",
    "mlflow.llm.provider",
    "langsmith.metadata.ls_provider",
)

RESPONSE_ID: Final = ("gen_ai.response.id", "ai.response.id")

CALL_ID: Final = ("litellm.call_id",)
"""An id that a client writes on all its spans of one call."""

CACHE_HIT: Final = ("litellm.cache_hit",)

PENDING: Final = ("logfire.span_type",)

SERVICE_TIER: Final = (
    "openai.response.service_tier",
    "gen_ai.openai.response.service_tier",
    "gen_ai.response.service_tier",
    "gen_ai.anthropic.service_tier",
)
"""The tier that the response names, which is the one that is billed."""

REQUESTED_TIER: Final = (
    "openai.request.service_tier",
    "gen_ai.openai.request.service_tier",
    "gen_ai.request.service_tier",
)

SPEED: Final = ("gen_ai.request.speed",)
"""`fast` is Anthropic's fast mode, at a price of its own. Calls that make speech have a number under the same name."""

BATCH: Final = ("gen_ai.request.batch",)

SERVER_ADDRESS: Final = (
    "server.address",
    "gen_ai.request.base_url",
    "gen_ai.openai.api_base",
    "llm.openai.api_base",
    "net.peer.name",
    "url.full",
    "http.url",
)
"""Who answered a call: a host, or a URL. Read only from spans that may be calls, since most HTTP spans have one."""


MESSAGES: Final = (
    "gen_ai.input.messages",
    "gen_ai.output.messages",
    "gen_ai.prompt",
    "gen_ai.completion",
    "gen_ai.response.finish_reason",
    "gen_ai.response.id",
    "llm.input_messages",
    "llm.output_messages",
    "llm.prompts",
    "llm.finish_reason",
    "ai.prompt",
    "ai.response.",
    "langfuse.observation.input",
    "langfuse.observation.output",
    "server.address",
)
"""Beginnings of the names of what only a request has: messages, a reason why the answer ended, a server."""


class Family(NamedTuple):
    """One dialect's names for the tokens and costs of a call; a span's input and output come from one family.

    `exclusive` means that its input does not include cache reads and writes, `thinking_beside` that its output does not
    include reasoning.
    `cache_write_5m` and `cache_write_1h` are the parts of `cache_write` by time to live; some emitters report only
    these. `cache_read_audio` is part of `cache_read` and of `audio_input`.
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
    exclusive: bool = False
    thinking_beside: bool = False


LANGFUSE_USAGE: Final = "langfuse.observation.usage_details"
LANGFUSE_COST: Final = "langfuse.observation.cost_details"
"""Free-form buckets, which `otel_sessions.dialects.langfuse` sums up into the keys below before they are read."""

_LANGFUSE: Final = LANGFUSE_USAGE + "#"
_LANGFUSE_COST: Final = LANGFUSE_COST + "#"
_GEN_AI: Final = "gen_ai.usage."
_PROVIDER_METADATA: Final = "ai.response.providerMetadata#"

FAMILIES: Final[Mapping[str, Family]] = MappingProxyType(
    {
        "langfuse": Family(
            input=(_LANGFUSE + "input",),
            output=(_LANGFUSE + "output",),
            total=(_LANGFUSE + "total",),
            cache_read=(_LANGFUSE + "cache_read",),
            cache_write=(_LANGFUSE + "cache_write",),
            reasoning=(_LANGFUSE + "reasoning",),
            cost_total=(_LANGFUSE_COST + "total",),
            cost_input=(_LANGFUSE_COST + "input",),
            cost_output=(_LANGFUSE_COST + "output",),
        ),
        "gen_ai": Family(
            input=(_GEN_AI + "input_tokens", _GEN_AI + "prompt_tokens"),
            output=(_GEN_AI + "output_tokens", _GEN_AI + "completion_tokens"),
            total=(_GEN_AI + "total_tokens",),
            cache_read=(
                _GEN_AI + "cache_read.input_tokens",
                _GEN_AI + "cache_read_input_tokens",
                _GEN_AI + "details.cache_read_tokens",
            ),
            cache_write=(
                _GEN_AI + "cache_write.input_tokens",
                _GEN_AI + "cache_creation.input_tokens",
                _GEN_AI + "cache_creation_input_tokens",
                _GEN_AI + "cache_write_input_tokens",
                _GEN_AI + "details.cache_write_tokens",
            ),
            cache_write_5m=(
                _GEN_AI + "cache_creation.ephemeral_5m_input_tokens",
                _GEN_AI + "cache_creation.ephemeral_5m.input_tokens",
                _GEN_AI + "cache_creation_5m_input_tokens",
                _GEN_AI + "cache_write_5m_input_tokens",
                _GEN_AI + "cache_write_5m_tokens",
            ),
            cache_write_1h=(
                _GEN_AI + "cache_creation.ephemeral_1h_input_tokens",
                _GEN_AI + "cache_creation.ephemeral_1h.input_tokens",
                _GEN_AI + "cache_creation_1h_input_tokens",
                _GEN_AI + "cache_write_1h_input_tokens",
                _GEN_AI + "cache_write_1h_tokens",
            ),
            cache_read_audio=(_GEN_AI + "audio.cache_read.input_tokens",),
            reasoning=(
                _GEN_AI + "reasoning.output_tokens",
                _GEN_AI + "reasoning_tokens",
                _GEN_AI + "reasoning_output_tokens",
                _GEN_AI + "details.reasoning_tokens",
            ),
            audio_input=(_GEN_AI + "audio.input_tokens",),
            audio_output=(_GEN_AI + "audio.output_tokens",),
            cost_total=(_GEN_AI + "cost",),
            cost_input=(_GEN_AI + "input_cost",),
            cost_output=(_GEN_AI + "output_cost",),
        ),
        "openinference": Family(
            input=("llm.token_count.prompt", "decision.token_count.input"),
            output=("llm.token_count.completion", "decision.token_count.output"),
            total=("llm.token_count.total",),
            cache_read=("llm.token_count.prompt_details.cache_read", "llm.token_count.prompt_details.cache_input"),
            cache_write=("llm.token_count.prompt_details.cache_write",),
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
            ),
            cache_write=(
                "ai.usage.inputTokenDetails.cacheWriteTokens",
                _PROVIDER_METADATA + "anthropic.usage.cache_creation_input_tokens",
            ),
            cache_write_5m=(_PROVIDER_METADATA + "anthropic.usage.cache_creation.ephemeral_5m_input_tokens",),
            cache_write_1h=(_PROVIDER_METADATA + "anthropic.usage.cache_creation.ephemeral_1h_input_tokens",),
            reasoning=("ai.usage.outputTokenDetails.reasoningTokens", "ai.usage.reasoningTokens"),
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
        "langsmith": Family(
            input=("langsmith.usage_metadata#input_tokens",),
            output=("langsmith.usage_metadata#output_tokens",),
            total=("langsmith.usage_metadata#total_tokens",),
            cache_read=("langsmith.usage_metadata#input_token_details.cache_read",),
            cache_write=("langsmith.usage_metadata#input_token_details.cache_creation",),
            reasoning=("langsmith.usage_metadata#output_token_details.reasoning",),
        ),
        "braintrust": Family(
            input=("braintrust.metrics#prompt_tokens", "braintrust.metrics.prompt_tokens"),
            output=("braintrust.metrics#completion_tokens", "braintrust.metrics.completion_tokens"),
            total=("braintrust.metrics#tokens", "braintrust.metrics.tokens"),
            cache_read=("braintrust.metrics#prompt_cached_tokens", "braintrust.metrics.prompt_cached_tokens"),
        ),
        "langwatch": Family(
            input=("langwatch.metrics#prompt_tokens", "langwatch.metrics#promptTokens"),
            output=("langwatch.metrics#completion_tokens", "langwatch.metrics#completionTokens"),
            reasoning=("langwatch.metrics#reasoning_tokens",),
            cost_total=("langwatch.metrics#cost",),
        ),
        "traceloop": Family(
            input=("llm.usage.prompt_tokens",),
            output=("llm.usage.completion_tokens",),
            total=("llm.usage.total_tokens",),
        ),
        "voltagent": Family(input=("usage.prompt_tokens",), output=("usage.completion_tokens",)),
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
`gen_ai.usage.partial.*`, `codex.turn.token_usage.*`) are left out on purpose: they never count."""

CLAUDE_CODE_SCOPE: Final = "com.anthropic.claude_code"
CLAUDE_CODE: Final = Family(
    input=("input_tokens",),
    output=("output_tokens",),
    cache_read=("cache_read_tokens",),
    cache_write=("cache_creation_tokens",),
    cache_write_5m=("cache_creation_5m_tokens",),
    cache_write_1h=("cache_creation_1h_tokens",),
    cost_total=("cost_usd",),
    exclusive=True,
)
"""Bare names, read only in Claude Code's own instrumentation scope, as are `model`, `request_id` and `speed` there."""
