"""The memory of a process that sends spans through `SessionExporter` with default bounds.

Every session gets twenty spans. A million spans have 50,000 sessions, which is the bound; the next million has 50,000
others, so from then on all bounds are reached.
"""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from benchmarks.spans import BATCH, SpanStream
from benchmarks.tables import Row, Table

from otel_sessions import SessionExporter

_SPANS_A_SESSION: Final = 20
_MILLION: Final = 1_000_000
_STATUS: Final = Path("/proc/self/status")


def measure(*, quick: bool, long: bool) -> Table:
    """Megabytes of a process of its own, after every million spans."""
    spans = 20_000 if quick else 10 * _MILLION if long else _MILLION
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.memory", str(spans)], stdout=subprocess.PIPE, text=True, check=True
    )
    rows, notes = [], []
    for line in done.stdout.splitlines():
        what, now, peak, *target = line.split("\t")
        if now:
            rows.append(Row(what, (now, peak), *target))
        else:
            notes.append(what)
    return Table("memory (MB, whole process)", ("now", "peak"), rows, tuple(notes))


def _send(spans: int) -> Iterator[str]:
    """Lines of tab separated figures, for the process that started this one."""
    exporter = SessionExporter()
    stream = SpanStream()
    for batch in stream.batches(1):
        exporter.export(batch)
    yield "after the first batch\t" + _memory()
    step = min(_MILLION, spans)
    for sent in range(step, spans + 1, step):
        # One session after another, so that a session's next trace comes when all the others had theirs.
        sessions = step // _SPANS_A_SESSION
        for batch in stream.batches(-(-step // BATCH), sessions=sessions, first=(sent // step - 1) * sessions):
            exporter.export(batch)
        yield f"after {sent:,} spans\t{_memory()}\t< 300 MB"
    kept = exporter.sessions(limit=None)
    yield f"sessions kept: {len(kept):,}, with {sum(one.span_count for one in kept):,} spans\t\t"
    yield f"not counted: {exporter.dropped or 'nothing'}\t\t"


def _memory() -> str:
    """Megabytes in memory now and at most, tab separated; without `/proc` both are the most."""
    if _STATUS.exists():
        # Not `ru_maxrss`, which a new process inherits from the one that started it.
        fields = dict(line.split(":", 1) for line in _STATUS.read_text().splitlines())
        now, peak = (int(fields[name].split()[0]) / 1024 for name in ("VmRSS", "VmHWM"))
    else:
        now = peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (
            1 << 20 if sys.platform == "darwin" else 1 << 10
        )
    return f"{now:.0f}\t{peak:.0f}"


if __name__ == "__main__":
    for text in _send(int(sys.argv[1])):
        print(text, flush=True)
