"""The attributes that give the kind of a span (model call, tool, agent and so on) in all dialects, in order of priority.

A kind that a person set comes first, then an SDK's own kind, then `gen_ai.operation.name`, then older attributes. The
name of a model does not make a span a model call, since gateways copy it onto their other spans.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

LLM: Final = "llm"
EMBEDDING: Final = "embedding"
RERANK: Final = "rerank"
TOOL: Final = "tool"
AGENT: Final = "agent"
WORKFLOW: Final = "workflow"
POLL: Final = "poll"
PENDING: Final = "pending"
HUMAN: Final = "human"
"""Waiting for a person's decision."""

OTHER: Final = "other"

CALLS: Final = frozenset({LLM, EMBEDDING, RERANK})
"""The kinds of spans that are one call of a model."""

_COMMON: Final = {
    "llm": LLM,
    "chat_model": LLM,
    "generation": LLM,
    "model": LLM,
    "embedding": EMBEDDING,
    "embeddings": EMBEDDING,
    "embedder": EMBEDDING,
    "rerank": RERANK,
    "reranker": RERANK,
    "tool": TOOL,
    "agent": AGENT,
    "workflow": WORKFLOW,
    **dict.fromkeys(
        (
            "chain",
            "retriever",
            "retrieval",
            "guardrail",
            "evaluator",
            "evaluation",
            "prompt",
            "parser",
            "span",
            "event",
            "task",
            "step",
            "rag",
            "component",
            "module",
            "eval",
            "score",
            "function",
            "decision",
            "default",
            "pipeline",
            "executor",
            "human_evaluator",
            "flow",
        ),
        OTHER,
    ),
}

_OPERATIONS: Final = {
    **dict.fromkeys(("chat", "text_completion", "generate_content", "llm", "llm_call"), LLM),
    **dict.fromkeys(("embeddings", "embedding"), EMBEDDING),
    "rerank": RERANK,
    **dict.fromkeys(("execute_tool", "tool", "tool_call"), TOOL),
    **dict.fromkeys(("invoke_agent", "create_agent", "agent", "agent_call"), AGENT),
    **dict.fromkeys(("invoke_workflow", "workflow"), WORKFLOW),
    "fetch_response": POLL,
    **dict.fromkeys(
        (
            "create_memory",
            "search_memory",
            "update_memory",
            "upsert_memory",
            "delete_memory",
            "create_memory_store",
            "delete_memory_store",
        ),
        TOOL,
    ),
    **dict.fromkeys(
        (
            "retrieval",
            "execute_task",
            "execute_method",
            "plan",
            "agent_step",
            "task",
            "chain",
            "handle_conversation_turn",
        ),
        OTHER,
    ),
}

_VERCEL: Final = {
    "ai.generateText.doGenerate": LLM,
    "ai.streamText.doStream": LLM,
    "ai.generateObject.doGenerate": LLM,
    "ai.streamObject.doStream": LLM,
    "ai.embed.doEmbed": EMBEDDING,
    "ai.embedMany.doEmbed": EMBEDDING,
    "ai.toolCall": TOOL,
    **dict.fromkeys(
        ("ai.generateText", "ai.streamText", "ai.generateObject", "ai.streamObject", "ai.embed", "ai.embedMany"), OTHER
    ),
}

KINDS: Final[tuple[tuple[str, Mapping[str, str]], ...]] = (
    ("langfuse.observation.type", _COMMON),
    ("openinference.span.kind", _COMMON),
    ("agentmark.span.kind", _COMMON),
    ("lmnr.span.type", _COMMON),
    ("mlflow.spanType", _COMMON),
    ("langsmith.span.kind", _COMMON),
    ("langwatch.span.type", _COMMON),
    ("braintrust.span_attributes#type", _COMMON),
    ("gen_ai.operation.name", _OPERATIONS),
    ("llm.request.type", {"chat": LLM, "completion": LLM, "embedding": EMBEDDING, "rerank": RERANK}),
    ("traceloop.span.kind", _COMMON),
    ("ai.operationId", _VERCEL),
    ("genkit:metadata:subtype", _COMMON),
)
"""(attribute, kind by value); a value that the table does not have is looked up in lower case."""

TOOL_NAMES: Final = ("gen_ai.tool.name", "tool.name", "ai.toolCall.name")
"""Attributes whose presence makes a span a tool call if no other attribute gives its kind."""

HUMAN_NAMES: Final = frozenset({"claude_code.tool.blocked_on_user", "qwen-code.tool.blocked_on_user"})
"""Names of spans that last as long as a tool waits for a person's decision."""

AGENT_NAMES: Final = ("codex.turn.token_usage.input_tokens",)
"""Attributes whose presence makes a span an agent's, around its calls, in the same way."""
