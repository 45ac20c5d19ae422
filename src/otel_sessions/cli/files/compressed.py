"""`opened`: the bytes of a file or of standard input, without their gzip or zstd compression."""

from __future__ import annotations

import gzip
import io
import sys
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING or sys.version_info < (3, 14):
    from backports import zstd
else:  # pragma: no cover - the same module under its later name
    from compression import zstd

STDIN: Final = "-"
GZIP: Final = b"\x1f\x8b"
ZSTD: Final = b"\x28\xb5\x2f\xfd"
READ_BYTES: Final = 1 << 20

BROKEN: Final = (EOFError, zlib.error, gzip.BadGzipFile, zstd.ZstdError)
"""What reading a compressed file raises that is cut or damaged."""


class Opened(NamedTuple):
    """A file that is read.

    Attributes:
        stream: its bytes, decompressed, with `peek`.
        raw: the file itself, to tell how far it was read; `None` if that is not known.
        size: the bytes of the file, `None` if they are not known.
    """

    stream: io.BufferedReader
    raw: IO[bytes] | None
    size: int | None

    @property
    def position(self) -> int | None:
        """How many bytes of the file were read."""
        return None if self.raw is None else self.raw.tell()


@contextmanager
def opened(name: str) -> Iterator[Opened]:
    """A file, or standard input for `-`.

    Raises:
        OSError: it cannot be opened.
    """
    with ExitStack() as stack:
        size = None
        if name == STDIN:
            raw: Any = sys.stdin.buffer
        else:
            size = Path(name).stat().st_size
            raw = stack.enter_context(Path(name).open("rb"))
        buffered = raw if isinstance(raw, io.BufferedReader) else io.BufferedReader(raw)
        stream = _decompressed(buffered)
        yield Opened(stream, None if size is None else raw, size)


def _decompressed(stream: io.BufferedReader) -> io.BufferedReader:
    beginning = stream.peek(len(ZSTD))
    if beginning.startswith(GZIP):
        return io.BufferedReader(_Decompressed(gzip.GzipFile(fileobj=stream)), READ_BYTES)
    if beginning.startswith(ZSTD):
        return io.BufferedReader(_Decompressed(zstd.ZstdFile(stream)), READ_BYTES)
    return stream


class _Decompressed(io.RawIOBase):
    """What a decompressor reads, a part at a time: of a file that is cut, all that comes before the cut."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read the next part."""
        part = self._file.read1(len(buffer))
        buffer[: len(part)] = part
        return len(part)


def decompressed_message(raw: bytes) -> bytes:
    """A message that is compressed by itself, as the file exporter of the Collector writes it with compression.

    Raises:
        ZstdError: it is damaged.
    """
    return zstd.decompress(raw) if raw.startswith(ZSTD) else raw
