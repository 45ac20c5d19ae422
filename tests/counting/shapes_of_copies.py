"""Traces in which one call is told several times, or in part, as real instrumentations write them.

Letters are the hazards: (c) the same call in nested spans, (d) side by side, (e) one number under several names, (g)
partial spans, (h) polling, (i) cache hits, (m) streaming.
"""

from __future__ import annotations

from typing import Final

from tests.counting.building import told
from tests.counting.writers import (
    ADK,
    ANTHROPIC_NATIVE,
    OI_LANGCHAIN,
    OI_OPENAI,
    OPENAI_V2,
    VERCEL,
    Shape,
    gen_ai,
    langfuse,
    oi,
    vercel,
)

SHAPES: Final[dict[str, Shape]] = {
    "c: ADK, call_llm around generate_content": Shape(
        (
            told(
                ADK,
                gen_ai("invoke_agent"),
                told(
                    ADK,
                    {
                        "gen_ai.system": "gcp.vertex.agent",
                        "gen_ai.request.model": "gemini-2.5-flash",
                        "gen_ai.usage.input_tokens": 70,
                        "gen_ai.usage.output_tokens": 8,
                    },
                    told(
                        "opentelemetry.instrumentation.google_genai",
                        gen_ai("generate_content", 70, 8, model="gemini-2.5-flash"),
                    ),
                ),
            ),
        ),
        70,
        8,
        1,
    ),
    "c: LiteLLM proxy, its request, the raw request and the provider's SDK": Shape(
        (
            told(
                "litellm",
                {"gen_ai.request.model": "gpt-4o", "litellm.call_id": "c1"},
                told(
                    "litellm",
                    {**gen_ai("chat", 70, 8, model="gpt-4o"), "litellm.call_id": "c1", "litellm.cost.total": 0.5},
                    told("litellm", {"gen_ai.request.model": "gpt-4o"}, told(OI_OPENAI, oi("LLM", 70, 8, "gpt-4o"))),
                ),
            ),
        ),
        70,
        8,
        1,
    ),
    "c: LangChain's span around the anthropic SDK's own": Shape(
        (
            told(
                "opentelemetry.instrumentation.anthropic",
                {"traceloop.span.kind": "task", "llm.request.type": "chat", **gen_ai("chat", 70, 8)},
                told(ANTHROPIC_NATIVE, gen_ai("chat", 70, 8, model="claude-sonnet-4-5", response_id="msg_1")),
            ),
        ),
        70,
        8,
        1,
    ),
    "c: OpenAI Agents, response around the openai SDK": Shape(
        (
            told(
                "openai-agents-v2",
                gen_ai("invoke_agent"),
                told("openai-agents-v2", gen_ai("chat", 70, 8), told(OPENAI_V2, gen_ai("chat", 70, 8))),
            ),
        ),
        70,
        8,
        1,
    ),
    "c: Langfuse's generation around an instrumented client": Shape(
        (told("langfuse-sdk", langfuse("generation", 70, 8), told(OPENAI_V2, gen_ai("chat", 70, 8))),), 70, 8, 1
    ),
    "c: client, gateway and provider, each in a service of its own": Shape(
        (
            told(
                OPENAI_V2,
                gen_ai("chat", 70, 8, model="gpt-4o", response_id="r1"),
                told("litellm", gen_ai("chat", 70, 8, model="openai/gpt-4o", response_id="r1")),
                told("com.anthropic.claude-platform", gen_ai("chat", 70, 8, response_id="r1"), at=(5, 60)),
            ),
        ),
        70,
        8,
        1,
    ),
    "c: LLM inside LLM": Shape((told("x", oi("LLM", 580), told("x", oi("LLM", 580))),), 580, 0, 1),
    "d: LangChain and the provider, siblings": Shape(
        (
            told(
                "app",
                gen_ai("invoke_agent"),
                told(OI_LANGCHAIN, oi("LLM", 70, 8, "gpt-4o"), at=(10, 120)),
                told(OPENAI_V2, gen_ai("chat", 70, 8, model="gpt-4o-2024-08-06"), at=(15, 110)),
                at=(0, 200),
            ),
        ),
        70,
        8,
        1,
    ),
    "d: LangChain and the provider, cousins at different depths": Shape(
        (
            told(
                "app",
                {},
                told(OI_LANGCHAIN, oi("CHAIN"), told(OI_LANGCHAIN, oi("LLM", 70, 8), at=(11, 120)), at=(10, 130)),
                told(OI_OPENAI, oi("LLM", 70, 8, "gpt-4o"), at=(15, 110)),
                at=(0, 200),
            ),
        ),
        70,
        8,
        1,
    ),
    "d: two scopes with the provider's id, the second a moment later": Shape(
        (
            told("a", gen_ai("chat", 70, 8, response_id="r1"), at=(0, 10)),
            told("b", gen_ai("chat", 70, 8, response_id="r1"), at=(500, 510)),
        ),
        70,
        8,
        1,
    ),
    "d: two calls whose ids are equal by chance": Shape(
        (
            told("a", gen_ai("chat", 70, 8, response_id="r1"), at=(0, 10)),
            told("b", gen_ai("chat", 71, 8, response_id="r1"), at=(500, 510)),
        ),
        141,
        16,
        2,
    ),
    "d: two equal calls at once, both seen twice": Shape(
        (
            told(OI_LANGCHAIN, oi("LLM", 70, 8), at=(0, 120)),
            told(OI_LANGCHAIN, oi("LLM", 70, 8), at=(1, 121)),
            told(OPENAI_V2, gen_ai("chat", 70, 8), at=(5, 110)),
            told(OPENAI_V2, gen_ai("chat", 70, 8), at=(6, 111)),
        ),
        140,
        16,
        2,
    ),
    "e: Strands, old and new names on one span": Shape(
        (
            told(
                "strands.telemetry.tracer",
                {
                    **gen_ai("chat", 70, 8),
                    "gen_ai.usage.prompt_tokens": 70,
                    "gen_ai.usage.completion_tokens": 8,
                    "gen_ai.usage.total_tokens": 78,
                },
            ),
        ),
        70,
        8,
        1,
    ),
    "e: OpenInference with OpenTelemetry's names switched on": Shape(
        (told(OI_OPENAI, {**oi("LLM", 70, 8, "gpt-4o"), **gen_ai("chat", 70, 8, model="gpt-4o")}),), 70, 8, 1
    ),
    "e: Pydantic AI, details beside the usage": Shape(
        (
            told(
                "pydantic-ai",
                {
                    **gen_ai("chat", 70, 8),
                    "gen_ai.usage.details.input_tokens": 70,
                    "gen_ai.usage.details.reasoning_tokens": 5,
                    "gen_ai.usage.details.cache_read_tokens": 60,
                },
            ),
        ),
        70,
        8,
        1,
    ),
    "e: Vercel, both names on the inner span": Shape(
        (told(VERCEL, vercel("ai.generateText.doGenerate", 70, 8, inner=True)),), 70, 8, 1
    ),
    "g: Logfire, a pending span for every span": Shape(
        (
            told(
                "logfire.openai",
                {"logfire.span_type": "span", **gen_ai("chat", 70, 8)},
                told("logfire.openai", {"logfire.span_type": "pending_span", **gen_ai("chat", 70, 0)}),
            ),
        ),
        70,
        8,
        1,
    ),
    "g: Logfire's Claude Agent SDK, partial usage on the chats and the truth on the root": Shape(
        (
            told(
                "logfire.claude_agent_sdk",
                gen_ai("invoke_agent", 170, 18),
                told(
                    "logfire.claude_agent_sdk",
                    {**gen_ai("chat", model="claude-sonnet-4-5"), "gen_ai.usage.partial.input_tokens": 99},
                ),
                told(
                    "logfire.claude_agent_sdk",
                    {**gen_ai("chat", model="claude-sonnet-4-5"), "gen_ai.usage.partial.output_tokens": 3},
                ),
            ),
        ),
        170,
        18,
        1,
    ),
    "h: polling for a response in the background": Shape(
        (
            told(OPENAI_V2, gen_ai("chat", 70, 8, model="o3", response_id="r1")),
            told(OPENAI_V2, gen_ai("fetch_response", 70, 8, model="o3", response_id="r1")),
            told(OPENAI_V2, gen_ai("fetch_response", 70, 8, model="o3", response_id="r1")),
        ),
        70,
        8,
        1,
    ),
    "i: LiteLLM, a hit in its cache": Shape(
        (
            told("litellm", {**gen_ai("chat", 70, 8), "litellm.cache_hit": "True", "litellm.cost.total": 0}),
            told("litellm", {**gen_ai("chat", 5, 1), "litellm.cache_hit": False}),
        ),
        5,
        1,
        1,
    ),
    "m: streams, one with usage and one without": Shape(
        (
            told(OPENAI_V2, gen_ai("chat", 70, 8)),
            told(OPENAI_V2, gen_ai("chat", model="gpt-4o", response_id="r2")),
        ),
        70,
        8,
        2,
    ),
}
