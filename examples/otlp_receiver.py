"""A real OTLP receiver over gRPC that keeps what it receives: a local backend for an exporter."""

from __future__ import annotations

import threading
from concurrent import futures
from typing import TYPE_CHECKING, Any, Self

import grpc  # type: ignore[import-untyped]
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc

if TYPE_CHECKING:
    from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Span

STOP_GRACE = 5.0


class OTLPReceiver(trace_service_pb2_grpc.TraceServiceServicer):
    """The receiver on a port of 127.0.0.1 (0: a free one); `with OTLPReceiver() as receiver:` starts and stops it.

    `endpoint` is the argument of `OTLPSpanExporter(endpoint=…)`.
    """

    def __init__(self, port: int = 0) -> None:
        self._arrived = threading.Condition()
        self._resource_spans: list[ResourceSpans] = []
        # Without this option a second receiver on the same port would silently get a part of the requests.
        self._server: Any = grpc.server(futures.ThreadPoolExecutor(4), options=[("grpc.so_reuseport", 0)])
        trace_service_pb2_grpc.add_TraceServiceServicer_to_server(self, self._server)  # type: ignore[no-untyped-call]
        self.port: int = self._server.add_insecure_port(f"127.0.0.1:{port}")
        self.endpoint = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        # Without grace the gRPC library of the client logs that it was cut off, although every call was answered.
        self._server.stop(grace=STOP_GRACE).wait()

    def Export(  # noqa: N802 - the name of the gRPC method
        self, request: trace_service_pb2.ExportTraceServiceRequest, context: object
    ) -> trace_service_pb2.ExportTraceServiceResponse:
        """Keep one request; gRPC calls this."""
        del context
        with self._arrived:
            self._resource_spans.extend(request.resource_spans)
            self._arrived.notify_all()
        return trace_service_pb2.ExportTraceServiceResponse()

    def resource_spans(self) -> list[ResourceSpans]:
        """All requests so far, as they were received."""
        with self._arrived:
            return list(self._resource_spans)

    def spans(self) -> list[Span]:
        """The spans so far, in the order of arrival."""
        return [span for resource in self.resource_spans() for scope in resource.scope_spans for span in scope.spans]

    def wait_for(self, count: int, timeout: float) -> list[Span]:
        """The spans as soon as there are `count` of them, or all that arrived within `timeout` seconds."""
        with self._arrived:
            self._arrived.wait_for(lambda: len(self.spans()) >= count, timeout)
        return self.spans()
