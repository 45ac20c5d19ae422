"""`LogHandler`: the log of a process, in which texts from outside forge no lines and drown none."""

from __future__ import annotations

import copy
import logging
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TextIO

from otel_sessions.long_texts import cut

FORMAT: Final = "%(asctime)s %(levelname)s %(message)s"
REPEAT_SECONDS: Final = 1.0
"""How often the same line is written at most."""

LONGEST_MESSAGE: Final = 10_000
_MOST_LINES: Final = 1_000
"""How many different lines of the last moment are known."""

_INDENT: Final = "    "
_CONTROLS: Final = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""What ends a line, moves the cursor of a terminal, changes the order of what is read, or cannot be written."""


def escaped(text: str) -> str:
    r"""The text as one line that shows control characters, such as a line break as `\n`, and does not act on them."""
    return _CONTROLS.sub(lambda found: found.group().encode("unicode_escape", "surrogatepass").decode("ascii"), text)


class LineFormatter(logging.Formatter):
    """Makes a line of each record; the lines of a traceback are indented, so that none looks like another record."""

    def __init__(self) -> None:
        super().__init__(FORMAT)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the name in logging
        """The line of a record."""
        record.message = cut(record.message, LONGEST_MESSAGE)
        return escaped(super().formatMessage(record))

    def formatException(self, ei: logging._SysExcInfoType) -> str:  # noqa: N802 - the names in logging
        """The lines of an exception."""
        return _indented(super().formatException(ei))

    def formatStack(self, stack_info: str) -> str:  # noqa: N802 - the name in logging
        """The lines of a stack."""
        return _indented(super().formatStack(stack_info))


@dataclass(slots=True)
class _Repeats:
    """When a line was last written, how often it was left out since, and the last record of these, without its traceback.

    A record with its traceback would keep all that its frames hold.
    """

    written: float
    number: int = 0
    last: logging.LogRecord | None = None


def _later(seconds: float, do: Callable[[], object]) -> None:
    timer = threading.Timer(seconds, do)
    timer.name = "otel-sessions-log"
    timer.daemon = True
    timer.start()


class LogHandler(logging.StreamHandler[TextIO]):
    """Writes lines to a stream. A line that comes again within a second is counted, and then written once with the count."""

    def __init__(
        self,
        stream: TextIO,
        *,
        clock: Callable[[], float] = time.monotonic,
        later: Callable[[float, Callable[[], object]], object] = _later,
    ) -> None:
        """Write to a stream.

        Args:
            stream: where to.
            clock: seconds.
            later: calls a function after some seconds, on another thread.
        """
        super().__init__(stream)
        self.setFormatter(LineFormatter())
        self._clock = clock
        self._later = later
        self._lines: dict[tuple[int, str, str | None], _Repeats] = {}
        self._is_waiting = False

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record, or count it. Called by logging, which holds the handler's lock."""
        try:
            message = cut(record.getMessage(), LONGEST_MESSAGE)
            if record.exc_info and self.formatter is not None:
                record.exc_text = self.formatter.formatException(record.exc_info)
        except Exception:
            self.handleError(record)
            return
        line = record.levelno, message, record.exc_text
        now = self._clock()
        repeats = self._lines.get(line)
        if repeats is not None and now - repeats.written < REPEAT_SECONDS:
            repeats.number += 1
            repeats.last = _without_traceback(record, message)
            if not self._is_waiting:
                self._is_waiting = True
                self._later(REPEAT_SECONDS, self.write_repeats)
            return
        if len(self._lines) >= _MOST_LINES:
            self._write_repeats()
            self._lines.clear()
        self._lines[line] = _Repeats(now)
        super().emit(record)

    def write_repeats(self) -> None:
        """Write the lines that were left out, each once, with how often it came."""
        self.acquire()
        try:
            self._is_waiting = False
            self._write_repeats()
        finally:
            self.release()

    def close(self) -> None:
        """Write what was left out, and end."""
        self.write_repeats()
        super().close()

    def _write_repeats(self) -> None:
        now = self._clock()
        for line, repeats in list(self._lines.items()):
            if repeats.last is not None:
                repeats.last.msg += f" (repeated {repeats.number} time{'s' * (repeats.number > 1)})"
                super().emit(repeats.last)
                self._lines[line] = _Repeats(now)
            elif now - repeats.written >= REPEAT_SECONDS:
                del self._lines[line]


def _without_traceback(record: logging.LogRecord, message: str) -> logging.LogRecord:
    plain = copy.copy(record)
    plain.msg = message
    plain.args = plain.exc_info = plain.exc_text = plain.stack_info = None
    return plain


def _indented(text: str) -> str:
    return "\n".join(_INDENT + escaped(line) for line in text.split("\n"))
