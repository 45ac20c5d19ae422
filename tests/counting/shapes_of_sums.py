"""Traces in which spans sum up what others report, or alone report it, as real instrumentations write them.

Letters are the hazards: (a) a parent repeats the sum of its children, (b) more than that, (j) the agent alone reports,
(k) a tool calls a model.
"""

from __future__ import annotations

from typing import Final

from tests.counting.building import told
from tests.counting.writers import OI_OPENAI, OPENAI_V2, VERCEL, Shape, gen_ai, oi, vercel

SHAPES: Final[dict[str, Shape]] = {
    "a: Vercel 7, invoke_agent with the sum, steps between": Shape(
        (
            told(
                "gen_ai",
                gen_ai("invoke_agent", 300, 30),
                told("gen_ai", gen_ai("agent_step"), told("gen_ai", gen_ai("chat", 100, 10))),
                told("gen_ai", gen_ai("agent_step"), told("gen_ai", gen_ai("chat", 200, 20))),
            ),
        ),
        300,
        30,
        2,
    ),
    "a: Vercel 4 to 6, the outer span sums up under its own names": Shape(
        (
            told(
                VERCEL,
                vercel("ai.streamText", 300, 30),
                told(VERCEL, vercel("ai.streamText.doStream", 100, 10, inner=True)),
                told(VERCEL, {"ai.operationId": "ai.toolCall", "ai.toolCall.name": "search"}),
                told(VERCEL, vercel("ai.streamText.doStream", 200, 20, inner=True)),
            ),
        ),
        300,
        30,
        2,
    ),
    "a: Vercel, embeddings inside and outside": Shape(
        (
            told(
                VERCEL,
                {"ai.operationId": "ai.embed", "ai.model.id": "text-embedding-3-small", "ai.usage.tokens": 9},
                told(
                    VERCEL,
                    {
                        "ai.operationId": "ai.embed.doEmbed",
                        "ai.model.id": "text-embedding-3-small",
                        "ai.usage.tokens": 9,
                    },
                ),
            ),
        ),
        9,
        None,
        1,
    ),
    "a: Microsoft Agent Framework, invoke_agent over its chats": Shape(
        (
            told(
                "agent_framework",
                gen_ai("invoke_agent", 30, 12),
                told("agent_framework", gen_ai("chat", 10, 5)),
                told("agent_framework", gen_ai("execute_tool")),
                told("agent_framework", gen_ai("chat", 20, 7)),
            ),
        ),
        30,
        12,
        2,
    ),
    "a: Pydantic AI 1, the agent run sums up": Shape(
        (
            told(
                "pydantic-ai",
                {"agent_name": "support", "gen_ai.usage.input_tokens": 30, "gen_ai.usage.output_tokens": 12},
                told("pydantic-ai", gen_ai("chat", 10, 5)),
                told("pydantic-ai", gen_ai("chat", 20, 7)),
            ),
        ),
        30,
        12,
        2,
    ),
    "a: Pydantic AI 2, the run's total under a name of its own": Shape(
        (
            told(
                "pydantic-ai",
                {
                    **gen_ai("invoke_agent"),
                    "gen_ai.aggregated_usage.input_tokens": 30,
                    "gen_ai.aggregated_usage.output_tokens": 12,
                    "logfire.metrics": '{"gen_ai.client.token.usage": {"total": 42}}',
                },
                told("pydantic-ai", gen_ai("chat", 10, 5)),
                told("pydantic-ai", gen_ai("chat", 20, 7)),
            ),
        ),
        30,
        12,
        2,
    ),
    "a: smolagents, AGENT with the monitor's total": Shape(
        (
            told(
                "openinference.instrumentation.smolagents",
                oi("AGENT", 50, 9),
                told(
                    "openinference.instrumentation.smolagents",
                    oi("CHAIN"),
                    told("openinference.instrumentation.smolagents", oi("LLM", 50, 9, "gpt-4o")),
                ),
            ),
        ),
        50,
        9,
        1,
    ),
    "a: Codex, the turn sums up its responses": Shape(
        (
            told(
                "codex_otel",
                {"codex.turn.token_usage.input_tokens": 30, "codex.turn.token_usage.total_tokens": 42},
                told("codex_otel", {"gen_ai.usage.input_tokens": 10, "gen_ai.usage.output_tokens": 5}),
                told("codex_otel", {"gen_ai.usage.input_tokens": 20, "gen_ai.usage.output_tokens": 7}),
            ),
        ),
        30,
        12,
        2,
    ),
    "a: LangSmith of old, usage on the parent run too": Shape(
        (
            told(
                "langsmith",
                {"langsmith.span.kind": "chain", **gen_ai("chain", 10, 5)},
                told("langsmith", {"langsmith.span.kind": "llm", **gen_ai("chat", 10, 5)}),
            ),
        ),
        10,
        5,
        1,
    ),
    "a: MLflow, usage on the trace's root too": Shape(
        (
            told(
                "mlflow",
                {"mlflow.spanType": '"CHAIN"', "mlflow.chat.tokenUsage": '{"input_tokens": 10, "output_tokens": 5}'},
                told(
                    "mlflow",
                    {
                        "mlflow.spanType": '"CHAT_MODEL"',
                        "mlflow.chat.tokenUsage": '{"input_tokens": 10, "output_tokens": 5}',
                    },
                ),
            ),
        ),
        10,
        5,
        1,
    ),
    "b: Strands, invoke_agent with the lifetime of the agent object": Shape(
        (
            told(
                "strands.telemetry.tracer",
                {
                    **gen_ai("invoke_agent", 900, 90),
                    "gen_ai.usage.prompt_tokens": 900,
                    "gen_ai.usage.completion_tokens": 90,
                },
                told("strands.telemetry.tracer", {}, told("strands.telemetry.tracer", gen_ai("chat", 100, 10))),
                told("strands.telemetry.tracer", {}, told("strands.telemetry.tracer", gen_ai("chat", 200, 20))),
            ),
        ),
        300,
        30,
        2,
    ),
    "b: CrewAI, agents that share one LLM object counted twice in the crew's total": Shape(
        (
            told(
                "openinference.instrumentation.crewai",
                oi("CHAIN", 60, 12),
                told("openinference.instrumentation.crewai", oi("AGENT"), told(OI_OPENAI, oi("LLM", 10, 2, "gpt-4o"))),
                told("openinference.instrumentation.crewai", oi("AGENT"), told(OI_OPENAI, oi("LLM", 20, 4, "gpt-4o"))),
            ),
        ),
        30,
        6,
        2,
    ),
    "j: a remote agent": Shape(
        (told("app", {}, told("agent_framework", gen_ai("invoke_agent", 170, 18))),), 170, 18, 1
    ),
    "j: OpenInference's Claude Agent SDK, exclusive input on the AGENT": Shape(
        (
            told(
                "openinference.instrumentation.claude_agent_sdk",
                {**oi("AGENT", 10, 18), "llm.token_count.prompt_details.cache_read": 160},
                told("openinference.instrumentation.claude_agent_sdk", oi("TOOL")),
            ),
        ),
        170,
        18,
        1,
    ),
    "j: a Bedrock agent": Shape(
        (told("opentelemetry.instrumentation.botocore", gen_ai("invoke_agent", 170, 18, provider="aws.bedrock")),),
        170,
        18,
        1,
    ),
    "k: google-genai calls functions by itself, one of them a model": Shape(
        (
            told(
                "opentelemetry.instrumentation.google_genai",
                gen_ai("generate_content", 1000, 10),
                told("app", gen_ai("execute_tool"), told(OPENAI_V2, gen_ai("chat", 300, 3))),
            ),
        ),
        1300,
        13,
        2,
    ),
    "k: an agent as the tool of another's model": Shape(
        (
            told(
                "agent_framework",
                gen_ai("invoke_agent", 100, 10),
                told("agent_framework", gen_ai("chat", 100, 10)),
                told(
                    "agent_framework",
                    gen_ai("execute_tool"),
                    told(
                        "agent_framework",
                        gen_ai("invoke_agent", 40, 4),
                        told("agent_framework", gen_ai("chat", 40, 4)),
                    ),
                ),
            ),
        ),
        140,
        14,
        2,
    ),
}
