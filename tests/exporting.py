"""Finished spans made to order, and an exporter that remembers what it got."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from opentelemetry.attributes import BoundedAttributes
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags

AT = 1_795_000_000_000_000_000
MS = 1_000_000
SERVICE = Resource({"service.name": "web", "deployment.environment.name": "test"})


def finished(
    span_id: int = 1,
    parent: int | None = None,
    *,
    attributes: Mapping[str, Any] | None = None,
    session: str | None = None,
    trace: int = 1,
    name: str | None = None,
    scope: str = "app",
    at: tuple[int, int] = (0, 100),
    failed: bool = False,
    lost: int = 0,
    events: Sequence[Event] = (),
    links: Sequence[Link] = (),
    description: str | None = None,
    resource: Resource = SERVICE,
) -> ReadableSpan:
    """An ended span; `at` is start and end in ms, `lost` the number of attributes that the limit took."""
    written = {**({} if session is None else {"session.id": session}), **(attributes or {})}
    return ReadableSpan(
        name or f"span {span_id}",
        context=_context(trace, span_id),
        parent=None if parent is None else _context(trace, parent),
        resource=resource,
        attributes=bounded(written, lost=lost),
        events=events,
        links=links,
        kind=SpanKind.CLIENT,
        status=Status(StatusCode.ERROR, description) if failed else Status(),
        start_time=AT + at[0] * MS,
        end_time=AT + at[1] * MS,
        instrumentation_scope=InstrumentationScope(scope),
    )


def bounded(attributes: Mapping[str, Any], *, lost: int) -> BoundedAttributes:
    """Attributes of a span, and the number of those that the limit took."""
    made = BoundedAttributes(attributes=attributes)
    made.dropped = lost
    return made


def chat(span_id: int, parent: int | None = None, *, tokens: tuple[int, int] = (10, 2), **more: Any) -> ReadableSpan:
    """A model call of `gpt-4o-mini`, at a time of its own."""
    attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o-mini",
        "gen_ai.usage.input_tokens": tokens[0],
        "gen_ai.usage.output_tokens": tokens[1],
        **more.pop("attributes", {}),
    }
    return finished(span_id, parent, **{"at": (span_id * 1000, span_id * 1000 + 100), **more}, attributes=attributes)


def _context(trace: int, span_id: int) -> SpanContext:
    return SpanContext(trace, span_id, is_remote=False, trace_flags=TraceFlags(1))


class Kept(SpanExporter):
    """Remembers every batch, and how often it was flushed and shut down."""

    def __init__(self, result: SpanExportResult = SpanExportResult.SUCCESS) -> None:
        """Return this result from `export`."""
        self.result = result
        self.batches: list[Sequence[ReadableSpan]] = []
        self.flushes: list[int] = []
        self.shutdowns = 0

    @property
    def spans(self) -> list[ReadableSpan]:
        """All spans, in the order in which they came."""
        return [span for batch in self.batches for span in batch]

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Remember them."""
        self.batches.append(spans)
        return self.result

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Remember it."""
        self.flushes.append(timeout_millis)
        return True

    def shutdown(self) -> None:
        """Remember it."""
        self.shutdowns += 1


def same_objects(one: Iterable[object], other: Iterable[object]) -> bool:
    """Return True if both are the same objects in the same order."""
    return [id(item) for item in one] == [id(item) for item in other]
