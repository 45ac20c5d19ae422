"""`print_table`: items as a table that is no wider than the terminal.

Where it is narrow, columns are left out, the least important first, and then long texts are cut. Widths are counted in cells
of the terminal, of which wide characters take two.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from os import environ
from shutil import get_terminal_size
from typing import Any, Final

from otel_sessions.server.process.log_lines import escaped

ESSENTIAL: Final = 2
"""Columns of this rank and below are left out only where they have no room with their texts cut."""

UNKNOWN: Final = "—"
_GAP: Final = 2
_HEIGHT: Final = 25
_NARROWEST: Final = 8
"""A flexible column is not made narrower than this; if it needs less, than it needs."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Attributes:
        title: its head.
        shown: the text of an item in it.
        rank: what is left out first where there is no room: the column with the highest rank.
        right: whether texts are aligned at the right, as numbers are.
        flexible: whether long texts may be cut; a number is shown as a whole, or not at all.
        narrowest: how wide a flexible column is at least.
        preferred: how wide a flexible column is at least while there are columns of a rank above `ESSENTIAL`; these are left
            out first.
    """

    title: str
    shown: Callable[[Mapping[str, Any]], str]
    rank: int = 0
    right: bool = False
    flexible: bool = False
    narrowest: int = _NARROWEST
    preferred: int = _NARROWEST


def cell(text: str) -> str:
    """A text of unknown origin as the text of a cell: one line, without effect on the terminal; a dash for no text."""
    return escaped(text) or UNKNOWN


def shown_name(field: str) -> str:
    """The name of a field as the head of a column."""
    return escaped(field.replace("_", " ").upper())


def print_table(
    items: Sequence[Mapping[str, Any]],
    columns: Sequence[Column],
    *,
    is_faint: Callable[[Mapping[str, Any]], bool],
    last_line: str | None,
) -> None:
    """Print items as a table on stdout, and a line below it."""
    from rich.cells import cell_len  # noqa: PLC0415 - rich takes long to import
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr] # it is a terminal
    # Without a height, `Console` takes 80 columns for a dumb terminal. It writes bold text under NO_COLOR.
    console = Console(
        highlight=False,
        width=get_terminal_size().columns,
        height=_HEIGHT,
        color_system=None if environ.get("NO_COLOR") else "auto",
    )
    texts = [[column.shown(item) for column in columns] for item in items]
    needed = [
        max(cell_len(column.title), *(cell_len(row[place]) for row in texts)) for place, column in enumerate(columns)
    ]
    widths = fitted(needed, columns, console.width)
    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="bold")
    for place, width in widths.items():
        column = columns[place]
        table.add_column(
            column.title,
            justify="right" if column.right else "left",
            width=width,
            no_wrap=True,
            overflow="ellipsis",
        )
    for item, row in zip(items, texts, strict=True):
        table.add_row(*(Text(row[place]) for place in widths), style="dim" if is_faint(item) else None)
    console.print(table)
    if last_line:
        console.print(Text(last_line))


def fitted(needed: Sequence[int], columns: Sequence[Column], width: int) -> dict[int, int]:
    """The widths of the columns that have room, by their places; the column of the lowest rank always has.

    Args:
        needed: how wide each column would be by its texts.
        columns: the columns, in order.
        width: of the terminal.
    """
    kept = list(range(len(columns)))
    by_rank = sorted(kept, key=lambda place: columns[place].rank)

    def least(place: int) -> int:
        column = columns[place]
        if not column.flexible:
            return needed[place]
        spare = columns[by_rank[-1]].rank > ESSENTIAL
        return min(needed[place], max(column.narrowest, column.preferred) if spare else column.narrowest)

    while len(kept) > 1 and sum(map(least, kept)) + _GAP * (len(kept) - 1) > width:
        kept.remove(by_rank.pop())
    room = width - _GAP * (len(kept) - 1) - sum(map(least, kept))
    widths = {place: min(least(place), width) for place in kept}
    for place in by_rank:
        more = max(0, min(room, needed[place] - widths[place]))
        widths[place] += more
        room -= more
    return widths
