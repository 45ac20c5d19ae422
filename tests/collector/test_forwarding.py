"""Spans that `SessionExporter` forwards arrive at the real Collector unchanged, over gRPC and HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from examples.agent import TICKETS, SupportAgent, converse
from examples.instrumentation import instrumented
from examples.langchain_agent import LangChainAgent
from examples.openai_server import OpenAIServer
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcSpanExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags, TraceState
from tests.collector.running import TO_FILE_CONFIG, Collector, as_sent, attributes

from otel_sessions import SessionExporter, SessionSpanProcessor, propagate_sessions

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.trace.export import SpanExporter

EVERY_TYPE: dict[str, Any] = {
    "text": "plain",
    "text.unicode": "Grüße, 你好, 🙂",
    "text.control": 'tab\tnewline\nquote"backslash\\',
    "text.empty": "",
    "text.long": "x" * 100_000,
    "flag.true": True,
    "flag.false": False,
    "number.zero": 0,
    "number.smallest": -(2**63),
    "number.largest": 2**63 - 1,
    "float.zero": 0.0,
    "float.whole": 2.0,
    "float.tiny": 5e-324,
    "float.huge": 1.7976931348623157e308,
    "float.third": 1 / 3,
    "list.text": ["a", "", "ü"],
    "list.flag": [True, False],
    "list.number": [0, -1, 2**53 + 1],
    "list.float": [0.5, 1e-9],
    "list.empty": [],
    "float.nan": float("nan"),
    "float.infinite": float("-inf"),
    "bytes": b"\x00\xff",
    "nothing": None,
    "map": {"list": [1, {"deep": True}], "empty": {}},
    "gen_ai.usage.input_tokens": 12,
}


@pytest.fixture(params=["grpc", "http"])
def collector_and_exporter(
    request: pytest.FixtureRequest, collector_binary: Path, tmp_path: Path
) -> Iterator[tuple[Collector, SpanExporter]]:
    """A Collector that writes to a file, and an OTLP exporter that sends to it by one of the two protocols."""
    with Collector(collector_binary, TO_FILE_CONFIG, tmp_path) as collector:
        if request.param == "grpc":
            yield collector, GrpcSpanExporter(endpoint=collector.grpc_endpoint)
        else:
            yield collector, HttpSpanExporter(endpoint=collector.http_endpoint)


class Recorded:
    """A provider set up as the README says, and next to it the spans as they ended."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._memory = InMemorySpanExporter()
        self.exporter = SessionExporter(exporter)
        self.provider = TracerProvider(resource=Resource({"service.name": "support", "service.instance": 3}))
        self.provider.add_span_processor(SessionSpanProcessor())
        self.provider.add_span_processor(SimpleSpanProcessor(self._memory))
        self.provider.add_span_processor(BatchSpanProcessor(self.exporter))
        self.tracer = self.provider.get_tracer("tests", "1.2.3", attributes={"scope.kind": "test"})

    def finish(self) -> tuple[ReadableSpan, ...]:
        """Everything that ended, once all of it was exported."""
        assert self.provider.force_flush()
        self.provider.shutdown()
        return self._memory.get_finished_spans()


def test_the_agents_spans_arrive_unchanged(collector_and_exporter: tuple[Collector, SpanExporter]) -> None:
    """Every span of the doubly instrumented agents arrives with every attribute, and each in its session."""
    collector, exporter = collector_and_exporter
    recorded = Recorded(exporter)
    with OpenAIServer() as server, instrumented(["openai-v2", "openinference", "langchain"], recorded.provider):
        kinds: list[type[SupportAgent | LangChainAgent]] = [SupportAgent, LangChainAgent, SupportAgent]
        for kind, ticket in zip(kinds, TICKETS, strict=True):
            converse(kind(recorded.tracer, server.base_url, ticket.session_id), ticket)
    ended = recorded.finish()
    collector.stop()

    arrived = collector.spans()
    assert arrived == as_sent(ended)
    assert {attributes(span)["session.id"] for span in arrived} == {ticket.session_id for ticket in TICKETS}
    assert {span["scope"]["name"] for span in arrived} >= {
        "openinference.instrumentation.openai",
        "openinference.instrumentation.langchain",
        "opentelemetry.instrumentation.openai_v2",
    }


def test_every_kind_of_value_arrives_unchanged(collector_and_exporter: tuple[Collector, SpanExporter]) -> None:
    """Attributes of every type, events, links, status, kind and trace state come out as they went in."""
    collector, exporter = collector_and_exporter
    recorded = Recorded(exporter)
    linked = SpanContext(0xABC, 0xDEF, is_remote=True, trace_flags=TraceFlags(1), trace_state=TraceState([("v", "1")]))
    with propagate_sessions("s 1", user_id="u", session_name="Bestellung №7", tags=["a", "b"], attempt=2):
        for kind in SpanKind:
            span = recorded.tracer.start_span(
                kind.name, kind=kind, attributes=EVERY_TYPE, links=[Link(linked, EVERY_TYPE)]
            )
            span.add_event("happened", EVERY_TYPE, timestamp=1_700_000_000_000_000_001)
            span.add_event("happened without more")
            span.record_exception(ValueError("no"))
            span.set_status(Status(StatusCode.ERROR, "it failed: 不"))
            span.end()
        with recorded.tracer.start_as_current_span("parent"), recorded.tracer.start_as_current_span("child") as child:
            child.set_status(StatusCode.OK)
    ended = recorded.finish()
    collector.stop()

    arrived = collector.spans()
    assert arrived == as_sent(ended)
    assert len(arrived) == len(SpanKind) + 2
    assert all(attributes(span)["session.id"] == "s 1" for span in arrived)
    assert all(attributes(span)["session.name"] == "Bestellung №7" for span in arrived)


def test_many_spans_all_arrive(collector_and_exporter: tuple[Collector, SpanExporter]) -> None:
    """No span of several export batches is missing, and none comes twice."""
    collector, exporter = collector_and_exporter
    recorded = Recorded(exporter)
    for number in range(1500):
        with propagate_sessions(f"s{number % 7}"):
            recorded.tracer.start_span(f"span {number}", attributes={"number": number}).end()
    ended = recorded.finish()
    collector.stop()

    assert len(ended) == 1500
    assert collector.spans() == as_sent(ended)
