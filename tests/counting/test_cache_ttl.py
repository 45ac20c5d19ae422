"""`cache_ttl`: the time to live of a model's caches, where it is documented."""

from __future__ import annotations

import pytest

from otel_sessions.counting.cache_ttl import FIVE_MINUTES, CacheTtl, cache_ttl

CLAUDE = CacheTtl(FIVE_MINUTES, may_be_an_hour=True)
NOVA = CacheTtl(FIVE_MINUTES, may_be_an_hour=False)


@pytest.mark.parametrize(
    ("provider", "model", "ttl"),
    [
        ("anthropic", "claude-opus-4-8", CLAUDE),
        ("aws.bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", CLAUDE),
        ("gcp.vertex_ai", "claude-sonnet-4-5@20250929", CLAUDE),
        (None, "anthropic/claude-sonnet-4.5", CLAUDE),
        ("litellm", "Claude-Haiku-4-5", CLAUDE),
        ("aws.bedrock", "amazon.nova-pro-v1:0", NOVA),
        ("ollama", "claude-like", None),
        ("anthropic", "kimi-k2", None),
        ("anthropic", None, None),
        ("openai", "gpt-5.2", None),
        ("gcp.gemini", "gemini-2.5-pro", None),
        ("deepseek", "deepseek-chat", None),
    ],
)
def test_the_time_to_live(provider: str | None, model: str | None, ttl: CacheTtl | None) -> None:
    """The model decides, whoever sells it; what runs locally or promises no time has none."""
    assert cache_ttl(provider, model) == ttl
