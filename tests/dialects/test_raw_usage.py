"""Usage objects of APIs and frameworks; `test_names_in_use.py` has a sample of each."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otel_sessions.dialects.raw_usage import usage_slots


def usage(details: dict[str, Any]) -> dict[str, Any]:
    """The slots of a usage object that have a value."""
    return {slot: value for slot, value in usage_slots(details).items() if value is not None}


def test_nothing() -> None:
    """An object without counts gives no slot."""
    assert usage({}) == {}
    assert usage({"input_tokens": "many", "input_token_details": [1], "usage": {"input_tokens": 4}}) == {}


def test_the_greatest_copy_counts() -> None:
    """Of several names of one thing, one may be left at 0; they are never added up."""
    details = {"prompt_tokens": 100, "cache_read_input_tokens": 0, "prompt_tokens_details": {"cached_tokens": 58}}
    assert usage(details) == {"input": 100, "cache_read": 58}
    both = {"input_tokens": 100, "cache_creation_input_tokens": 9, "cache_creation": {"ephemeral_1h_input_tokens": 9}}
    assert usage(both) == {"input": 109, "cache_write": 9, "cache_write_1h": 9}


@pytest.mark.parametrize(
    "modalities",
    [[], [{"modality": "TEXT", "tokenCount": 4}], [{"modality": "AUDIO"}], ["AUDIO"], "AUDIO", 7],
    ids=repr,
)
def test_no_audio(modalities: object) -> None:
    """A list of modalities without a count of audio tells nothing."""
    assert usage({"promptTokenCount": 9, "promptTokensDetails": modalities}) == {"input": 9}


counts = st.integers(0, 10**6)


@settings(deadline=None)
@given(counts, counts, counts, counts)
def test_apis_that_exclude_the_cache_and_those_that_include_it_agree(own: int, read: int, write: int, out: int) -> None:
    """The same call has the same tokens, whichever API tells them."""
    anthropic = {
        "input_tokens": own,
        "output_tokens": out,
        "cache_read_input_tokens": read,
        "cache_creation_input_tokens": write,
    }
    bedrock = {
        "inputTokens": own,
        "outputTokens": out,
        "cacheReadInputTokens": read,
        "cacheWriteInputTokens": write,
    }
    langchain = {
        "input_tokens": own + read + write,
        "output_tokens": out,
        "input_token_details": {"cache_read": read, "cache_creation": write},
    }
    expected = {"input": own + read + write, "output": out, "cache_read": read, "cache_write": write}
    assert usage(anthropic) == usage(bedrock) == usage(langchain) == expected
