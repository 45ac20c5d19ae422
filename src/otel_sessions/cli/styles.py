"""`styled`: text in colour, where the reader wants colours; `lines_of`: texts of unknown origin as lines that fit the terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from os import environ
from shutil import get_terminal_size
from typing import Final

from otel_sessions.server.process.log_lines import escaped

_CODES: Final = {
    "bold": "1",
    "faint": "2",
    "red": "31",
    "green": "32",
    "yellow": "33",
    "blue": "34",
    "magenta": "35",
    "cyan": "36",
}
_TAB: Final = 4
_NARROWEST: Final = 10
"""Cells that a line of text has at least, however deep it is indented."""


def has_colours() -> bool:
    """Return True if texts are coloured: on a terminal, unless `NO_COLOR` is set, and elsewhere if `FORCE_COLOR` is."""
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR"):
        return True
    return sys.stdout.isatty() and environ.get("TERM") != "dumb"


def styled(text: str, *styles: str) -> str:
    """The text in these styles, or as it is where nothing is coloured. What comes from outside is escaped before."""
    codes = ";".join(_CODES[style] for style in styles)
    return f"\x1b[{codes}m{text}\x1b[0m" if codes and text and has_colours() else text


def columns() -> int:
    """How wide the terminal is."""
    return get_terminal_size().columns


def lines_of(text: str, width: int) -> Iterator[str]:
    """The lines of a text, each no wider than the given number of cells, without effect on a terminal.

    Lines are broken between words where that is possible. The indentation of a line is kept.
    """
    room = max(width, _NARROWEST)
    for line in text.replace("\r\n", "\n").split("\n"):
        yield from _broken(escaped(line.expandtabs(_TAB)).rstrip(" "), room)


def cells(text: str) -> int:
    """How many cells of a terminal a text takes."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len  # noqa: PLC0415 - rich takes long to import

    return cell_len(text)


def shortened(text: str, width: int) -> str:
    """The text in at most the given number of cells, with an ellipsis if something is left out."""
    if cells(text) <= width:
        return text
    return text[: _fitting(text, width - 1)] + "…" if width > 0 else ""


def _broken(line: str, room: int) -> Iterator[str]:
    while cells(line) > room:
        most = _fitting(line, room)
        blank = line.rfind(" ", 1, most + 1)
        # A word that is longer than half a line is broken, since the line would be mostly empty.
        end = blank if blank > most // 2 else most
        yield line[:end]
        line = line[end:].lstrip(" ")
    yield line


def _fitting(text: str, room: int) -> int:
    """How many characters of a text that is too long fit into the room."""
    if text.isascii():
        return room
    taken = fitting = 0
    while (taken := taken + cells(text[fitting])) <= room:
        fitting += 1
    return fitting
