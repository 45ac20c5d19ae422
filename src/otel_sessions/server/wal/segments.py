"""The write-ahead log: segment files that hold acknowledged requests until their rows are in the store.

A segment is two files per signal. `NNN.traces` is the requests' protobuf bytes one after the other, which is itself one
valid request; `NNN.traces.index` holds a fixed record per request with its length and checksum. A request counts as
written when its index record is, so a crash in between loses nothing that was acknowledged, and a torn tail is
recognised. Damaged files are read as far as they can be (`salvage`), and kept as `*.damaged`. `write()` survives the death of the process; with `sync` every request also survives the death of the machine.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Final

from otel_sessions.server.signals import SIGNALS, TRACES
from otel_sessions.server.wal.disk import sync_folder
from otel_sessions.server.wal.salvage import Salvaged, record_of, salvage

__all__ = [
    "DAMAGED",
    "Segment",
    "index_of",
    "move_aside",
    "path_of",
    "read_segment",
    "read_signal",
    "record_of",
    "remove_half_deleted",
    "remove_segment",
    "segment_bytes",
    "segment_numbers",
]

DAMAGED: Final = ".damaged"
"""Behind the names of files that are kept because bytes of them are damaged."""

_STORED: Final = ".stored"
"""Behind the name of the data of a segment while it is deleted."""


def open_to_append(path: Path) -> BinaryIO:
    """A file without a buffer, so that what was written survives the death of the process."""
    return path.open("ab", buffering=0)


class Segment:
    """The segment that requests are appended to. Not thread safe: the log has one lock."""

    def __init__(
        self, folder: Path, number: int, *, sync: bool = False, open_file: Callable[[Path], BinaryIO] = open_to_append
    ) -> None:
        """Name the segment; the first request of a signal has `open_file` make the signal's files."""
        self.number = number
        self._folder = folder
        self._sync = sync
        self._open = open_file
        self._files: dict[str, tuple[BinaryIO, BinaryIO]] = {}

    def append(self, signal: str, payload: bytes, record: bytes) -> None:
        """Write one request and its `record_of`; when this returns, it survives the death of the process.

        Raises:
            OSError: it could not be written; the segment is then as it was before.
        """
        if signal not in self._files:
            self._files[signal] = (
                self._open(path_of(self._folder, self.number, signal)),
                self._open(index_of(self._folder, self.number, signal)),
            )
            if self._sync:
                sync_folder(self._folder)
        data, index = self._files[signal]
        before = data.tell(), index.tell()
        try:
            # In this order, so that a record on the disk has its request there.
            for file, content in ((data, payload), (index, record)):
                _write(file, content)
                if self._sync:
                    os.fdatasync(file.fileno())
        except OSError:
            for file, position in zip((data, index), before, strict=True):
                file.truncate(position)
                file.seek(position)
            raise

    def close(self) -> None:
        """Close the files; they stay."""
        for pair in self._files.values():
            for file in pair:
                file.close()
        self._files.clear()


def read_segment(folder: Path, number: int) -> Iterator[tuple[str, bytes]]:
    """Signal and bytes of the acknowledged requests of a segment, in order per signal, without a torn tail, which was never acknowledged."""
    for signal in SIGNALS:
        for payload in read_signal(folder, number, signal).requests:
            yield signal, payload


def read_signal(folder: Path, number: int, signal: str) -> Salvaged:
    """The requests of one signal of a segment, as far as its files can be read.

    Raises:
        OSError: a file cannot be read now.
    """
    data, index = _content(path_of(folder, number, signal)), _content(index_of(folder, number, signal))
    if data is None and index is None:
        return Salvaged([])
    # An index is made before its data is written, but the process may end before the first record is. Spans that were
    # not acknowledged do no harm, since they have ids; log records would be stored again when they are sent again.
    return salvage(data or b"", index or b"", unindexed=index is None or len(index) > 0 or signal == TRACES)


def move_aside(folder: Path, number: int, signal: str) -> Path:
    """Keep the files of one signal of a segment under names that are not read any more; return that of the data."""
    kept = path_of(folder, number, signal)
    kept = kept.with_name(kept.name + DAMAGED)
    for path, moved in (
        (path_of(folder, number, signal), kept),
        (index_of(folder, number, signal), kept.with_name(f"{index_of(folder, number, signal).name}{DAMAGED}")),
    ):
        if path.is_file():
            path.replace(moved)
    return kept


def segment_numbers(folder: Path) -> list[int]:
    """The numbers of the segments in a folder, oldest first."""
    kinds = [kind for signal in SIGNALS for kind in (f".{signal}", f".{signal}.index")]
    names = {path.name for kind in kinds for path in folder.glob(f"*{kind}") if path.is_file()}
    numbers = {name.partition(".")[0] for name in names}
    return sorted(int(number) for number in numbers if number.isdecimal() and number.isascii())


def segment_bytes(folder: Path, number: int) -> int:
    """The size of the requests of a segment."""
    paths = [path_of(folder, number, signal) for signal in SIGNALS]
    return sum(path.stat().st_size for path in paths if path.is_file())


def remove_segment(folder: Path, number: int) -> None:
    """Delete a committed segment. Its data gets another name first: half deleted, it is not taken for a damaged one."""
    for signal in SIGNALS:
        data, index = path_of(folder, number, signal), index_of(folder, number, signal)
        stored = data.with_name(data.name + _STORED)
        if data.is_file():
            data.replace(stored)
        index.unlink(missing_ok=True)
        stored.unlink(missing_ok=True)


def remove_half_deleted(folder: Path) -> None:
    """Delete what is left of segments whose deletion was broken off."""
    for path in folder.glob(f"*{_STORED}"):
        path.with_name(f"{path.name.removesuffix(_STORED)}.index").unlink(missing_ok=True)
        path.unlink(missing_ok=True)


def path_of(folder: Path, number: int, signal: str) -> Path:
    """The file with the requests of one signal."""
    return folder / f"{number:012d}.{signal}"


def index_of(folder: Path, number: int, signal: str) -> Path:
    """The file with their lengths and checksums."""
    return folder / f"{number:012d}.{signal}.index"


def _write(file: BinaryIO, content: bytes) -> None:
    """Write all of it: on a disk that is nearly full, a file without a buffer takes a part and returns how much."""
    written = file.write(content)
    if written != len(content):
        raise OSError(errno.ENOSPC, f"only {written} of {len(content)} bytes could be written")


def _content(path: Path) -> bytes | None:
    """All of a file; `None` if it does not exist."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
