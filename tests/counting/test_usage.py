"""`normalise`: the tokens of one span, from every dialect, in OpenTelemetry's meaning."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.counting.building import read

from otel_sessions.counting.tokens import Usage
from otel_sessions.counting.usage import normalise
from otel_sessions.dialects import families
from otel_sessions.dialects.targets import FAMILIES

GEN_AI = "gen_ai.usage."
OI = "llm.token_count."
CLAUDE_AGENT_SDK = "openinference.instrumentation.claude_agent_sdk"
CLAUDE_CODE = "com.anthropic.claude_code.tracing"


def usage(attributes: Mapping[str, Any], scope: str = "app") -> Usage | None:
    """The usage of a span with these attributes."""
    call = read({"openinference.span.kind": "LLM", **attributes}, scope).call
    assert call is not None
    return call.usage


DIALECTS: dict[str, tuple[str, Mapping[str, Any], Usage]] = {
    "OpenTelemetry": (
        "opentelemetry.instrumentation.openai_v2",
        {
            GEN_AI + "input_tokens": 100,
            GEN_AI + "output_tokens": 30,
            GEN_AI + "cache_read.input_tokens": 40,
            GEN_AI + "cache_write.input_tokens": 10,
            GEN_AI + "reasoning.output_tokens": 20,
            GEN_AI + "audio.input_tokens": 5,
            GEN_AI + "audio.output_tokens": 6,
        },
        Usage(100, 30, 40, 10, 20, 5, 6),
    ),
    "OpenTelemetry before cache_write": (
        "opentelemetry.instrumentation.anthropic",
        {
            GEN_AI + "input_tokens": 100,
            GEN_AI + "output_tokens": 30,
            GEN_AI + "cache_read.input_tokens": 40,
            GEN_AI + "cache_creation.input_tokens": 10,
        },
        Usage(100, 30, 40, 10),
    ),
    "Traceloop of old": (
        "opentelemetry.instrumentation.anthropic",
        {
            GEN_AI + "prompt_tokens": 100,
            GEN_AI + "completion_tokens": 30,
            GEN_AI + "cache_read_input_tokens": 40,
            GEN_AI + "cache_creation_input_tokens": 10,
            GEN_AI + "reasoning_tokens": 20,
        },
        Usage(100, 30, 40, 10, 20),
    ),
    "Traceloop of oldest": (
        "opentelemetry.instrumentation.openai.v0",
        {"llm.usage.prompt_tokens": 100, "llm.usage.completion_tokens": 30, "llm.usage.total_tokens": 130},
        Usage(100, 30),
    ),
    "Datadog": (
        "ddtrace",
        {
            GEN_AI + "input_tokens": 100,
            GEN_AI + "output_tokens": 30,
            GEN_AI + "total_tokens": 130,
            GEN_AI + "cache_write_input_tokens": 10,
            GEN_AI + "reasoning_output_tokens": 20,
        },
        Usage(100, 30, None, 10, 20),
    ),
    "OpenInference": (
        "openinference.instrumentation.openai",
        {
            OI + "prompt": 100,
            OI + "completion": 30,
            OI + "total": 130,
            OI + "prompt_details.cache_read": 40,
            OI + "prompt_details.cache_write": 10,
            OI + "prompt_details.audio": 0,
            OI + "completion_details.reasoning": 20,
            OI + "completion_details.audio": 0,
        },
        Usage(100, 30, 40, 10, 20, 0, 0),
    ),
    "OpenInference, Claude Agent SDK": (
        CLAUDE_AGENT_SDK,
        {
            OI + "prompt": 10,
            OI + "completion": 30,
            OI + "total": 40,
            OI + "prompt_details.cache_read": 40,
            OI + "prompt_details.cache_write": 10,
        },
        Usage(60, 30, 40, 10),
    ),
    "Vercel 4": ("ai", {"ai.usage.promptTokens": 100, "ai.usage.completionTokens": 30}, Usage(100, 30)),
    "Vercel 5": (
        "ai",
        {
            "ai.usage.inputTokens": 100,
            "ai.usage.outputTokens": 30,
            "ai.usage.totalTokens": 130,
            "ai.usage.cachedInputTokens": 40,
            "ai.usage.reasoningTokens": 20,
        },
        Usage(100, 30, 40, None, 20),
    ),
    "Vercel 6": (
        "ai",
        {
            "ai.usage.inputTokens": 100,
            "ai.usage.outputTokens": 30,
            "ai.usage.inputTokenDetails.cacheReadTokens": 40,
            "ai.usage.inputTokenDetails.cacheWriteTokens": 10,
            "ai.usage.outputTokenDetails.reasoningTokens": 20,
        },
        Usage(100, 30, 40, 10, 20),
    ),
    "Vercel, parts in the provider's metadata": (
        "ai",
        {
            "ai.usage.promptTokens": 100,
            "ai.usage.completionTokens": 30,
            "ai.response.providerMetadata": json.dumps(
                {
                    "anthropic": {
                        "usage": {
                            "cache_read_input_tokens": 40,
                            "cache_creation_input_tokens": 10,
                            "cache_creation": {"ephemeral_1h_input_tokens": 4},
                        }
                    }
                }
            ),
        },
        Usage(100, 30, 40, 10, None, None, None, 4),
    ),
    "Vercel, embedding": ("ai", {"ai.usage.tokens": 9}, Usage(9)),
    "MLflow": (
        "mlflow",
        {
            "mlflow.chat.tokenUsage": json.dumps(
                {
                    "input_tokens": 100,
                    "output_tokens": 30,
                    "total_tokens": 130,
                    "cache_read_input_tokens": 40,
                    "cache_creation_input_tokens": 10,
                }
            )
        },
        Usage(100, 30, 40, 10),
    ),
    "LangSmith": (
        "langsmith",
        {
            "langsmith.usage_metadata": json.dumps(
                {
                    "input_tokens": 100,
                    "output_tokens": 30,
                    "total_tokens": 130,
                    "input_token_details": {"cache_read": 40, "cache_creation": 10},
                    "output_token_details": {"reasoning": 20},
                }
            )
        },
        Usage(100, 30, 40, 10, 20),
    ),
    "Braintrust": (
        "braintrust",
        {
            "braintrust.metrics": json.dumps(
                {"prompt_tokens": 100, "completion_tokens": 30, "tokens": 130, "prompt_cached_tokens": 40}
            )
        },
        Usage(100, 30, 40),
    ),
    "Braintrust, flat": (
        "braintrust",
        {"braintrust.metrics.prompt_tokens": 100, "braintrust.metrics.completion_tokens": 30},
        Usage(100, 30),
    ),
    "LangWatch": (
        "langwatch",
        {"langwatch.metrics": json.dumps({"promptTokens": 100, "completionTokens": 30, "reasoning_tokens": 20})},
        Usage(100, 30, None, None, 20),
    ),
    "VoltAgent": ("voltagent", {"usage.prompt_tokens": 100, "usage.completion_tokens": 30}, Usage(100, 30)),
    "Langfuse": (
        "langfuse-sdk",
        {
            "langfuse.observation.usage_details": json.dumps(
                {"input": 50, "input_cached_tokens": 40, "input_cache_creation": 10, "output": 10}
                | {"output_reasoning_tokens": 20, "total": 130}
            )
        },
        Usage(100, 30, 40, 10, 20),
    ),
    "Claude Code": (
        CLAUDE_CODE,
        {"input_tokens": 50, "output_tokens": 30, "cache_read_tokens": 40, "cache_creation_tokens": 10},
        Usage(100, 30, 40, 10),
    ),
}


@pytest.mark.parametrize(("scope", "attributes", "expected"), DIALECTS.values(), ids=DIALECTS)
def test_every_dialect_comes_out_the_same(scope: str, attributes: Mapping[str, Any], expected: Usage) -> None:
    """A call of 100 input tokens, cached ones included, and 30 output tokens is the same usage in every dialect."""
    assert usage(attributes, scope) == expected


@pytest.mark.parametrize(("scope", "attributes", "expected"), DIALECTS.values(), ids=DIALECTS)
def test_counts_written_as_strings_are_counts(scope: str, attributes: Mapping[str, Any], expected: Usage) -> None:
    """The same numbers as strings are the same usage."""
    written = {name: value if isinstance(value, str) else str(value) for name, value in attributes.items()}
    assert usage(written, scope) == expected


MALFORMED = ["", "twelve", "-3", "1.5", "1e3", -3, 1.5, float("nan"), float("inf"), True, False, None, [12], (1, 2)]
MALFORMED += [{"n": 12}, b"12", 10**13, "9" * 400, 10**5000, "٣", "²"]


@pytest.mark.parametrize("value", MALFORMED, ids=lambda value: repr(value)[:20] if value != 10**5000 else "10**5000")
def test_malformed_counts_are_absent(value: object) -> None:
    """A malformed count is treated as not given: it is not 0, raises nothing, and does not affect other counts."""
    assert usage({GEN_AI + "input_tokens": value, GEN_AI + "output_tokens": 4}) == Usage(None, 4)
    assert usage({GEN_AI + "input_tokens": value, GEN_AI + "prompt_tokens": 7}) == Usage(7)
    assert usage({GEN_AI + "input_tokens": 7, GEN_AI + "cache_read.input_tokens": value}) == Usage(7)
    assert usage({GEN_AI + "input_tokens": value}) is None


@pytest.mark.parametrize("document", ["", "garbage", "[1]", "12", "null", '{"input_tokens": ', "[" * 100_000, 12, [1]])
@pytest.mark.parametrize(
    "name", ["langfuse.observation.usage_details", "mlflow.chat.tokenUsage", "langsmith.usage_metadata"]
)
def test_documents_that_are_garbage_are_absent(name: str, document: object) -> None:
    """A document that is not a JSON object says nothing."""
    assert usage({name: document}) is None


@pytest.mark.parametrize(("value", "count"), [("12", 12), (12.0, 12), (0, 0), ("0", 0), (10**12, 10**12)])
def test_accepted_counts(value: object, count: int) -> None:
    """Whole numbers count, as numbers or strings, and 0 is a count."""
    assert usage({GEN_AI + "input_tokens": value}) == Usage(count)


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        # By the total: 130 is 50 + 40 + 10 + 30.
        ({"input_tokens": 50, "output_tokens": 30, "total_tokens": 130}, 100),
        # The total is input plus output alone: the input had the parts in it.
        ({"input_tokens": 50, "output_tokens": 30, "total_tokens": 80}, 50),
        # No total, and the parts fit.
        ({"input_tokens": 50, "output_tokens": 30}, 50),
        # By size: 49 tokens cannot include 50.
        ({"input_tokens": 49, "output_tokens": 30}, 99),
        ({"input_tokens": 0, "output_tokens": 30}, 50),
        # A total without an output.
        ({"input_tokens": 60, "total_tokens": 110}, 110),
    ],
)
def test_exclusive_input_is_completed(attributes: Mapping[str, int], expected: int) -> None:
    """Cached tokens are added to an input whose total or size shows that it leaves them out."""
    parts = {GEN_AI + "cache_read.input_tokens": 40, GEN_AI + "cache_write.input_tokens": 10}
    found = usage({**{GEN_AI + name: count for name, count in attributes.items()}, **parts})
    assert found is not None
    assert (found.input_tokens, found.cache_read_tokens, found.cache_write_tokens) == (expected, 40, 10)


@pytest.mark.parametrize("scope", ["openinference.instrumentation.anthropic", CLAUDE_AGENT_SDK])
@pytest.mark.parametrize(
    ("prompt", "total", "inputs"),
    [
        (17127, 17131, 17127),  # a total of both: the cached tokens are inside
        (3, 7, 17127),  # fewer than the cached tokens: these are beside, whatever the total says
        (20000, 37128, 37124),  # the total counts the cached tokens beside
        (20000, None, 20000),
    ],
)
def test_the_numbers_decide_whether_the_input_has_the_cached_tokens(
    scope: str, prompt: int, total: int | None, inputs: int
) -> None:
    """The size of the input and the total tell; the instrumentation's name does not, since its versions differ."""
    attributes = {OI + "prompt": prompt, OI + "completion": 4, OI + "prompt_details.cache_read": 17024}
    attributes[OI + "prompt_details.cache_write"] = 100
    if total is not None:
        attributes[OI + "total"] = total
    found = usage(attributes, scope)
    assert found is not None
    assert (found.input_tokens, found.output_tokens, found.unexplained_tokens) == (inputs, 4, None)


def test_another_family_on_the_span_tells_too() -> None:
    """The same call in a second dialect shows whether the first one includes cached tokens."""
    cached = {OI + "prompt_details.cache_read": 60, OI + "completion": 5, GEN_AI + "output_tokens": 5}
    inside = {**cached, OI + "prompt": 100, GEN_AI + "input_tokens": 100}
    assert usage(inside) == Usage(100, 5, 60)
    beside = {**cached, GEN_AI + "input_tokens": 100, OI + "prompt": 160}
    assert usage(beside) == Usage(160, 5, 60)
    bare = {"input_tokens": 100, "output_tokens": 5, "cache_read_tokens": 60, "cost_usd": 0.5}
    for input_ in (100, 160):  # Claude Code's own names exclude cached tokens
        assert usage({**bare, GEN_AI + "input_tokens": input_, GEN_AI + "output_tokens": 5}, CLAUDE_CODE) == Usage(
            160, 5, 60
        )


@pytest.mark.parametrize(
    ("total", "output", "unexplained"),
    [
        (1200, 200, None),
        (1350, 350, None),
        (1200 + 149, 200, 149),
        (1351, 200, 151),
        (1100, 200, None),
        (None, 200, None),
    ],
)
def test_the_total_tells_whether_thinking_is_beside_the_output(
    total: int | None, output: int, unexplained: int | None
) -> None:
    """Thinking is added if the total counts it beside the output; what a total has beyond that is unexplained."""
    attributes: dict[str, Any] = {OI + "prompt": 1000, OI + "completion": 200, OI + "completion_details.reasoning": 150}
    if total is not None:
        attributes[OI + "total"] = total
    assert usage({**attributes, "llm.provider": "openai"}) == Usage(
        1000, output, reasoning_tokens=150, unexplained_tokens=unexplained
    )


def test_cached_tokens_and_thinking_may_both_be_beside() -> None:
    """One total proves both."""
    attributes = {OI + "prompt": 100, OI + "completion": 20, OI + "prompt_details.cache_read": 60}
    attributes |= {OI + "completion_details.reasoning": 15, OI + "total": 195}
    assert usage(attributes) == Usage(160, 35, 60, reasoning_tokens=15)


@pytest.mark.parametrize(
    ("said", "beside"),
    [
        ({"gen_ai.provider.name": "gcp.gen_ai"}, True),
        ({"gen_ai.provider.name": "x_ai"}, True),
        ({"gen_ai.response.model": "models/gemini-2.5-flash"}, True),
        ({"gen_ai.provider.name": "openai"}, False),
        ({}, False),
    ],
)
def test_a_total_of_a_provider_that_counts_thinking_beside(said: dict[str, str], beside: bool) -> None:
    """Google's and xAI's totals tell of thinking that the span leaves out; another remainder stays unexplained."""
    attributes = {GEN_AI + "input_tokens": 135, GEN_AI + "output_tokens": 27, GEN_AI + "total_tokens": 202, **said}
    expected = Usage(135, 67, reasoning_tokens=40) if beside else Usage(135, 27, unexplained_tokens=40)
    assert usage(attributes) == expected


def test_parts_of_an_unknown_input_do_not_make_one() -> None:
    """Cached tokens without an input are kept, and the input stays unknown."""
    assert usage({GEN_AI + "output_tokens": 5, GEN_AI + "cache_read.input_tokens": 60}) == Usage(None, 5, 60)


@pytest.mark.parametrize(("reasoning", "output"), [(5, 20), (20, 20), (21, 41)])
def test_reasoning_left_out_of_the_output_is_added(reasoning: int, output: int) -> None:
    """Reasoning tokens are added to an output that is smaller than they are."""
    found = usage({GEN_AI + "output_tokens": 20, GEN_AI + "reasoning.output_tokens": reasoning})
    assert found == Usage(None, output, None, None, reasoning)


def test_reasoning_without_an_output() -> None:
    """Reasoning alone does not make an output."""
    attributes = {GEN_AI + "input_tokens": 20, GEN_AI + "reasoning.output_tokens": 5}
    assert usage(attributes) == Usage(20, reasoning_tokens=5)


def test_one_family_supplies_input_and_output() -> None:
    """The first of two dialects gives both sides, also if it has only one; the two are never added."""
    both = {GEN_AI + "input_tokens": 100, OI + "prompt": 60, OI + "completion": 30}
    assert usage(both) == Usage(100)
    assert usage({OI + "prompt": 60, OI + "completion": 30, "ai.usage.inputTokens": 100}) == Usage(60, 30)


def test_other_families_fill_missing_parts() -> None:
    """Cached and reasoning tokens that the chosen dialect lacks come from the next one that has them."""
    found = usage(
        {
            GEN_AI + "input_tokens": 100,
            GEN_AI + "output_tokens": 30,
            GEN_AI + "reasoning.output_tokens": 8,
            OI + "prompt": 100,
            OI + "prompt_details.cache_read": 40,
            OI + "completion_details.reasoning": 9,
            "ai.usage.cachedInputTokens": 41,
            "ai.usage.inputTokenDetails.cacheWriteTokens": 7,
        }
    )
    assert found == Usage(100, 30, 40, 7, 8)
    plain = {GEN_AI + "input_tokens": 100, GEN_AI + "output_tokens": 30}
    assert usage({**plain, OI + "prompt_details.cache_read": 40}) == Usage(100, 30, 40)


def test_a_family_with_parts_only_is_not_chosen() -> None:
    """A dialect that has neither input nor output only adds parts, whatever its priority."""
    found = usage({GEN_AI + "cache_read.input_tokens": 40, OI + "prompt": 100})
    assert found == Usage(100, None, 40)
    assert usage({GEN_AI + "cache_read.input_tokens": 40}) is None


@pytest.mark.parametrize("prefix", ["gen_ai.aggregated_usage.", "gen_ai.usage.partial."])
def test_totals_of_runs_are_no_usage(prefix: str) -> None:
    """Attributes that add up a run, or are not final, are never counted."""
    assert usage({prefix + "input_tokens": 100, prefix + "output_tokens": 30}) is None


@pytest.mark.parametrize("scope", ["", "app", "com.anthropic.other", "openinference.instrumentation.anthropic"])
def test_bare_names_need_their_scope(scope: str) -> None:
    """`input_tokens` without a prefix is believed from Claude Code only."""
    assert usage({"input_tokens": 100, "output_tokens": 5, "cache_read_tokens": 3, "cost_usd": 1}, scope) is None


def test_nothing_reported_is_no_usage() -> None:
    """Without input and output there is no usage."""
    assert normalise({}) is None
    assert normalise({1: {"reasoning": 4, "total": 9}}) is None


def test_exclusive_families() -> None:
    """These names always exclude cached tokens; for others the scope or the sums decide."""
    exclusive = [family for family in FAMILIES if family.exclusive]
    assert exclusive == [families.FAMILIES["openclaw"], families.CLAUDE_CODE]


def test_thinking_beside_the_output() -> None:
    """Gemini CLI's output never includes thinking, also where the numbers would allow it."""
    gemini, qwen = FAMILIES.index(families.GEMINI_CLI), FAMILIES.index(families.QWEN_CODE)
    reported = {"input": 9_000, "output": 200, "reasoning": 50}
    assert normalise({gemini: reported}) == Usage(9_000, 250, reasoning_tokens=50)
    assert normalise({gemini: {**reported, "reasoning": 300}}) == Usage(9_000, 500, reasoning_tokens=300)
    assert normalise({qwen: reported}) == Usage(9_000, 200, reasoning_tokens=50)
    assert normalise({qwen: {**reported, "total": 9_250}}) == Usage(9_000, 250, reasoning_tokens=50)


SLOTS = ("input", "output", "total", "cache_read", "cache_write", "reasoning", "audio_input", "cache_write_1h")


@settings(deadline=None)
@given(
    st.dictionaries(
        st.integers(0, len(FAMILIES) - 1),
        st.dictionaries(st.sampled_from(SLOTS), st.integers(0, 1000), min_size=1),
        max_size=3,
    ),
    st.booleans(),
    st.randoms(),
)
def test_parts_fit_their_whole(reported: dict[int, dict[str, int]], thinks: bool, random: Any) -> None:
    """Input is at least its cached tokens, output its reasoning tokens, and the order of attributes does not matter."""
    found = normalise(reported, thinks_beside=thinks)
    families = list(reported.items())
    random.shuffle(families)
    assert normalise({index: dict(reversed(slots.items())) for index, slots in families}, thinks_beside=thinks) == found
    chosen = next((reported[i] for i in sorted(reported) if reported[i].keys() & {"input", "output"}), None)
    if found is None or chosen is None:
        assert found is None
        assert chosen is None
        return
    assert (found.input_tokens is None) == ("input" not in chosen)
    assert (found.output_tokens is None) == ("output" not in chosen)
    if found.input_tokens is not None:
        assert found.input_tokens >= chosen["input"]
        assert found.input_tokens >= (found.cache_read_tokens or 0) + (found.cache_write_tokens or 0)
    if found.output_tokens is not None:
        assert found.output_tokens >= max(chosen["output"], found.reasoning_tokens or 0)
