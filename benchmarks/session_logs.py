"""`python -m benchmarks.session_logs`: the time that pages of the log records of one session take, among those of many.

The engine itself makes the log records, as the store writes them: of two in a row one names its session, the other is in a trace of it.
One session has its records within an hour, among those of twenty others; one has as many, spread over all the time there is.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Final

from benchmarks.ingest import over_http, running
from benchmarks.tables import Row, Table
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.clickhouse.store_settings import StoreSettings
from otel_sessions.server.queries.log_filters import LogFilters
from otel_sessions.server.queries.logs import session_logs

LIMIT: Final = 100
START: Final = 1_795_000_200 * 10**9
RECORDS_A_SESSION: Final = 1_000
RECORDS_A_TRACE: Final = 20
BESIDE: Final = 20
NEAR: Final = "s0"
FAR: Final = "far"

_ROWS_AT_ONCE: Final = 250_000
_LOGS: Final = """
INSERT INTO otel_logs (
    Timestamp, TraceId, SpanId, SeverityNumber, ServiceName, Body, ResourceAttributes, ScopeName, LogAttributes, LogAttributeTypes,
    ObservedTimestamp, Segment, SegmentRow
)
WITH
    number % {every:UInt64} = 0 AS is_far,
    if(is_far, intDiv(number, {every:UInt64}), intDiv(number, {beside:UInt64})) AS place,
    if(
        is_far,
        'far',
        concat('s', toString(intDiv(number, {a_session:UInt64} * {beside:UInt64}) * {beside:UInt64} + number % {beside:UInt64}))
    ) AS session,
    intDiv(place, 2) % 2 = 0 AS is_named,
    number * 43200000 AS after
SELECT
    fromUnixTimestamp64Nano(toInt64({start:UInt64} + after)),
    if(is_named, '', lower(hex(MD5(concat(session, '-', toString(intDiv(place % {a_session:UInt64}, {a_trace:UInt64}))))))),
    if(is_named, '', '0000000000000001'),
    9,
    'support',
    concat('Order ', toString(sipHash64(number)), ' was found in ', toString(number % 300), ' ms'),
    map('service.name', 'support', 'host.name', 'worker-3', 'telemetry.sdk.language', 'python'),
    'support.orders',
    if(
        is_named,
        map('session.id', session, 'code.function.name', 'find_order', 'code.line.number', '117', 'order', toString(number)),
        map('code.function.name', 'find_order', 'code.line.number', '117', 'order', toString(number))
    ),
    map('code.line.number', 'i'),
    {start:UInt64} + after,
    intDiv(number, 1000) + 1000000,
    number % 1000
FROM numbers({first:UInt64}, {count:UInt64})
"""
_TRACES: Final = (
    "SELECT unhex(lower(hex(MD5(concat({session:String}, '-', toString(number)))))) FROM numbers({count:UInt64})"
)


def _spans(session: str, traces: list[bytes]) -> bytes:
    """One span in each trace of a session."""
    request = ExportTraceServiceRequest()
    scope = request.resource_spans.add().scope_spans.add()
    for number, trace in enumerate(traces):
        at = START + number * 10**9
        span = scope.spans.add(
            trace_id=trace,
            span_id=(1).to_bytes(8),
            name="find order",
            start_time_unix_nano=at,
            end_time_unix_nano=at + 1,
        )
        span.attributes.add(key="session.id").value.string_value = session
    return bytes(request.SerializeToString())


def _fill(store: Store, records: int) -> dict[str, list[bytes]]:
    """Write log records; return the traces of the two sessions."""
    parameters = {
        "a_session": RECORDS_A_SESSION,
        "a_trace": RECORDS_A_TRACE,
        "beside": BESIDE,
        "every": max(records // RECORDS_A_SESSION, 1),
        "start": START,
    }
    with store.writing() as client:
        for first in range(0, records, _ROWS_AT_ONCE):
            bounds = {"first": first, "count": min(_ROWS_AT_ONCE, records - first)}
            client.command(_LOGS, parameters={**parameters, **bounds})
        return {
            session: [
                bytes(trace)
                for (trace,) in client.query(
                    _TRACES,
                    parameters={"session": session, "count": RECORDS_A_SESSION // RECORDS_A_TRACE},
                    query_formats={"String": "bytes"},
                ).result_rows
            ]
            for session in (NEAR, FAR)
        }


def measure(folder: Path, records: int, rounds: int) -> Table:
    """Milliseconds of pages."""
    settings = StoreSettings(f"chdb://{folder / 'store'}")
    store = Store(settings)
    traces = _fill(store, records)
    store.close()
    with running(folder / "store") as server:
        send = over_http(server, "traces")
        for session, of_session in traces.items():
            while not send(_spans(session, of_session)):
                pass
        server.settle()
    store = Store(settings)
    rows = []
    for session, title in ((NEAR, "within an hour"), (FAR, "all the time")):
        first = session_logs(store, session, limit=LIMIT)
        assert first is not None
        pages: dict[str, Callable[[], object]] = {
            "first page": partial(session_logs, store, session, limit=LIMIT),
            "next page": partial(session_logs, store, session, limit=LIMIT, cursor=first.next),
            "last page": partial(session_logs, store, session, limit=LIMIT, descending=True),
            "errors": partial(session_logs, store, session, LogFilters(severities=(17, 20)), limit=LIMIT),
        }
        for what, ask in pages.items():
            taken = [_milliseconds(ask) for _ in range(rounds)]
            rows.append(
                Row(f"{title}, {what}", (f"{first.total:,}", f"{median(taken):.0f}", f"{min(taken):.0f}"), "< 100")
            )
    store.close()
    return Table(
        f"a page of {LIMIT} of a session's log records, of {records:,}, ms", ("of session", "page", "least"), rows
    )


def _milliseconds(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return (time.perf_counter() - begin) * 1e3


def main() -> None:
    """Measure with the options of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.session_logs", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--quick", action="store_true", help="few records only: shows that it runs, not what it costs")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="otel-sessions-benchmark-") as folder:
        print(measure(Path(folder), *((40_000, 1) if options.quick else (2_000_000, 7))))


if __name__ == "__main__":
    main()
