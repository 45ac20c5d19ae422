"""Calls as each emitter tells of them, in spans and in log records, with the attributes that it really writes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from tests.counting.building import AT, MS

from otel_sessions.counting.facts import SpanFacts
from otel_sessions.counting.reading import span_facts
from otel_sessions.counting.record_reading import record_facts
from otel_sessions.counting.units import unit_of

SESSION: Final = "session-1"


@dataclass(frozen=True)
class Tokens:
    """The tokens of one call, and when it ended, in ms; the numbers of two calls differ."""

    number: int
    end: int
    uncached: int
    read: int
    written: int
    output: int

    @property
    def input(self) -> int:
        """All input."""
        return self.uncached + self.read + self.written

    @property
    def trace_id(self) -> int:
        """Two calls are in one trace."""
        return 0xBEEF0000 + self.number // 2

    @property
    def span_id(self) -> int:
        """Of the span that tells of it."""
        return 0x1000 + self.number


Telling = tuple[int, SpanFacts]
Teller = Callable[[Tokens], list[Telling]]


@dataclass(frozen=True)
class Said:
    """A span or a log record as it is sent; `event_name` is `None` for a span, times are nanoseconds UTC."""

    trace_id: int
    span_id: int
    parent_id: int | None
    name: str
    event_name: str | None
    attributes: Mapping[str, Any]
    scope: str
    service: str
    start: int
    end: int

    @property
    def is_span(self) -> bool:
        """It is a span."""
        return self.event_name is None

    def told(self) -> Telling:
        """Its unit and facts."""
        if self.event_name is None:
            return self.trace_id, span_facts(
                self.attributes,
                span_id=self.span_id,
                parent_id=self.parent_id,
                start=self.start,
                end=self.end,
                failed=False,
                scope=self.scope,
                name=self.name,
                service=self.service,
            )
        facts = record_facts(
            self.attributes,
            event_name=self.event_name,
            body=None,
            time=self.end,
            observed=self.end,
            trace_id=self.trace_id,
            span_id=self.span_id,
            scope=self.scope,
            service=self.service,
        )
        assert facts is not None
        return self.trace_id or unit_of(facts), facts


Sayer = Callable[[Tokens], list[Said]]


def span(
    call: Tokens,
    name: str,
    attributes: Mapping[str, Any],
    *,
    scope: str,
    service: str,
    span_id: int | None = None,
    parent: int | None = None,
    trace_id: int | None = None,
) -> Said:
    """A span of a call that took 700 ms."""
    end = AT + call.end * MS
    own = call.span_id if span_id is None else span_id
    trace = call.trace_id if trace_id is None else trace_id
    return Said(trace, own, parent, name, None, attributes, scope, service, end - 700 * MS, end)


def record(
    call: Tokens,
    attributes: Mapping[str, Any],
    *,
    scope: str,
    service: str,
    event_name: str = "",
    in_span: bool = False,
    late: int = 2,
) -> Said:
    """A log record of a call, some ms after its end."""
    at = AT + (call.end + late) * MS
    ids = (call.trace_id, call.span_id) if in_span else (0, 0)
    return Said(*ids, None, "", event_name, attributes, scope, service, at, at)


def _claude_spans(call: Tokens) -> list[Said]:
    attributes = {
        "session.id": SESSION,
        "span.type": "llm_request",
        "model": "claude-opus-4-8",
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "anthropic",
        "request_id": f"req_{call.number}",
        "input_tokens": call.uncached,
        "output_tokens": call.output,
        "cache_read_tokens": call.read,
        "cache_creation_tokens": call.written,
        "gen_ai.usage.input_tokens": call.input,
        "gen_ai.usage.output_tokens": call.output,
        "gen_ai.usage.cache_read.input_tokens": call.read,
        "gen_ai.usage.cache_write.input_tokens": call.written,
        "gen_ai.response.id": f"msg_{call.number}",
    }
    return [
        span(
            call,
            "claude_code.llm_request",
            attributes,
            scope="com.anthropic.claude_code.tracing",
            service="claude-code",
        )
    ]


def _claude_records(call: Tokens) -> list[Said]:
    attributes = {
        "session.id": SESSION,
        "event.name": "api_request",
        "prompt.id": f"p-{call.number // 2}",
        "model": "claude-opus-4-8",
        "request_id": f"req_{call.number}",
        "duration_ms": "700",
        "input_tokens": call.uncached,
        "output_tokens": str(call.output),
        "cache_read_tokens": call.read,
        "cache_creation_tokens": call.written,
    }
    return [record(call, attributes, scope="com.anthropic.claude_code.events", service="claude-code")]


def _codex_spans(call: Tokens) -> list[Said]:
    turn = {"thread.id": SESSION, "turn.id": f"t-{call.number}", "model": "gpt-5.2-codex"}
    turn["gen_ai.conversation.id"] = turn["turn.id"]
    sums = {
        "codex.turn.token_usage.input_tokens": call.input,
        "codex.turn.token_usage.cached_input_tokens": call.read,
        "codex.turn.token_usage.output_tokens": call.output,
        "codex.turn.token_usage.total_tokens": call.input + call.output,
    }
    usage = {
        "gen_ai.usage.input_tokens": call.input,
        "gen_ai.usage.cache_read.input_tokens": call.read,
        "gen_ai.usage.output_tokens": call.output,
        "codex.usage.total_tokens": call.input + call.output,
    }
    own, above = 0xC0DE0000 + call.number, 0x9000 + call.number
    placed: dict[str, Any] = {"scope": "codex", "service": "codex_cli_rs", "trace_id": own}
    return [
        span(call, "session_task.turn", {**turn, **sums}, span_id=above, **placed),
        span(call, "handle_responses", usage, parent=above, **placed),
    ]


def _codex_records(call: Tokens) -> list[Said]:
    attributes = {
        "conversation.id": SESSION,
        "event.name": "codex.sse_event",
        "event.kind": "response.completed",
        "input_token_count": str(call.input),
        "output_token_count": str(call.output),
        "cached_token_count": call.read,
        "tool_token_count": str(call.input + call.output),
        "model": "gpt-5.2-codex",
        "slug": "gpt-5.2-codex",
    }
    return [record(call, attributes, scope="codex_otel.log_only", service="codex_cli_rs")]


def _gemini_spans(call: Tokens) -> list[Said]:
    attributes = {
        "session.id": SESSION,
        "gen_ai.conversation.id": SESSION,
        "gen_ai.operation.name": "llm_call",
        "gen_ai.agent.name": "gemini-cli",
        "gen_ai.request.model": "gemini-3-pro",
        "gen_ai.usage.input_tokens": call.input,
        "gen_ai.usage.output_tokens": call.output,
    }
    return [span(call, "llm_call", attributes, scope="gemini-cli", service="gemini-cli")]


def _gemini_records(call: Tokens) -> list[Said]:
    response = {
        "session.id": SESSION,
        "event.name": "gemini_cli.api_response",
        "model": "gemini-3-pro",
        "duration_ms": 700,
        "input_token_count": call.input,
        "output_token_count": call.output,
        "cached_content_token_count": call.read,
        "thoughts_token_count": 0,
        "tool_token_count": 0,
        "total_token_count": call.input + call.output,
        "prompt_id": f"p########{call.number // 2}",
    }
    details = {
        "session.id": SESSION,
        "event.name": "gen_ai.client.inference.operation.details",
        "gen_ai.request.model": "gemini-3-pro",
        "gen_ai.operation.name": "generate_content",
        "gen_ai.usage.input_tokens": call.input,
        "gen_ai.usage.output_tokens": call.output,
        "gen_ai.response.id": f"resp-{call.number}",
    }
    return [
        record(call, response, scope="gemini-cli", service="gemini-cli"),
        record(call, details, scope="gemini-cli", service="gemini-cli", late=3),
    ]


def _qwen_spans(call: Tokens) -> list[Said]:
    attributes = {
        "session.id": SESSION,
        "gen_ai.conversation.id": SESSION,
        "gen_ai.request.model": "qwen3-coder-plus",
        "gen_ai.operation.name": "chat",
        "gen_ai.usage.input_tokens": call.input,
        "success": True,
        "gen_ai.usage.cache_read.input_tokens": call.read,
        "gen_ai.usage.output_tokens": call.output,
        "gen_ai.response.id": f"chatcmpl-{call.number}",
        "qwen-code.prompt_id": f"s########{call.number // 2}",
    }
    return [span(call, "qwen-code.llm_request", attributes, scope="qwen-code", service="qwen-code")]


def _qwen_records(call: Tokens) -> list[Said]:
    attributes = {
        "session.id": SESSION,
        "event.name": "qwen-code.api_response",
        "model": "qwen3-coder-plus",
        "duration_ms": 700,
        "input_token_count": call.input,
        "output_token_count": call.output,
        "cached_content_token_count": call.read,
        "thoughts_token_count": 0,
        "tool_token_count": 0,
        "total_token_count": call.input + call.output,
        "prompt_id": f"s########{call.number // 2}",
    }
    return [record(call, attributes, scope="qwen-code", service="qwen-code")]


def _copilot_usage(call: Tokens) -> dict[str, Any]:
    return {
        "gen_ai.request.model": "gpt-5.2",
        "gen_ai.usage.input_tokens": call.input,
        "gen_ai.usage.cache_read.input_tokens": call.read,
        "gen_ai.usage.output_tokens": call.output,
    }


def _copilot_spans(call: Tokens) -> list[Said]:
    chat = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "github",
        "gen_ai.conversation.id": SESSION,
        "gen_ai.response.id": f"resp_{call.number:030d}",
        **_copilot_usage(call),
    }
    agent = {"gen_ai.operation.name": "invoke_agent", "gen_ai.conversation.id": SESSION, **_copilot_usage(call)}
    placed: dict[str, Any] = {"scope": "copilot-chat", "service": "copilot-chat", "trace_id": 0xC0B10000 + call.number}
    return [
        span(call, "invoke_agent copilot", agent, span_id=0x9000, **placed),
        span(call, "chat gpt-5.2", chat, parent=0x9000, **placed),
    ]


def _copilot_records(call: Tokens) -> list[Said]:
    details = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "github",
        "gen_ai.conversation.id": SESSION,
        "gen_ai.response.id": f"resp_{call.number:030d}",
        **_copilot_usage(call),
    }
    turn = {"gen_ai.conversation.id": SESSION, "event.name": "copilot_chat.agent.turn", **_copilot_usage(call)}
    event = "gen_ai.client.inference.operation.details"
    return [
        record(call, details, scope="copilot-chat", service="copilot-chat", event_name=event),
        record(call, turn, scope="copilot-chat", service="copilot-chat", late=5),
    ]


def _genai(call: Tokens) -> dict[str, Any]:
    return {
        "session.id": SESSION,
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.response.id": f"chatcmpl-{call.number:029d}",
        "gen_ai.usage.input_tokens": call.input,
        "gen_ai.usage.output_tokens": call.output,
    }


def _genai_spans(call: Tokens) -> list[Said]:
    return [span(call, "chat gpt-4o", _genai(call), scope="opentelemetry.util.genai.handler", service="app")]


def _genai_records(call: Tokens) -> list[Said]:
    event = "gen_ai.client.inference.operation.details"
    scope = "opentelemetry.util.genai.handler"
    return [record(call, _genai(call), scope=scope, service="app", event_name=event, in_span=True)]


SAID: Final[Mapping[str, tuple[Sayer, Sayer]]] = {
    "claude code": (_claude_spans, _claude_records),
    "codex": (_codex_spans, _codex_records),
    "gemini cli": (_gemini_spans, _gemini_records),
    "qwen code": (_qwen_spans, _qwen_records),
    "copilot": (_copilot_spans, _copilot_records),
    "opentelemetry": (_genai_spans, _genai_records),
}
"""By emitter, how it tells of a call in spans and in log records, as it is sent."""


def _facts(sayer: Sayer) -> Teller:
    return lambda call: [one.told() for one in sayer(call)]


EMITTERS: Final[Mapping[str, tuple[Teller, Teller]]] = {
    name: (_facts(spans), _facts(records)) for name, (spans, records) in SAID.items()
}
"""The same as units and facts."""
