"""The write-ahead log: segment files that hold acknowledged requests until their rows are in the store.

A segment is two files per signal. `NNN.traces` is the requests' protobuf bytes one after the other, which is itself one
valid request; `NNN.traces.index` holds a fixed record per request with its length and checksum. A request counts as
written when its index record is, so a crash in between loses nothing that was acknowledged, and a torn tail is
recognised. `write()` survives the death of the process; with `sync` every request also survives the death of the machine.
"""

from __future__ import annotations

import errno
import os
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Final

from otel_sessions.server.signals import SIGNALS
from otel_sessions.server.wal.disk import sync_folder

_RECORD: Final = struct.Struct("<QII")  # length, checksum of the request, checksum of the two


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
            _write(data, payload)
            _write(index, record)
            if self._sync:
                os.fdatasync(data.fileno())
                os.fdatasync(index.fileno())
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
        path, index = path_of(folder, number, signal), index_of(folder, number, signal)
        if not (path.exists() and index.exists()):
            continue
        with path.open("rb") as data:
            for length, checksum in _records(index):
                payload = data.read(length)
                if len(payload) != length or zlib.crc32(payload) != checksum:
                    break
                yield signal, payload


def segment_numbers(folder: Path) -> list[int]:
    """The numbers of the segments in a folder, oldest first."""
    found = {name for signal in SIGNALS for name in folder.glob(f"*.{signal}")}
    return sorted({int(path.name.partition(".")[0]) for path in found if path.name.partition(".")[0].isdecimal()})


def remove_segment(folder: Path, number: int) -> None:
    """Delete a committed segment; each index goes after its data, so that a half deleted segment reads as empty."""
    for signal in SIGNALS:
        path_of(folder, number, signal).unlink(missing_ok=True)
        index_of(folder, number, signal).unlink(missing_ok=True)


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


def record_of(payload: bytes) -> bytes:
    """The index record of a request."""
    length, checksum = len(payload), zlib.crc32(payload)
    return _RECORD.pack(length, checksum, zlib.crc32(struct.pack("<QI", length, checksum)))


def _records(index: Path) -> Iterator[tuple[int, int]]:
    content = index.read_bytes()
    for start in range(0, len(content) - _RECORD.size + 1, _RECORD.size):
        length, checksum, own = _RECORD.unpack_from(content, start)
        if zlib.crc32(struct.pack("<QI", length, checksum)) != own:
            return
        yield length, checksum
