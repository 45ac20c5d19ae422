"""`lines_of`: an answer of a server, line by line."""

from __future__ import annotations

import io
from typing import IO, Any, Final

READ_BYTES: Final = 1 << 16


def lines_of(answer: IO[bytes]) -> io.BufferedReader:
    """An answer to read line by line, which raises when it ends before its end: the lines of the standard library then just end."""
    return io.BufferedReader(_Parts(answer), READ_BYTES)


class _Parts(io.RawIOBase):
    """The bytes of an answer."""

    def __init__(self, answer: IO[bytes]) -> None:
        self._answer = answer

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read the next part."""
        part = self._answer.read(len(buffer))
        buffer[: len(part)] = part
        return len(part)
