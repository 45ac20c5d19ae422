"""`runs_locally`: a vendor's price is no price for a model on your own machine."""

from __future__ import annotations

import pytest

from otel_sessions.counting.prices.genai import GenAIPrices
from otel_sessions.counting.prices.local_servers import LOCAL_SERVER, runs_locally
from otel_sessions.counting.tokens import Usage

LOCAL = "llama-3.3-70b"


@pytest.mark.parametrize(
    ("host", "is_private"),
    [
        ("localhost", True),
        ("LOCALHOST", True),
        ("127.0.0.1", True),
        ("::1", True),
        ("fd00::1", True),
        ("10.1.2.3", True),
        ("192.168.1.5", True),
        ("172.16.0.9", True),
        ("100.64.0.1", True),
        ("169.254.1.1", True),
        ("0.0.0.0", True),
        ("ollama", True),
        ("gpu.local", True),
        ("gpu.local.", True),
        ("host.docker.internal", True),
        ("vllm.ml.svc.cluster.local", True),
        ("api.openai.com", False),
        ("8.8.8.8", False),
        ("2001:4860:4860::8888", False),
        ("localhost.example.com", False),
        ("", False),
    ],
)
def test_which_hosts_are_private(host: str, is_private: bool) -> None:
    """Loopback, private and link-local addresses and names of a local network are your own; others are a vendor's."""
    assert runs_locally(host, LOCAL) is is_private


@pytest.mark.parametrize(
    "model",
    [
        "deepseek-r1:14b",
        "llama3.1:8b",
        "Qwen/Qwen3-32B",
        "gpt-oss-120b",
        "mistral-7b-instruct",
        "gemma-3-27b",
        "phi-4",
        "my-own",
        "gpt2",
        "codellama",
    ],
)
def test_models_that_anybody_can_run(model: str) -> None:
    """Open weights behind a private address run there."""
    assert runs_locally("127.0.0.1", model)


@pytest.mark.parametrize(
    "model",
    [
        "gpt-4o-mini",
        "openai/gpt-4o",
        "o4-mini",
        "claude-sonnet-4-5",
        "models/gemini-2.5-pro",
        "us.anthropic.claude-3-haiku",
        "text-embedding-3-small",
        "grok-4",
    ],
)
def test_models_of_one_vendor(model: str) -> None:
    """A model that only its vendor runs is reached through a gateway, and is priced."""
    assert not runs_locally("127.0.0.1", model)


def test_a_price_list_has_no_price_for_a_local_model() -> None:
    """The same call costs something at a vendor and nothing known on your own machine."""
    prices, usage, at = GenAIPrices(), Usage(1000, 100), 1_795_000_000 * 10**9
    vendor = prices.price(provider="deepseek", model="deepseek-chat", usage=usage, at=at)
    assert vendor is not None
    assert prices.price(provider="deepseek", model="deepseek-chat", usage=usage, at=at, context=(LOCAL_SERVER,)) is None
