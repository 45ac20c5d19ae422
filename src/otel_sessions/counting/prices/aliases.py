"""One name for all spellings of a provider, and the names under which the price of a model is looked up.

Spans name a provider in many ways (`azure.ai.openai`, `az.ai.openai`, `azure`), or name a framework in its place
(`langchain`), and add to the names of models (`models/gemini-2.5-pro`, `openai/gpt-4o`, a Bedrock ARN). The names on the
right-hand side are those of genai-prices.
"""

from __future__ import annotations

import re
from typing import Final

PROVIDERS: Final = {
    "amazon": "aws",
    "aws": "aws",
    "az.ai.inference": "azure",
    "az.ai.openai": "azure",
    "bedrock": "aws",
    "claude": "anthropic",
    "deepseek-ai": "deepseek",
    "fireworks-ai": "fireworks",
    "gcp": "google",
    "gemini": "google",
    "grok": "x-ai",
    "mistral-ai": "mistral",
    "mistralai": "mistral",
    "moonshot": "moonshotai",
    "moonshot-ai": "moonshotai",
    "perplexity-ai": "perplexity",
    "pplx": "perplexity",
    "together-ai": "together",
    "togetherai": "together",
    "voyage": "voyageai",
    "x-ai": "x-ai",
    "x.ai": "x-ai",
    "xai": "x-ai",
    "z-ai": "zai",
    "z.ai": "zai",
    "zhipu": "zhipuai",
}
"""Other spellings of one provider, in lower case with `-` for `_`."""

PREFIXES: Final = (
    ("azure", "azure"),
    ("aws.", "aws"),
    ("bedrock", "aws"),
    ("amazon", "aws"),
    ("gcp.", "google"),
    ("google", "google"),
    ("vertex", "google"),
    ("gemini", "google"),
)
"""Spellings of a provider by their beginning."""

NOT_PROVIDERS: Final = frozenset(
    {
        "agent-framework",
        "autogen",
        "crewai",
        "custom",
        "dspy",
        "gateway",
        "gcp.vertex.agent",
        "haystack",
        "langchain",
        "langgraph",
        "litellm",
        "litellm-proxy",
        "llama-index",
        "llamaindex",
        "microsoft.agent-framework",
        "other",
        "pydantic-ai",
        "semantic-kernel",
        "smolagents",
        "strands",
        "strands-agents",
        "unknown",
    }
)
"""Frameworks and gateways: they pass a call on, so the price does not depend on their name."""

LOCAL: Final = frozenset(
    {
        "hosted-vllm",
        "llama-cpp",
        "llama.cpp",
        "llamafile",
        "lm-studio",
        "lmstudio",
        "local",
        "mlx",
        "ollama",
        "ollama-chat",
        "sglang",
        "vllm",
    }
)
"""Programs that run a model on your own hardware: a vendor's price for a model of the same name would be wrong."""

MODEL_MAKERS: Final = (("text-embedding-3-", "openai"), ("text-embedding-ada-", "openai"))
"""Beginnings of model names of one vendor that genai-prices does not recognise without a provider."""

_BEDROCK: Final = re.compile(
    r"^arn:aws[\w-]*:bedrock:"
    r"|^(?:(?:us|us-gov|eu|apac|jp|au|ca|sa|global)\.)?"
    r"(?:ai21|amazon|anthropic|cohere|deepseek|google|luma|meta|minimax|mistral|moonshot|nvidia|openai|qwen|stability"
    r"|twelvelabs|writer|zai)\.[a-z]"
)


def provider_id(name: str | None) -> str | None:
    """The name of a provider, the same for all its spellings; `None` if `name` is not that of a provider.

    An unknown name is returned in lower case, cut at its first dot (`openai.responses`).
    """
    if name is None:
        return None
    plain = name.strip().lower()
    known = plain.replace("_", "-")
    if not known or known in NOT_PROVIDERS:
        return None
    if known in PROVIDERS:
        return PROVIDERS[known]
    if known in LOCAL:
        return known
    for prefix, provider in PREFIXES:
        if known.startswith(prefix):
            return provider
    head, dot, _ = plain.partition(".")
    # The part before the dot may be an alias itself.
    return provider_id(head) if dot else plain


def candidates(provider: str | None, model: str) -> tuple[tuple[str | None, str], ...]:
    """The (provider, model) pairs to look a price up under, best first; empty for a model that runs locally.

    First come the names of the span; then a provider in the name of the model: a prefix (`vertex_ai/…`), the form of a
    Bedrock name, or a vendor that genai-prices knows by the name (provider `None`). The provider's own entry always
    comes before that of another vendor, since some resell models at other prices.
    """
    named = provider_id(provider)
    model = model.strip()
    head, slash, rest = model.partition("/")
    owner = provider_id(head) if slash else None
    if named in LOCAL or (named is None and owner in LOCAL):
        return ()
    last = model.rpartition("/")[2]
    found: list[tuple[str | None, str]] = []
    if named is not None:
        found += [(named, model), (named, last)]
    if owner is not None:
        found.append((owner, rest))
    if _BEDROCK.match(model.lower()) or _BEDROCK.match(last.lower()):
        found += [("aws", model), ("aws", last)]
    found += [(maker, last) for start, maker in MODEL_MAKERS if last.lower().startswith(start)]
    found += [(None, model), (None, last)]
    return tuple(dict.fromkeys(pair for pair in found if pair[1]))
