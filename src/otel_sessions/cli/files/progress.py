"""`progress`: how far a file is, on a terminal; nothing elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

Update = Callable[..., None]
"""Called with `completed`, how many bytes are done, and `records`."""


@contextmanager
def progress(what: str, total: int | None = None) -> Iterator[Update]:
    """Show a bar on stderr while the block runs, if stderr is a terminal.

    Args:
        what: stands before the bar.
        total: the bytes of all, if they are known.
    """
    if not sys.stderr.isatty():
        yield lambda **_: None
        return
    from rich.console import Console  # noqa: PLC0415 - slow to import
    from rich.progress import (  # noqa: PLC0415
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TransferSpeedColumn,
    )

    from otel_sessions.server.process.log_lines import escaped  # noqa: PLC0415

    columns: list[Any] = [
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TextColumn("{task.fields[records]:,} records", markup=False),
        TimeElapsedColumn(),
    ]
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task(escaped(what), total=total, records=0)

        def update(*, completed: int | None = None, records: int | None = None) -> None:
            if records is not None:
                bars.update(task, records=records)
            bars.update(task, completed=completed)

        yield update
