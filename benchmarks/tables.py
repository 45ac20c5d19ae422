"""`Table`: the figures of one benchmark, each with its target beside it."""

from __future__ import annotations

from typing import NamedTuple


class Row(NamedTuple):
    """One line: what was measured, the figures as text in the order of the columns, and the target if it has one."""

    what: str
    figures: tuple[str, ...]
    target: str = ""


class Table(NamedTuple):
    """The figures of one benchmark, printed with `str`."""

    title: str
    columns: tuple[str, ...]
    rows: list[Row]
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        lines = [("", *self.columns, "target"), *((row.what, *row.figures, row.target) for row in self.rows)]
        widths = [max(len(line[index]) for line in lines) for index in range(len(lines[0]))]
        shown = [self.title]
        for what, *figures, target in lines:
            middle = "".join(f"  {text:>{width}}" for text, width in zip(figures, widths[1:-1], strict=True))
            shown.append(f"  {what:<{widths[0]}}{middle}  {target}".rstrip())
        return "\n".join([*shown, *(f"  {note}" for note in self.notes)])
