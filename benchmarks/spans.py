"""Spans as an app with an agent makes them: eight a trace, children first, one in three a model call.

A span has about ten attributes, three of them its session's. Three traces in a row make eight model calls.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from typing import Final

from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.trace import Span, SpanKind, StatusCode, Tracer, set_span_in_context
from opentelemetry.util.types import AttributeValue

from otel_sessions import SessionSpanProcessor, propagate_sessions

SPANS_A_TRACE: Final = 8
BATCH: Final = 512

_MODELS: Final = (
    ("openai", "gpt-4.1-mini", "gpt-4.1-mini-2025-04-14"),
    ("anthropic", "claude-sonnet-4-5", "claude-sonnet-4-5-20250929"),
    ("openai", "gpt-4o", "gpt-4o-2024-08-06"),
    ("gcp.gemini", "gemini-2.5-flash", "gemini-2.5-flash"),
)
_SERVER: Final[dict[str, AttributeValue]] = {
    "http.request.method": "POST",
    "url.scheme": "https",
    "url.path": "/tickets/answer",
    "http.route": "/tickets/answer",
    "server.address": "support.example.com",
    "network.protocol.version": "1.1",
    "user_agent.original": "Mozilla/5.0 (X11; Linux x86_64)",
    "http.response.status_code": 200,
}
_AGENT: Final[dict[str, AttributeValue]] = {
    "gen_ai.operation.name": "invoke_agent",
    "gen_ai.agent.name": "support",
    "gen_ai.agent.id": "agent-7",
    "code.function.name": "support.agent.answer",
    "thread.name": "MainThread",
}
_TOOL: Final[dict[str, AttributeValue]] = {
    "gen_ai.operation.name": "execute_tool",
    "gen_ai.tool.name": "find_order",
    "gen_ai.tool.type": "function",
    "gen_ai.tool.description": "Finds an order by its number",
}
_QUERY: Final[dict[str, AttributeValue]] = {
    "db.system.name": "postgresql",
    "db.namespace": "orders",
    "db.operation.name": "SELECT",
    "db.query.text": "SELECT id, state, shipped_at FROM orders WHERE number = $1",
    "server.address": "db.internal.example.com",
    "server.port": 5432,
}
_REQUEST: Final[dict[str, AttributeValue]] = {
    "http.request.method": "GET",
    "url.full": "https://carrier.example.com/v2/parcels/00340434161094022115",
    "server.address": "carrier.example.com",
    "server.port": 443,
    "network.protocol.version": "1.1",
    "http.response.status_code": 200,
}
_STEP: Final[dict[str, AttributeValue]] = {
    "code.function.name": "support.agent.format_answer",
    "code.line.number": 117,
    "thread.id": 139_872,
    "thread.name": "MainThread",
    "app.answer.length": 318,
}


class Traces:
    """Makes one trace after another with a tracer, with the same numbers each time."""

    def __init__(self) -> None:
        self._random = random.Random(7)
        self._made = 0
        self._now = time.time_ns()

    def make(self, tracer: Tracer, session: int) -> None:
        """Start and end the spans of one trace in a session."""
        number = self._made
        self._made += 1
        with propagate_sessions(f"ticket-{session}", user_id=f"user-{session % 5_000}", session_name="Order #12345"):
            server, in_server = self._start(tracer, "POST /tickets/answer", _SERVER, SpanKind.SERVER)
            agent, in_agent = self._start(tracer, "invoke_agent support", _AGENT, SpanKind.INTERNAL, in_server)
            self._call(tracer, number, in_agent)
            tool, in_tool = self._start(tracer, "execute_tool find_order", _TOOL, SpanKind.INTERNAL, in_agent)
            self._end(self._start(tracer, "SELECT orders", _QUERY, SpanKind.CLIENT, in_tool)[0])
            self._end(tool)
            self._call(tracer, number + 1, in_agent)
            self._end(self._start(tracer, "GET", _REQUEST, SpanKind.CLIENT, in_agent)[0])
            if number % 3:
                self._call(tracer, number + 2, in_agent)
            else:
                self._end(self._start(tracer, "format_answer", _STEP, SpanKind.INTERNAL, in_agent)[0])
            self._end(agent)
            if number % 20 == 0:
                server.set_status(StatusCode.ERROR)
            self._end(server)

    def _call(self, tracer: Tracer, number: int, context: Context) -> None:
        provider, asked, answered = _MODELS[number % len(_MODELS)]
        chance = self._random.randrange
        attributes: dict[str, AttributeValue] = {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": provider,
            "gen_ai.request.model": asked,
            "gen_ai.response.model": answered,
            "gen_ai.response.id": f"chatcmpl-{self._random.getrandbits(96):024x}",
            "gen_ai.response.finish_reasons": ("stop",),
            "gen_ai.usage.input_tokens": chance(1_000, 6_000),
            "gen_ai.usage.output_tokens": chance(20, 900),
            "server.address": f"api.{provider}.example.com",
        }
        if number % 2:
            attributes["gen_ai.usage.cache_read.input_tokens"] = chance(1_000)
        self._end(self._start(tracer, f"chat {asked}", attributes, SpanKind.CLIENT, context)[0])

    def _start(
        self,
        tracer: Tracer,
        name: str,
        attributes: dict[str, AttributeValue],
        kind: SpanKind,
        context: Context | None = None,
    ) -> tuple[Span, Context]:
        self._now += 1_000_000
        span = tracer.start_span(name, context=context, kind=kind, attributes=attributes, start_time=self._now)
        return span, set_span_in_context(span, context)

    def _end(self, span: Span) -> None:
        self._now += 5_000_000
        span.end(end_time=self._now)


class _Collector(SpanProcessor):
    def __init__(self) -> None:
        self.ended: list[ReadableSpan] = []

    def on_end(self, span: ReadableSpan) -> None:
        self.ended.append(span)


class SpanStream:
    """Batches of ended spans as a `BatchSpanProcessor` exports them, made by the real SDK on demand."""

    def __init__(self) -> None:
        self._collector = _Collector()
        self._provider = provider(SessionSpanProcessor(), self._collector)
        self._tracer = self._provider.get_tracer("opentelemetry.instrumentation.support")
        self._traces = Traces()
        self._made = 0

    def batches(self, count: int, *, sessions: int = 1_000, first: int = 0) -> Iterator[tuple[ReadableSpan, ...]]:
        """Make `count` batches of `BATCH` spans; traces go to the sessions in turn.

        Sessions are numbered from `first`.
        """
        for _ in range(count):
            for _ in range(BATCH // SPANS_A_TRACE):
                self._traces.make(self._tracer, first + self._made % sessions)
                self._made += 1
            spans = tuple(self._collector.ended)
            self._collector.ended.clear()
            yield spans


def provider(*processors: SpanProcessor) -> TracerProvider:
    """A provider with these processors in this order, which is not the global one."""
    made = TracerProvider(
        resource=Resource({"service.name": "support", "deployment.environment.name": "production"}),
        shutdown_on_exit=False,
    )
    for processor in processors:
        made.add_span_processor(processor)
    return made
