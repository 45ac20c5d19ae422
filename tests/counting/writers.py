"""The attributes that instrumentations write, and `Shape`, a trace of them with its true number."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from tests.counting.building import Told

VERCEL = "ai"
OPENAI_V2 = "opentelemetry.instrumentation.openai_v2"
OI_OPENAI = "openinference.instrumentation.openai"
OI_LANGCHAIN = "openinference.instrumentation.langchain"
ADK = "gcp.vertex.agent"
ANTHROPIC_NATIVE = "com.anthropic.sdk.python"


class Shape(NamedTuple):
    """The spans of one trace, and what is true of them."""

    roots: tuple[Told, ...]
    input_tokens: int | None
    output_tokens: int | None
    call_count: int


def gen_ai(operation: str, input_: int | None = None, output: int | None = None, **more: Any) -> dict[str, Any]:
    """The attributes of the OpenTelemetry convention."""
    written: dict[str, Any] = {"gen_ai.operation.name": operation}
    if input_ is not None:
        written["gen_ai.usage.input_tokens"] = input_
    if output is not None:
        written["gen_ai.usage.output_tokens"] = output
    names = {"model": "gen_ai.request.model", "response_id": "gen_ai.response.id", "provider": "gen_ai.provider.name"}
    return {**written, **{names[name]: value for name, value in more.items()}}


def oi(kind: str, input_: int | None = None, output: int | None = None, model: str | None = None) -> dict[str, Any]:
    """The attributes of OpenInference."""
    written: dict[str, Any] = {"openinference.span.kind": kind}
    if input_ is not None:
        written |= {"llm.token_count.prompt": input_, "llm.token_count.completion": output or 0}
        written["llm.token_count.total"] = input_ + (output or 0)
    return written if model is None else {**written, "llm.model_name": model}


def vercel(operation: str, input_: int, output: int, *, inner: bool = False) -> dict[str, Any]:
    """The attributes of the Vercel AI SDK 5; inner spans repeat them under OpenTelemetry's names."""
    written = {
        "ai.operationId": operation,
        "ai.model.id": "gpt-4o",
        "ai.usage.inputTokens": input_,
        "ai.usage.outputTokens": output,
        "ai.usage.totalTokens": input_ + output,
    }
    return {**written, **gen_ai("chat", input_, output, model="gpt-4o")} if inner else written


def langfuse(kind: str, input_: int, output: int) -> dict[str, Any]:
    """The attributes of the Langfuse SDK."""
    details = json.dumps({"input": input_, "output": output, "total": input_ + output})
    return {"langfuse.observation.type": kind, "langfuse.observation.usage_details": details}
