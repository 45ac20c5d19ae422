"""A real OTLP receiver over HTTP that keeps what it receives."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


class Received:
    """What was received: `spans` has name and session id of each span, in the order of arrival."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self.spans: list[tuple[str, str | None]] = []

    def add(self, request: ExportTraceServiceRequest) -> None:
        """Keep the spans of one request."""
        for resource_spans in request.resource_spans:
            for scope_spans in resource_spans.scope_spans:
                for span in scope_spans.spans:
                    attributes = {one.key: one.value.string_value for one in span.attributes}
                    self.spans.append((span.name, attributes.get("session.id")))


@contextmanager
def receiving() -> Iterator[Received]:
    """A receiver on a free port of 127.0.0.1; its `endpoint` is the value of `OTEL_EXPORTER_OTLP_ENDPOINT`."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.add(ExportTraceServiceRequest.FromString(body))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
            """Write nothing to stderr."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        received = Received(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield received
        server.shutdown()
        thread.join()
