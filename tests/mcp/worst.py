"""The worst session that can be built: 100,000 spans, some with values of 1 MB, sent as OTLP."""

from __future__ import annotations

import json
from collections.abc import Iterator

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from tests.server.conversing import AT, SECOND

SESSION = "worst"
SPANS = 100_000
IN_A_TRACE = 20_000
IN_A_REQUEST = 5_000
LARGE = 1_000_000
EVERY_LARGE = 5_000
"""One span of so many has a value of 1 MB."""

FAILED = 61_803
"""The number of the only span that failed."""

SLOWEST = 31_415
"""The number of the span that took longest: a call of a tool."""

MESSAGE = "disk quota exceeded: " + "x" * 5_000


def requests() -> Iterator[bytes]:
    """The requests with all spans."""
    for first in range(0, SPANS, IN_A_REQUEST):
        request = ExportTraceServiceRequest()
        group = request.resource_spans.add()
        group.resource.attributes.append(_text("service.name", "worst-agent"))
        scope = group.scope_spans.add()
        for number in range(first, first + IN_A_REQUEST):
            _add(scope.spans.add(), number)
        yield request.SerializeToString()


def trace_id(number: int) -> bytes:
    """The trace that a span is in."""
    return (1 + number // IN_A_TRACE).to_bytes(16)


def span_id(number: int) -> bytes:
    """The id of a span."""
    return (1 + number).to_bytes(8)


def _add(span: Span, number: int) -> None:
    at = AT + number * SECOND // 100
    span.trace_id, span.span_id = trace_id(number), span_id(number)
    if number % IN_A_TRACE:
        span.parent_span_id = span_id(number - number % IN_A_TRACE)
    span.start_time_unix_nano = at
    span.end_time_unix_nano = at + (SECOND * 100 if number == SLOWEST else SECOND // 200)
    span.attributes.append(_text("session.id", SESSION))
    if number == FAILED:
        span.status.CopyFrom(Status(code=Status.STATUS_CODE_ERROR, message=MESSAGE))
    if number % 10 == 0:
        span.name = "chat gpt-4o"
        span.attributes.extend((_text("gen_ai.operation.name", "chat"), _text("gen_ai.request.model", "gpt-4o")))
        span.attributes.append(KeyValue(key="gen_ai.usage.input_tokens", value=AnyValue(int_value=1000)))
        span.attributes.append(KeyValue(key="gen_ai.usage.output_tokens", value=AnyValue(int_value=10)))
        if number % EVERY_LARGE == 0:
            span.attributes.append(_text("gen_ai.input.messages", _messages("user", f"{number} " + "ü" * LARGE)))
            span.attributes.append(_text("gen_ai.output.messages", _messages("assistant", "y" * LARGE)))
    else:
        tool = "grep" if number % 3 else "read_file"
        span.name = f"execute_tool {tool}"
        span.attributes.extend((_text("gen_ai.operation.name", "execute_tool"), _text("gen_ai.tool.name", tool)))


def _messages(role: str, text: str) -> str:
    return json.dumps([{"role": role, "parts": [{"type": "text", "content": text}]}])


def _text(name: str, value: str) -> KeyValue:
    return KeyValue(key=name, value=AnyValue(string_value=value))
