"""`fold_models`: one model, one row."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_sessions.counting.model_names import Model, base_name, fold_models, plain_name


@pytest.mark.parametrize(
    ("name", "plain", "base"),
    [
        ("gpt-4o", "gpt-4o", "gpt-4o"),
        ("GPT-4o-2024-08-06", "gpt-4o-2024-08-06", "gpt-4o"),
        ("openai/gpt-4o", "gpt-4o", "gpt-4o"),
        ("models/gemini-2.5-pro", "gemini-2.5-pro", "gemini-2.5-pro"),
        ("gemini-2.5-flash-preview-05-20", "gemini-2.5-flash-preview-05-20", "gemini-2.5-flash-preview"),
        ("gemini-1.5-pro-002", "gemini-1.5-pro-002", "gemini-1.5-pro"),
        ("claude-3-5-sonnet@20240620", "claude-3-5-sonnet@20240620", "claude-3-5-sonnet"),
        ("claude-3-5-sonnet-latest", "claude-3-5-sonnet-latest", "claude-3-5-sonnet"),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4-5-20250929", "claude-sonnet-4-5"),
        ("openai.gpt-oss-120b-1:0", "gpt-oss-120b", "gpt-oss-120b"),
        ("command-r-08-2024", "command-r-08-2024", "command-r"),
        ("gpt-4-0613", "gpt-4-0613", "gpt-4"),
        ("gpt-4.1", "gpt-4.1", "gpt-4.1"),
        ("claude-opus-4-5", "claude-opus-4-5", "claude-opus-4-5"),
    ],
)
def test_names_without_provider_and_date(name: str, plain: str, base: str) -> None:
    """A name loses the prefix of its provider, and then its date."""
    assert (plain_name(name), base_name(name)) == (plain, base)


@pytest.mark.parametrize(
    ("spellings", "rows"),
    [
        ([("openai", "gpt-4o")], {("openai", "gpt-4o"): 1}),
        ([("openai", "openai/gpt-4o")], {("openai", "openai/gpt-4o"): 1}),
        ([("openai", "gpt-4o"), ("openai", "gpt-4o-2024-08-06")], {("openai", "gpt-4o-2024-08-06"): 2}),
        ([("openai", "gpt-4o"), ("openai", "openai/gpt-4o")], {("openai", "gpt-4o"): 2}),
        ([("gcp.gen_ai", "gemini-2.5-pro"), ("google", "models/gemini-2.5-pro")], {("google", "gemini-2.5-pro"): 2}),
        ([("langchain", "gpt-4o"), (None, "gpt-4o"), ("openai", "gpt-4o")], {("openai", "gpt-4o"): 3}),
        ([("langchain", "gpt-4o"), (None, "gpt-4o")], {("langchain", "gpt-4o"): 2}),
        ([("azure", "gpt-4o"), ("openai", "gpt-4o")], {("azure", "gpt-4o"): 1, ("openai", "gpt-4o"): 1}),
        (
            [("azure", "gpt-4o"), ("openai", "gpt-4o"), (None, "gpt-4o")],
            {("azure", "gpt-4o"): 1, ("openai", "gpt-4o"): 1, (None, "gpt-4o"): 1},
        ),
        (
            [("openai", "gpt-4o"), ("openai", "gpt-4o-2024-05-13"), ("openai", "gpt-4o-2024-08-06")],
            {("openai", "gpt-4o"): 1, ("openai", "gpt-4o-2024-05-13"): 1, ("openai", "gpt-4o-2024-08-06"): 1},
        ),
        (
            [("openai", "gpt-4o-2024-05-13"), ("openai", "openai/gpt-4o-2024-05-13"), ("openai", "gpt-4o-2024-08-06")],
            {("openai", "gpt-4o-2024-05-13"): 2, ("openai", "gpt-4o-2024-08-06"): 1},
        ),
        ([("openai", None), ("openai", "gpt-4o")], {("openai", None): 1, ("openai", "gpt-4o"): 1}),
    ],
)
def test_one_model_is_one_row(spellings: list[Model], rows: dict[Model, int]) -> None:
    """Alias and dated name, prefixes, synonyms and frameworks fold into one row; what may be another model does not."""
    for order in itertools.permutations(spellings):
        found = fold_models({spelling: spelling for spelling in order})
        assert {model: len(values) for model, values in found.items()} == rows


@given(
    st.sets(
        st.tuples(
            st.sampled_from([None, "openai", "azure", "langchain", "google", "gcp.gen_ai"]),
            st.sampled_from([None, "m", "p/m", "m-2024-01-01", "m-2025-01-01", "n"]),
        )
    )
)
def test_nothing_is_lost(spellings: set[Model]) -> None:
    """Every spelling is in exactly one row, whatever the order."""
    found = fold_models({spelling: spelling for spelling in sorted(spellings, key=str)})
    values = [value for values in found.values() for value in values]
    assert len(values) == len(set(values)) == len(spellings)
    again = fold_models({spelling: spelling for spelling in sorted(spellings, key=str, reverse=True)})
    assert {model: set(values) for model, values in again.items()} == {
        model: set(values) for model, values in found.items()
    }
