"""OTLP requests of an app with an agent, made fast: one real request is the pattern, and each gets new ids."""

from __future__ import annotations

from typing import Any, Final

from benchmarks.spans import BATCH, SPANS_A_TRACE, SpanStream
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans

_MARK: Final = b"@MARK@00"
_SESSIONS_A_REQUEST: Final = 26
"""For 64 traces: about 2.5 traces a session."""

_NAME: Final = "Where is order #12345? It was due on Monday, and the carrier's page says nothing since"


class Requests:
    """Serialized `ExportTraceServiceRequest`s: new traces in new sessions each, 520 bytes and ten attributes a span."""

    def __init__(self, *, spans: int = BATCH) -> None:
        """Make the pattern with this number of spans a request, a multiple of `BATCH`."""
        (found,) = SpanStream().batches(1)
        message = encode_spans(found)
        (resource_spans,) = message.resource_spans
        (scope_spans,) = resource_spans.scope_spans
        one = list(scope_spans.spans)
        del scope_spans.spans[:]
        for number in range(spans // BATCH):
            for place, span in enumerate(one):
                trace = number * (BATCH // SPANS_A_TRACE) + place // SPANS_A_TRACE
                _rename(span, trace)
                scope_spans.spans.append(span)
        self._pattern: bytes = message.SerializeToString()
        self.records = len(scope_spans.spans)
        self.bytes_a_span = len(self._pattern) / self.records

    def make(self, number: int) -> bytes:
        """The request with this number; different numbers give different ids."""
        return self._pattern.replace(_MARK, b"%08x" % number)


def _rename(span: Any, trace: int) -> None:
    span.trace_id = trace.to_bytes(8) + _MARK  # the lower half is the random one
    for attribute in span.attributes:
        if attribute.key == "session.id":
            attribute.value.string_value = f"ticket-{_MARK.decode()}-{trace % _SESSIONS_A_REQUEST:03d}"
        elif attribute.key == "session.name":
            attribute.value.string_value = _NAME
