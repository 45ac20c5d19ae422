"""`python -m benchmarks.calls`: the time that pages of a long session's calls take, and that one more call takes to be counted.

The server is a process of its own, as users start it. A session has the same number of calls in many traces, in few large ones,
in cells of log records of five minutes each, or in few full cells. A page is asked for once after a commit that added a call to its
session, and then again and again. A commit is timed from the request with one more call until it is settled.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, Final, NamedTuple

from benchmarks.ingest import Send, Server, over_http, running
from benchmarks.tables import Row, Table
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

LIMIT: Final = 100
AT_ONCE: Final = 1_000
GROWTH: Final = 100
"""Calls by which a session may grow without a new large unit."""

FIVE_MINUTES: Final = 300 * 1_000_000_000
START: Final = 1_795_000_200 * 1_000_000_000
"""The first nanosecond of five minutes."""


class Shape(NamedTuple):
    """How the calls of a session are spread.

    Attributes:
        units: traces, or cells of five minutes, for every 20,000 calls.
        of_records: the calls are told by log records in no trace.
    """

    units: int
    of_records: bool


SHAPES: Final = {
    "2,000 traces": Shape(2_000, of_records=False),
    "4 large traces": Shape(4, of_records=False),
    "2,000 cells": Shape(2_000, of_records=True),
    "4 full cells": Shape(4, of_records=True),
}


def bodies(shape: Shape, session: str, numbers: range, a_unit: int) -> Iterator[bytes]:
    """Requests with the calls of these numbers of a session that has this number of calls a unit, in the order of time."""
    make = _records if shape.of_records else _spans
    for first in range(numbers.start, numbers.stop, AT_ONCE):
        yield make(session, range(first, min(first + AT_ONCE, numbers.stop)), a_unit)


def _records(session: str, numbers: range, a_unit: int) -> bytes:
    request = ExportLogsServiceRequest()
    group = request.resource_logs.add()
    _add(group.resource.attributes, {"service.name": "claude-code"})
    records = group.scope_logs.add()
    records.scope.name = "com.anthropic.claude_code.events"
    for number in numbers:
        record = records.log_records.add(time_unix_nano=_time(number, a_unit))
        record.body.string_value = "claude_code.api_request"
        _add(
            record.attributes,
            {
                "event.name": "api_request",
                "session.id": session,
                "model": "claude-sonnet-4-5",
                "request_id": f"req_{session}_{number}",
                "duration_ms": 900,
                "input_tokens": 10 + number % 90,
                "output_tokens": 100 + number % 400,
                "cache_read_tokens": 20_000 + number,
                "cache_creation_tokens": 300,
                "cost_usd": 0.01,
            },
        )
    body: bytes = request.SerializeToString()
    return body


def _spans(session: str, numbers: range, a_unit: int) -> bytes:
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    _add(group.resource.attributes, {"service.name": "support"})
    spans = group.scope_spans.add()
    spans.scope.name = "opentelemetry.instrumentation.anthropic"
    for number in numbers:
        end = _time(number, a_unit)
        span = spans.spans.add(
            trace_id=(sum(session.encode()) << 32 | number // a_unit + 1).to_bytes(16),
            span_id=(number + 1).to_bytes(8),
            name="chat claude-sonnet-4-5",
            start_time_unix_nano=end - 900_000_000,
            end_time_unix_nano=end,
        )
        _add(
            span.attributes,
            {
                "session.id": session,
                "gen_ai.operation.name": "chat",
                "gen_ai.provider.name": "anthropic",
                "gen_ai.request.model": "claude-sonnet-4-5",
                "gen_ai.response.id": f"msg_{session}_{number}",
                "gen_ai.usage.input_tokens": 20_310 + number,
                "gen_ai.usage.output_tokens": 100 + number % 400,
                "gen_ai.usage.cache_read.input_tokens": 20_000 + number,
                "gen_ai.usage.cache_creation.input_tokens": 300,
            },
        )
    body: bytes = request.SerializeToString()
    return body


def _time(number: int, a_unit: int) -> int:
    """When a call ended: each unit has five minutes of its own, and in these a call every 50 ms."""
    unit, place = divmod(number, a_unit)
    return START + unit * FIVE_MINUTES + place * 50_000_000


def _add(attributes: Any, values: dict[str, str | int | float]) -> None:
    for name, value in values.items():
        added = attributes.add(key=name).value
        if isinstance(value, str):
            added.string_value = value
        elif isinstance(value, int):
            added.int_value = value
        else:
            added.double_value = value


class Session:
    """A session of a running server that can be made to grow."""

    def __init__(self, server: Server, id_: str, shape: Shape, calls: int, most: int) -> None:
        """Fill it with calls, in as many units as its share of `most` calls; the last one is not full yet."""
        self.id = id_
        self.calls = calls
        self._server = server
        self._shape = shape
        units = max(1, shape.units * calls // most)
        self._a_unit = calls // units + GROWTH // units + 1
        self._send: Send = over_http(server, "logs" if shape.of_records else "traces")
        for body in bodies(shape, id_, range(calls), self._a_unit):
            self._deliver(body)
        server.settle()

    def grow(self) -> None:
        """Add a call to its last unit, and wait until it is counted."""
        (body,) = bodies(self._shape, self.id, range(self.calls, self.calls + 1), self._a_unit)
        self._deliver(body)
        self.calls += 1
        self._server.settle()

    def path(self, limit: int, cursor: str | None) -> str:
        """The path of a page of its calls."""
        return f"/v1/sessions/{self.id}/calls?limit={limit}" + ("" if cursor is None else f"&cursor={cursor}")

    def cursor(self, offset: int) -> str | None:
        """The cursor of the page that begins at this call."""
        cursor = None
        while offset > 0:
            limit = min(offset, AT_ONCE)
            cursor = self._server.get(self.path(limit, cursor))["pagination"]["next"]
            offset -= limit
        return cursor

    def _deliver(self, body: bytes) -> None:
        while not self._send(body):
            pass


def measure(*, calls: int = 20_000, rounds: int = 7, shapes: list[str] | None = None) -> list[Table]:
    """Milliseconds of pages, and of commits of sessions of a twentieth, a quarter and all of this number of calls."""
    pages: list[Row] = []
    commits: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="otel-sessions-benchmark-") as folder:
        for name in shapes or list(SHAPES):
            with running(Path(folder, name.replace(" ", "-").replace(",", ""))) as server:
                figures = []
                for share in (20, 4, 1):
                    session = Session(server, f"session-{share}", SHAPES[name], calls // share, calls)
                    cpu = server.cpu()
                    taken = [_milliseconds(session.grow) for _ in range(rounds)]
                    figures.append(f"{median(taken):.0f}")
                    figures.append(f"{(server.cpu() - cpu) / rounds * 1e3:.0f}")
                commits.append(Row(name, tuple(figures), "bounded"))
                pages += _pages(server, name, session, rounds)
    return [
        Table(f"a page of {LIMIT} of {calls:,} calls, ms", ("after a commit", "again"), pages),
        Table(
            f"a commit of one call to sessions of {calls // 20:,}, {calls // 4:,} and {calls:,} calls, ms and CPU ms",
            tuple(f"{what}{calls // share:,}" for share in (20, 4, 1) for what in ("", "CPU ")),
            commits,
        ),
    ]


def _pages(server: Server, name: str, session: Session, rounds: int) -> Iterator[Row]:
    for where, offset in (("first", 0), ("middle", session.calls // 2), ("last", session.calls - LIMIT)):
        path = session.path(LIMIT, session.cursor(offset))
        get = partial(server.get, path)
        first, again = [], []
        for _ in range(rounds):
            session.grow()
            first.append(_milliseconds(get))
            again += [_milliseconds(get) for _ in range(3)]
        yield Row(f"{name}, {where} page", (f"{median(first):.0f}", f"{median(again):.0f}"), "< 50")


def _milliseconds(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return (time.perf_counter() - begin) * 1e3


def main() -> None:
    """Measure with the options of the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.calls", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a few calls only: shows that it runs, not what it costs")
    parser.add_argument("--shape", choices=[*SHAPES], action="append", help="by default all")
    options = parser.parse_args()
    made = measure(calls=2_000, rounds=1, shapes=options.shape) if options.quick else measure(shapes=options.shape)
    print("\n\n".join(map(str, made)))


if __name__ == "__main__":
    main()
