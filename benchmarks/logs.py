"""`python -m benchmarks.logs`: the log records a second that a server takes and commits, with model calls among them.

The server is a process of its own, as users start it; four connections send to it over HTTP, each with one request in flight.
The clock stops when everything that was acknowledged is committed. One record in ten tells of a model call.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from itertools import count
from pathlib import Path
from random import randrange
from statistics import median

from benchmarks.ingest import CONNECTIONS, Load, over_http, running
from benchmarks.log_requests import BATCH, LogRequests
from benchmarks.tables import Row, Table


def measure(*, seconds: float = 30, records: int = BATCH) -> Table:
    """The figures of one load of this many seconds, with this many records a request."""
    requests = LogRequests(records=records)
    with (
        tempfile.TemporaryDirectory(prefix="otel-sessions-benchmark-") as folder,
        running(Path(folder, "store")) as server,
    ):
        load = Load(requests, count(randrange(1 << 28)))
        begin, cpu, ours = time.monotonic(), server.cpu(), time.process_time()
        load.run([over_http(server, "logs") for _ in range(CONNECTIONS)], seconds)
        accepted, ours = time.monotonic() - begin, time.process_time() - ours
        server.settle()
        taken = time.monotonic() - begin
        stored = server.stored("logs")
        assert stored == load.acknowledged, f"{stored} records are stored, {load.acknowledged} were acknowledged"
        ordered = sorted(load.seconds)
        figures = (
            f"{stored / taken:,.0f}",
            f"{stored / accepted:,.0f}",
            f"{median(ordered) * 1000:.0f}",
            f"{ordered[int(len(ordered) * 0.99)] * 1000:.0f}",
            f"{(server.cpu() - cpu) / stored * 1e6:.1f}",
            f"{ours / stored * 1e6:.1f}",
            f"{server.memory():.0f}",
        )
    columns = ("committed/s", "acknowledged/s", "p50 ms", "p99 ms", "us CPU", "us client", "MB")
    what = f"{records} records a request, {requests.calls} of them calls"
    note = f"{stored:,} records of {requests.bytes_a_record:.0f} bytes"
    title = f"log records over http, {CONNECTIONS} connections, {seconds:g} s"
    return Table(title, columns, [Row(what, figures, ">= 40,000")], (note,))


def main() -> None:
    """Measure with the options of the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.logs", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--records", type=int, default=BATCH, help="records a request; default: %(default)s")
    options = parser.parse_args()
    print(measure(seconds=options.seconds, records=options.records))


if __name__ == "__main__":
    main()
