"""`python -m benchmarks.export`: the spans a second that go into files of each format, and back into a server.

The server and the commands are processes of their own, as users run them; a rate is of a whole command, its start included.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from benchmarks.ingest import Server, over_http, running
from benchmarks.spans import BATCH, SpanStream
from benchmarks.tables import Row, Table
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans

BATCHES: Final = 400
FORMATS: Final = (
    ("parquet, spans", ("--format", "parquet", "--what", "spans"), ">= 100,000"),
    ("jsonl", ("--format", "jsonl", "--what", "spans"), ">= 50,000"),
    ("csv, spans", ("--format", "csv", "--what", "spans"), ""),
    ("otlp", ("--format", "otlp"), ""),
    ("otlp, proto", ("--format", "otlp", "--encoding", "proto"), ""),
    ("jsonl, redacted", ("--format", "jsonl", "--what", "spans", "--redact"), ""),
    ("otlp, redacted", ("--format", "otlp", "--redact"), ""),
)
IMPORTS: Final = ("jsonl", "otlp", "otlp, proto")
_FIRST: Final = 8
"""Requests that are sent before the clock starts."""


def main() -> None:
    """Measure all formats."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.export", description="Spans a second, to files and back."
    )
    parser.add_argument("--batches", type=int, default=BATCHES, help=f"of {BATCH} spans each; default: %(default)s")
    batches = parser.parse_args().batches
    spans = batches * BATCH
    with tempfile.TemporaryDirectory() as folder:
        files = {name: Path(folder, f"export-{number}") for number, (name, _, _) in enumerate(FORMATS)}
        with running(Path(folder, "store")) as server:
            rate = spans / _filled(server, batches)
            exported = []
            for name, options, target in FORMATS:
                used = server.cpu() + _cpu()
                seconds = _command(server, "export", *options, "--output", str(files[name]))
                cost = (server.cpu() + _cpu() - used) / spans * 1e6
                figures = (spans / seconds, cost, files[name].stat().st_size / spans, server.memory())
                exported.append(Row(name, tuple(f"{figure:,.0f}" for figure in figures), target))
        columns = ("spans/s", "us of CPU a span", "bytes a span", "MB, server")
        print(Table(f"export of {spans:,} spans", columns, exported), flush=True)
        imported = [Row("ingest over http", (f"{rate:,.0f}", ""))]
        for number, name in enumerate(IMPORTS):
            with running(Path(folder, f"store-{number}")) as server:
                first = _imported(server, files[name], spans)
                again = _imported(server, files[name], spans)
                imported.append(Row(name, (f"{spans / first:,.0f}", f"{spans / again:,.0f}")))
        print(f"\n{Table(f'import of {spans:,} spans', ('spans/s', 'spans/s, again'), imported)}")


def _filled(server: Server, batches: int) -> float:
    """Send batches one after the other; the seconds until all are committed."""
    send = over_http(server)
    requests = [encode_spans(spans).SerializeToString() for spans in SpanStream().batches(batches)]
    begin = time.perf_counter()
    for body in requests:
        while not send(body):
            pass
    server.settle()
    return time.perf_counter() - begin


def _imported(server: Server, file: Path, spans: int) -> float:
    begin = time.perf_counter()
    _command(server, "import", str(file))
    server.settle()
    seconds = time.perf_counter() - begin
    assert server.stored() == spans
    return seconds


def _cpu() -> float:
    """Seconds of CPU of the commands that ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _command(server: Server, *words: str) -> float:
    """The seconds that a command takes."""
    command: Sequence[str] = [
        sys.executable,
        "-m",
        "otel_sessions",
        *words,
        "--url",
        f"http://{server.host}:{server.port}",
    ]
    begin = time.perf_counter()
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    return time.perf_counter() - begin


if __name__ == "__main__":
    main()
