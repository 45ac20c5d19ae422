"""The attribute names of every field in all known SDKs, in order of priority; those of tokens and costs are in `families`.

The first candidate of a field that is present and valid wins; two candidates are never added up. Names that a person
sets by hand come before those that instrumentations write, OpenTelemetry's current names before its older ones, and
those before the names of vendors. `name#key` is a key inside a value that is JSON or a mapping; `name*` stands for any
name with that prefix.
"""

from __future__ import annotations

from typing import Final

from otel_sessions import attributes, resource
from otel_sessions.dialects.documents import USAGE_OBJECTS, of_raw_spans

SESSION_ID: Final[tuple[str, ...]] = (
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
    "gen_ai.session.id",
    "copilot_chat.chat_session_id",
    "copilot_chat.session_id",
    "gen_ai.thread.id",
    "@agentuity/threadId",
    "thread.id",
    "conversation.id",
    "anthropic.session.id",
)
"""`thread.id` is OpenTelemetry's number of an operating system thread where it is an int: only strings count."""

STRINGS_ONLY: Final = frozenset({"thread.id", "thread_id"})

UNKNOWN_IS_NONE: Final = frozenset({"ai.telemetry.metadata.userId"})
"""Where opencode writes `unknown` for users that it does not know."""

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
    "ai.settings.context.userId",
    "ai.settings.context.user_id",
    "langsmith.metadata.user_id",
    "langfuse.trace.metadata.langfuse_user_id",
    "traceloop.association.properties.Helicone-User-Id",
    "litellm.end_user.id",
    "gen_ai.user.id",
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

SESSION_TITLE: Final = (
    "vscode.agent_host.session.title",
    "copilot_chat.conversation.title",
    "gen_ai.conversation.name",
    "gen_ai.conversation.title",
    "ag_ui.thread.title",
    "thread.title",
    "session.title",
)
"""What a program calls a session, often in the words of a model: shown where no name was given, and never the name itself."""

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

MODEL: Final[tuple[str, ...]] = (
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
    "openclaw.model",
    *of_raw_spans("model"),
    "llm.invocation_parameters#model",
)
"""The model of the response before that of the request: it is the one that answered, and its dated name has a price."""

REQUEST_MODEL: Final[tuple[str, ...]] = (
    "gen_ai.request.model",
    "llm.request.model_name",
    "ai.model.id",
    "llm.model_name",
    "llm.invocation_parameters#model",
)

PROVIDER: Final[tuple[str, ...]] = (
    "gen_ai.provider.name",
    "gen_ai.system",
    "llm.provider",
    "llm.system",
    "ai.model.provider",
    "mlflow.llm.provider",
    "langsmith.metadata.ls_provider",
    "openclaw.provider",
)

RESPONSE_ID: Final[tuple[str, ...]] = (
    "gen_ai.response.id",
    "ai.response.id",
    *of_raw_spans("id"),
    *of_raw_spans("responseId"),
)

CALL_ID: Final = ("litellm.call_id",)
"""An id that a client writes on all its spans of one call."""

CACHE_HIT: Final = ("litellm.cache_hit",)

PENDING: Final = ("logfire.span_type",)

SERVICE_TIER: Final[tuple[str, ...]] = (
    "openai.response.service_tier",
    "gen_ai.openai.response.service_tier",
    "gen_ai.response.service_tier",
    "gen_ai.anthropic.service_tier",
    "anthropic.response.service_tier",
    "ai.response.providerMetadata#openai.serviceTier",
    "ai.response.providerMetadata#anthropic.usage.service_tier",
    *of_raw_spans("service_tier"),
    *(document + "#service_tier" for document in USAGE_OBJECTS),
)
"""The tier that the response names, which is the one that is billed."""

REQUESTED_TIER: Final[tuple[str, ...]] = (
    "openai.request.service_tier",
    "gen_ai.openai.request.service_tier",
    "gen_ai.request.service_tier",
    "llm.invocation_parameters#service_tier",
)

SPEED: Final[tuple[str, ...]] = (
    "ai.response.providerMetadata#anthropic.usage.speed",
    *(document + "#speed" for document in USAGE_OBJECTS),
    "gen_ai.request.speed",
    "llm.invocation_parameters#speed",
)
"""`fast` is Anthropic's fast mode, at a price of its own. Calls that make speech have a number under the same name."""

BATCH: Final = ("gen_ai.request.batch",)

SERVER_ADDRESS: Final[tuple[str, ...]] = (
    "server.address",
    "gen_ai.request.base_url",
    "gen_ai.openai.api_base",
    "llm.openai.api_base",
    "net.peer.name",
    "url.full",
    "http.url",
)
"""Who answered a call: a host, or a URL. Read only from spans that may be calls, since most HTTP spans have one."""


CODEX_TURN: Final = "codex.turn.token_usage."
"""Beside names with this prefix, the bare name `model` is read."""

AGENT: Final = ("gen_ai.agent.name", "agent.name", "crewai.agent.role", "gen_ai.agent.id")
"""The agent that a span is of."""

SECONDS_TO_FIRST_TOKEN: Final = ("gen_ai.response.time_to_first_chunk", "gen_ai.server.time_to_first_token")
MS_TO_FIRST_TOKEN: Final = (
    "ai.response.msToFirstChunk",
    "ai.response.msToFirstToken",
    "copilot_chat.time_to_first_token",
)
FIRST_TOKEN_AT: Final = ("langfuse.observation.completion_start_time",)

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
