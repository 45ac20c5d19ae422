"""Strategies for attributes that anyone may have written."""

from __future__ import annotations

from typing import Any, Final

from hypothesis import strategies as st

NAMES: Final = [
    *("session.id", "session.key.a", "session.key.", "session.metadata.a", "session.tags", "session.cut", "user.id"),
    *("session.name", "metadata", "thread.id", "mlflow.trace.session", "mlflow.spanType", "logfire.span_type"),
    *("gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens", "gen_ai.usage.cost", "gen_ai.operation.name"),
    *("langfuse.observation.usage_details", "langfuse.observation.cost_details", "langfuse.observation.type"),
    *("llm.token_count.prompt", "llm.cost.total", "litellm.cache_hit", "gen_ai.request.model", "braintrust.metrics"),
    *("ai.response.providerMetadata", "input_tokens", "cost_usd", "span.type", "gen_ai.tool.name", "anything.else"),
]
"""Attribute names of every part of what is read."""

WORDS: Final = [
    *("12", "-1", "nan", "Infinity", '"x"', '{"input": "1"}', "[", '{"a": {"b": [1]}}', "pending_span", "chat"),
    *('{"input": 1e400}', '{"total": NaN}', '{"input": -1, "output": 0.5}', "gpt-4o", "1e-500", "\ud800", "\x00"),
]

values: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**40), 10**40)
    | st.floats()
    | st.text(max_size=20)
    | st.binary(max_size=5)
    | st.sampled_from(WORDS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=4,
)
"""Any value at all."""

attributes: st.SearchStrategy[dict[str, Any]] = st.dictionaries(st.sampled_from(NAMES), values, max_size=6)
