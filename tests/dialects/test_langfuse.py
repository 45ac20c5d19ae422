"""Langfuse's free-form buckets."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otel_sessions.dialects.langfuse import cost_buckets, usage_buckets


def usage(**details: Any) -> dict[str, int]:
    """The usage that these buckets give."""
    return {name: count for name, count in usage_buckets(details).items() if count is not None}


def test_nothing() -> None:
    """An empty document gives no bucket."""
    assert usage() == {}
    assert set(cost_buckets({}).values()) == {None}


def test_plain_input_and_output() -> None:
    """Two buckets are the two sides, and a total is kept."""
    assert usage(input=10, output=2, total=12) == {"input": 10, "output": 2, "total": 12}
    assert usage(input=0) == {"input": 0}


def test_buckets_are_exclusive() -> None:
    """Every `input_*` is added to the input, every `output_*` to the output; known ones are parts too."""
    found = usage(
        input=10,
        input_cached_tokens=4,
        input_cache_creation=3,
        input_audio=2,
        output=5,
        output_reasoning_tokens=7,
        output_audio=1,
        inputs=100,
        unrelated=100,
    )
    parts = {"cache_read": 4, "cache_write": 3, "reasoning": 7, "audio_input": 2, "audio_output": 1}
    assert found == {"input": 19, "output": 13, **parts}


def test_only_parts() -> None:
    """An input may consist of parts alone."""
    assert usage(input_cached_tokens=4) == {"input": 4, "cache_read": 4}


@pytest.mark.parametrize("input_name", ["input", "input_text"])
def test_anthropics_names_beside_an_input_bucket(input_name: str) -> None:
    """Cache buckets are added to Anthropic's input, as Langfuse documents, whatever their name."""
    details = {input_name: 100, "cache_read_input_tokens": 50, "cache_creation_input_tokens": 7, "output": 10}
    assert usage(**details) == {"input": 157, "output": 10, "cache_read": 50, "cache_write": 7}


def test_openais_names() -> None:
    """`prompt_tokens` and `completion_tokens` are wholes and are not added to anything."""
    found = usage(prompt_tokens=100, completion_tokens=30, total_tokens=130, input_cached_tokens=40, output_reasoning=9)
    assert found == {"input": 100, "output": 30, "total": 130, "cache_read": 40, "reasoning": 9}
    assert usage(input_tokens=100, output_tokens=30, input=1, output=1) == {"input": 100, "output": 30}


MALFORMED = [None, "", "many", -4, -0.5, 1.5, True, float("nan"), float("inf"), [4], {"a": 4}, 10**400]


@pytest.mark.parametrize("value", MALFORMED, ids=lambda value: repr(value)[:20])
def test_malformed_buckets_are_absent(value: object) -> None:
    """A malformed bucket adds nothing, removes nothing and does not affect the others."""
    assert usage(input=10, input_cached_tokens=value, output=value, output_x=3) == {"input": 10, "output": 3}
    assert usage(prompt_tokens=value, input=4) == {"input": 4}
    assert usage(input=value) == {}


def test_counts_as_strings() -> None:
    """Strings of digits are counts."""
    assert usage(input="10", input_cached_tokens="4") == {"input": 14, "cache_read": 4}


@pytest.mark.parametrize(
    ("details", "expected"),
    [
        ({"input": 0.1, "output": 0.2}, ("0.1", "0.2", "0.3")),
        ({"input": 0.1, "input_cached_tokens": 0.2, "output": 1, "fee": 0.05}, ("0.3", "1", "1.35")),
        ({"input": 0.1, "output": 0.2, "total": 0.5}, ("0.1", "0.2", "0.5")),
        ({"total": "0.5"}, (None, None, "0.5")),
        ({"total": 0}, (None, None, "0")),
        ({"input": "0.1", "output": "0.2"}, ("0.1", "0.2", "0.3")),
        ({"input": 0.1, "output": -3, "total": "free"}, ("0.1", None, "0.1")),
        ({"input": 0.5, "output": 10**400}, ("0.5", None, "0.5")),
        ({"total": float("nan")}, (None, None, None)),
    ],
)
def test_costs_are_exact(details: Mapping[str, Any], expected: tuple[str | None, ...]) -> None:
    """Costs are exact decimals, a missing total is the sum of all buckets, and a malformed bucket is left out."""
    found = cost_buckets(details)
    wanted = tuple(None if amount is None else Decimal(amount) for amount in expected)
    assert (found["input"], found["output"], found["total"]) == wanted


buckets = st.sampled_from(["input", "input_a", "input_cached_tokens", "cache_read_input_tokens", "output", "output_b"])


@settings(deadline=None)
@given(st.dictionaries(buckets, st.integers(0, 10**6)))
def test_sides_hold_their_parts(details: dict[str, int]) -> None:
    """An input is at least its cached part, and the same part under two names is added to it once."""
    found = usage(**details)
    if "input" in found:
        assert found["input"] >= found.get("cache_read", 0)
        cached = [details[name] for name in ("input_cached_tokens", "cache_read_input_tokens") if name in details]
        assert found["input"] == sum(details.get(name, 0) for name in ("input", "input_a")) + max(cached, default=0)


def test_names_that_are_no_text() -> None:
    """A mapping may have other keys than text, which name no bucket."""
    details: dict[Any, Any] = {5: 7, "input": 10}
    assert usage_buckets(details)["input"] == 10
    assert cost_buckets(details)["total"] == 10


def test_a_cost_under_two_names_is_one_cost() -> None:
    """The cost of a cache write counts once, under its own name or by time to live."""
    once = {"input": 1, "input_cache_creation": 3, "output": 2}
    assert cost_buckets({**once, "input_ephemeral_5m_input_tokens": 3})["total"] == 6
    assert cost_buckets({"input": 1, "input_ephemeral_1h_input_tokens": 3, "output": 2})["input"] == 4
    assert cost_buckets({**once, "input_cached_tokens": 1, "cache_read_input_tokens": 1})["input"] == 5
