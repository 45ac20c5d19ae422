"""`take_in_refused`: gives requests that could not be stored back to the log of requests."""

from __future__ import annotations

from pathlib import Path

from otel_sessions.server.ingest.set_aside import refused_files
from otel_sessions.server.wal.disk import write_file
from otel_sessions.server.wal.numbering import Numbering
from otel_sessions.server.wal.salvage import record_of
from otel_sessions.server.wal.segments import index_of, path_of


def take_in_refused(folder: Path) -> int:
    """Make a segment of each request that was set aside, for the next start to commit; return their number.

    No server may use the folder. Each file is renamed, so a request is in one place at any moment.

    Raises:
        OSError: a file cannot be read or written.
    """
    refused = refused_files(folder)
    if refused:
        numbering = Numbering(folder)
        numbering.reserve()
        for number, path in enumerate(refused, numbering.first):
            signal = path.name.split(".")[1]
            index = index_of(folder, number, signal)
            draft = index.with_name(f"{index.name}.new")
            write_file(draft, record_of(path.read_bytes()))
            path.replace(path_of(folder, number, signal))
            draft.replace(index)
    return len(refused)
