"""Provider spellings and the order in which a price is looked up."""

from __future__ import annotations

import pytest
from genai_prices import data
from hypothesis import given
from hypothesis import strategies as st

from otel_sessions.counting.prices.aliases import LOCAL, NOT_PROVIDERS, PROVIDERS, candidates, provider_id

ARN = "arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-sonnet-4-5-20250929-v1:0"


@pytest.mark.parametrize(
    ("name", "provider"),
    [
        ("azure.ai.openai", "azure"),
        ("az.ai.openai", "azure"),
        ("azure.ai.inference", "azure"),
        ("az.ai.inference", "azure"),
        ("AzureOpenAI", "azure"),
        ("aws.bedrock", "aws"),
        ("AWS", "aws"),
        ("bedrock_converse", "aws"),
        ("amazon-bedrock", "aws"),
        ("gcp.gen_ai", "google"),
        ("gcp.gemini", "google"),
        ("gcp.vertex_ai", "google"),
        ("vertex_ai", "google"),
        ("gemini", "google"),
        ("google_genai", "google"),
        ("x_ai", "x-ai"),
        ("xai", "x-ai"),
        ("mistral_ai", "mistral"),
        ("mistralai", "mistral"),
        ("moonshot_ai", "moonshotai"),
        ("togetherai", "together"),
        ("together_ai", "together"),
        ("openai.responses", "openai"),
        ("xai.chat", "x-ai"),
        (" OpenAI ", "openai"),
        ("someone_new", "someone_new"),
        ("ollama", "ollama"),
        ("", None),
        (" ", None),
        (".openai", None),
        (None, None),
        ("langchain", None),
        ("strands_agents", None),
        ("gcp.vertex.agent", None),
        ("unknown", None),
    ],
)
def test_a_provider_has_one_name(name: str | None, provider: str | None) -> None:
    """Spellings used by instrumentations lead to one name; frameworks lead to none."""
    assert provider_id(name) == provider


def test_the_price_lists_own_names_stay_what_they_are() -> None:
    """Every provider id in the price list means itself, so no entry is shadowed by an alias."""
    for provider in data.providers:
        assert provider_id(provider.id) == provider.id
        assert candidates(provider.id, "m")[0] == (provider.id, "m")


def test_aliases_lead_to_providers_of_the_price_list() -> None:
    """No alias leads nowhere, and the tables are spelled the way they are looked up."""
    assert set(PROVIDERS.values()) <= {provider.id for provider in data.providers}
    assert all(name == name.lower() and "_" not in name for name in {*PROVIDERS, *NOT_PROVIDERS, *LOCAL})


@pytest.mark.parametrize(
    ("provider", "model", "expected"),
    [
        ("openai", "gpt-4o", [("openai", "gpt-4o"), (None, "gpt-4o")]),
        (None, "gpt-4o", [(None, "gpt-4o")]),
        (
            "litellm",
            "vertex_ai/gemini-2.5-pro",
            [("google", "gemini-2.5-pro"), (None, "vertex_ai/gemini-2.5-pro"), (None, "gemini-2.5-pro")],
        ),
        (
            "anthropic",
            "anthropic/claude-x",
            [
                ("anthropic", "anthropic/claude-x"),
                ("anthropic", "claude-x"),
                (None, "anthropic/claude-x"),
                (None, "claude-x"),
            ],
        ),
        (None, "us.amazon.nova-pro-v1:0", [("aws", "us.amazon.nova-pro-v1:0"), (None, "us.amazon.nova-pro-v1:0")]),
        (None, "text-embedding-3-small", [("openai", "text-embedding-3-small"), (None, "text-embedding-3-small")]),
        (None, "openai/", [("openai", ""), (None, "openai/")]),
        ("ollama", "gpt-oss:20b", []),
        ("langchain", "ollama/deepseek-r1", []),
        (None, "  ", []),
    ],
)
def test_candidates_go_from_the_named_to_the_guessed(
    provider: str | None, model: str, expected: list[tuple[str | None, str]]
) -> None:
    """Names on the span come first, then the provider that the model's name suggests; local models have no price."""
    assert list(candidates(provider, model)) == [pair for pair in expected if pair[1]]


def test_a_bedrock_arn_is_looked_up_at_aws() -> None:
    """An inference profile's ARN names no provider, but only AWS writes such names."""
    assert ("aws", ARN) in candidates(None, ARN)
    assert ("aws", ARN.rpartition("/")[2]) in candidates(None, ARN)


@given(st.none() | st.text(max_size=40), st.text(max_size=60))
def test_any_names_give_a_short_list(provider: str | None, model: str) -> None:
    """Any names on a span give few lookups, without empty names or repetitions."""
    found = candidates(provider, model)
    assert len(found) <= 8
    assert len(set(found)) == len(found)
    assert all(name for _, name in found)
