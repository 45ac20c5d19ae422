"""The kind of work of a span, over all dialects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from otel_sessions.dialects import kinds
from otel_sessions.dialects.read import read_attributes

KNOWN = {
    kinds.LLM,
    kinds.EMBEDDING,
    kinds.RERANK,
    kinds.TOOL,
    kinds.AGENT,
    kinds.WORKFLOW,
    kinds.POLL,
    kinds.PENDING,
    kinds.OTHER,
}


def kind(attributes: Mapping[str, Any], scope: str = "app") -> str | None:
    """The kind that these attributes say, `None` for nothing."""
    found: str | None = read_attributes(attributes, scope).fields.get("kind")
    return found


@pytest.mark.parametrize(("name", "table"), kinds.KINDS, ids=[name for name, _ in kinds.KINDS])
def test_tables_hold_known_kinds(name: str, table: Mapping[str, str]) -> None:
    """Every value of a table is one of the known kinds."""
    assert name
    assert set(table.values()) <= KNOWN


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("langfuse.observation.type", "generation", "llm"),
        ("langfuse.observation.type", "span", "other"),
        ("langfuse.observation.type", "embedding", "embedding"),
        ("openinference.span.kind", "LLM", "llm"),
        ("openinference.span.kind", "EMBEDDING", "embedding"),
        ("openinference.span.kind", "RERANKER", "rerank"),
        ("openinference.span.kind", "TOOL", "tool"),
        ("openinference.span.kind", "AGENT", "agent"),
        ("openinference.span.kind", "CHAIN", "other"),
        ("openinference.span.kind", "UNKNOWN", None),
        ("agentmark.span.kind", "tool", "tool"),
        ("lmnr.span.type", "HUMAN_EVALUATOR", "other"),
        ("mlflow.spanType", '"CHAT_MODEL"', "llm"),
        ("mlflow.spanType", "LLM", "llm"),
        ("langsmith.span.kind", "parser", "other"),
        ("langwatch.span.type", "workflow", "workflow"),
        ("braintrust.span_attributes", '{"type": "llm"}', "llm"),
        ("braintrust.span_attributes", "garbage", None),
        ("gen_ai.operation.name", "chat", "llm"),
        ("gen_ai.operation.name", "text_completion", "llm"),
        ("gen_ai.operation.name", "generate_content", "llm"),
        ("gen_ai.operation.name", "embeddings", "embedding"),
        ("gen_ai.operation.name", "execute_tool", "tool"),
        ("gen_ai.operation.name", "search_memory", "tool"),
        ("gen_ai.operation.name", "invoke_agent", "agent"),
        ("gen_ai.operation.name", "invoke_workflow", "workflow"),
        ("gen_ai.operation.name", "agent_step", "other"),
        ("gen_ai.operation.name", "retrieval", "other"),
        ("gen_ai.operation.name", "fetch_response", "poll"),
        ("gen_ai.operation.name", "something new", None),
        ("llm.request.type", "completion", "llm"),
        ("llm.request.type", "rerank", "rerank"),
        ("traceloop.span.kind", "workflow", "workflow"),
        ("traceloop.span.kind", "task", "other"),
        ("ai.operationId", "ai.generateText.doGenerate", "llm"),
        ("ai.operationId", "ai.streamObject.doStream", "llm"),
        ("ai.operationId", "ai.embedMany.doEmbed", "embedding"),
        ("ai.operationId", "ai.toolCall", "tool"),
        ("ai.operationId", "ai.generateText", "other"),
        ("ai.operationId", "ai.embed", "other"),
        ("genkit:metadata:subtype", "model", "llm"),
        ("genkit:metadata:subtype", "embedder", "embedding"),
        ("logfire.span_type", "pending_span", "pending"),
        ("logfire.span_type", "span", None),
        ("gen_ai.tool.name", "search", "tool"),
        ("tool.name", "search", "tool"),
        ("ai.toolCall.name", "search", "tool"),
        ("gen_ai.request.model", "gpt-4o", None),
        ("span.type", "llm_request", None),
    ],
)
def test_what_a_signal_says(name: str, value: object, expected: str | None) -> None:
    """Each emitter's word gives its kind, and a model alone gives none."""
    assert kind({name: value}) == expected


@pytest.mark.parametrize("value", ["ChAt", "CHAT", '"chat"'])
def test_case_and_quotes_do_not_matter(value: str) -> None:
    """`CHAT` and a JSON string of it both mean `chat`."""
    assert kind({"gen_ai.operation.name": value}) == "llm"


@pytest.mark.parametrize("value", [None, 1, True, ["chat"], {"a": 1}, "", '"', float("nan")])
def test_values_of_other_types_say_nothing(value: object) -> None:
    """A value that is not a string gives no kind."""
    assert kind({"gen_ai.operation.name": value}) is None


IN_ORDER = [
    ("logfire.span_type", "pending_span", "pending"),
    ("langfuse.observation.type", "generation", "llm"),
    ("openinference.span.kind", "AGENT", "agent"),
    ("langsmith.span.kind", "tool", "tool"),
    ("gen_ai.operation.name", "embeddings", "embedding"),
    ("llm.request.type", "rerank", "rerank"),
    ("traceloop.span.kind", "workflow", "workflow"),
    ("ai.operationId", "ai.toolCall", "tool"),
    ("genkit:metadata:subtype", "model", "llm"),
    ("gen_ai.tool.name", "search", "tool"),
]


@pytest.mark.parametrize("first", range(len(IN_ORDER)))
def test_where_signals_disagree(first: int) -> None:
    """The most trusted of several signals wins, in any order of the attributes."""
    signals = [(name, value) for name, value, _ in IN_ORDER[first:]]
    assert kind(dict(signals)) == kind(dict(reversed(signals))) == IN_ORDER[first][2]


def test_an_unknown_kind_leaves_it_to_the_next() -> None:
    """OpenInference's UNKNOWN and unknown words are passed over."""
    assert kind({"openinference.span.kind": "UNKNOWN", "gen_ai.operation.name": "chat"}) == "llm"
    assert kind({"traceloop.span.kind": "unknown", "ai.operationId": "ai.toolCall"}) == "tool"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("llm_request", "llm"),
        ("claude_code.llm_request", "llm"),
        ("tool", "tool"),
        ("claude_code.interaction", "agent"),
        ("hook", None),
    ],
)
def test_claude_codes_own_word(value: str, expected: str | None) -> None:
    """`span.type` is read in Claude Code's scope only, after every other signal."""
    assert kind({"span.type": value}, "com.anthropic.claude_code.tracing") == expected
    assert kind({"span.type": value, "gen_ai.operation.name": "embeddings"}, "com.anthropic.claude_code") == "embedding"
