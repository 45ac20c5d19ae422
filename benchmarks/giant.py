"""`python -m benchmarks.giant`: the cost of one trace in hundreds of requests, beside the same number of spans in ordinary traces.

One connection sends one request after the other. The clock stops when all are committed and a list has been answered.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from benchmarks.ingest import over_http, running
from benchmarks.requests import Requests
from benchmarks.tables import Row, Table
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

REQUESTS: Final = 400
SPANS: Final = 512


def of_one_trace(requests: Iterable[bytes]) -> list[bytes]:
    """The requests with all spans in one trace and one session; the first of each eight spans is the parent of the others."""
    changed = []
    for number, body in enumerate(requests):
        message = ExportTraceServiceRequest.FromString(body)
        spans = message.resource_spans[0].scope_spans[0].spans
        for place, span in enumerate(spans):
            span.trace_id = b"\1" * 16
            span.span_id = (1 + number * SPANS + place).to_bytes(8)
            span.parent_span_id = b"" if place % 8 == 0 else (1 + number * SPANS + place // 8 * 8).to_bytes(8)
            for attribute in span.attributes:
                if attribute.key == "session.id":
                    attribute.value.string_value = "giant"
        changed.append(message.SerializeToString())
    return changed


def measure(*, requests: int = REQUESTS) -> Table:
    """Seconds, CPU time and memory of both, with this number of requests each."""
    made = Requests(spans=SPANS)
    ordinary = [made.make(number) for number in range(requests)]
    cases = {"one trace": of_one_trace(ordinary), "ordinary traces": ordinary}
    rows = []
    with tempfile.TemporaryDirectory(prefix="otel-sessions-benchmark-") as folder:
        for name, bodies in cases.items():
            with running(Path(folder, name.replace(" ", "-"))) as server:
                send = over_http(server)
                begin, cpu = time.monotonic(), server.cpu()
                for body in bodies:
                    while not send(body):
                        pass
                sent = time.monotonic() - begin
                server.settle()
                taken = time.monotonic() - begin
                total = server.get("/v1/sessions?limit=1")["data"][0]["span_count"]
                assert server.stored() == requests * SPANS
                assert name != "one trace" or total == requests * SPANS
                figures = (f"{sent:.1f}", f"{taken:.1f}", f"{server.cpu() - cpu:.1f}", f"{server.memory():.0f}")
                rows.append(Row(f"{requests * SPANS:,} spans, {name}", figures, "linear"))
    columns = ("acknowledged s", "committed s", "CPU s", "MB")
    return Table(f"{requests} requests of {SPANS} spans", columns, rows)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.giant", description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--quick", action="store_true", help="a few requests only: shows that it runs, not what it costs"
    )
    print(measure(requests=4 if parser.parse_args().quick else REQUESTS))
