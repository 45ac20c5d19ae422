"""`base_name`, and `fold_models`: one row for all spellings of a model.

A model has an alias and dated names (`gpt-4o`, `gpt-4o-2024-08-06`), and a name may start with its provider
(`openai/gpt-4o`, `us.anthropic.claude-sonnet-4-5-20250929-v1:0`). A provider has synonyms (`gcp.gen_ai`, `google`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final, TypeVar

from otel_sessions.counting.prices.aliases import provider_id

T = TypeVar("T")

Model = tuple[str | None, str | None]
"""Provider and model, as the spans name them."""

_THINKS_BESIDE: Final = frozenset({"google", "x-ai"})
_DATE: Final = re.compile(r"(?:[-@](?:\d{8}|\d{4}-\d{2}-\d{2}|\d{2}-\d{4}|\d{2}-\d{2}|\d{4}|00\d)|-latest)$")
_BEDROCK: Final = re.compile(r"^(?:[a-z-]{2,6}\.)?(?:ai21|amazon|anthropic|cohere|deepseek|meta|mistral|openai|qwen)\.")
_BEDROCK_VERSION: Final = re.compile(r"-(?:v\d+(?::\d+\w*)?|\d+:\d+\w*)$")


@lru_cache(maxsize=4_096)
def plain_name(model: str) -> str:
    """The name of a model in lower case, without the prefix of its provider."""
    last = model.strip().rpartition("/")[2].lower()
    bare = _BEDROCK.sub("", last)
    return last if bare == last else _BEDROCK_VERSION.sub("", bare)


@lru_cache(maxsize=4_096)
def base_name(model: str) -> str:
    """The name of a model in lower case, without the prefix of its provider and without its date."""
    return _DATE.sub("", plain_name(model))


@lru_cache(maxsize=4_096)
def thinks_beside(provider: str | None, model: str | None) -> bool:
    """Return True if the provider's total counts thinking beside the output, as those of Google and xAI do.

    https://ai.google.dev/api/generate-content#UsageMetadata: the total is prompt plus candidates plus thoughts, and
    https://docs.x.ai/docs/guides/reasoning: reasoning tokens are added to the completion tokens.
    """
    if provider_id(provider) in _THINKS_BESIDE:
        return True
    return model is not None and plain_name(model).startswith(("gemini-", "grok-"))


def fold_models(used: Mapping[Model, T]) -> dict[Model, list[T]]:
    """What models were used for, with all spellings of a model under one name; the order of `used` does not matter.

    An alias is the same model as the dated name beside it if there is only one; two dated names are two models. A call
    whose provider is unknown, or a framework, belongs to the only provider of its model. A model with one spelling keeps it.
    """
    rows: dict[tuple[str | None, str], dict[Model, T]] = {}
    folded: dict[Model, list[T]] = {}
    for (provider, model), value in used.items():
        if model is None:
            folded.setdefault((provider, None), []).append(value)
        else:
            rows.setdefault((provider_id(provider), base_name(model)), {})[provider, model] = value
    for key in [key for key in rows if key[0] is None]:
        owners = [other for other in rows if other[1] == key[1] and other[0] is not None]
        if len(owners) == 1:
            rows[owners[0]].update(rows.pop(key))
    for (owner, base), spellings in rows.items():
        dated = {plain_name(model) for _, model in spellings if model is not None} - {base}
        for sent, value in spellings.items():
            name = sent[1] or ""
            # With two dated names or more, nothing tells which of them the alias stands for.
            alike = (
                spellings
                if len(dated) < 2
                else [one for one in spellings if plain_name(one[1] or "") == plain_name(name)]
            )
            folded.setdefault((_provider(alike, owner), _name(alike, plain_name(name), dated)), []).append(value)
    return folded


def _provider(spellings: Iterable[Model], owner: str | None) -> str | None:
    sent = {provider for provider, _ in spellings if provider_id(provider) is not None}
    if len(sent) == 1:
        return sent.pop()
    return owner if sent else min((provider for provider, _ in spellings if provider is not None), default=None)


def _name(spellings: Iterable[Model], plain: str, dated: set[str]) -> str:
    sent = {model for _, model in spellings if model is not None}
    if len(sent) == 1:
        return sent.pop()
    return plain if len(dated) != 1 else next(iter(dated))
