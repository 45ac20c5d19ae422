"""A table is no wider than the terminal: it leaves out columns, then cuts texts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_sessions.cli.tables import Column, cell, fitted, shown_name


def column(rank: int = 0, *, flexible: bool = False, narrowest: int = 8, preferred: int = 8) -> Column:
    """A column whose texts do not matter."""
    return Column("", lambda _: "", rank=rank, flexible=flexible, narrowest=narrowest, preferred=preferred)


def test_all_have_room() -> None:
    """Where there is room, every column is as wide as its texts."""
    assert fitted([10, 20], [column(), column(1)], 80) == {0: 10, 1: 20}


def test_the_highest_rank_goes_first() -> None:
    """Where there is not, the column with the highest rank is left out."""
    assert fitted([10, 20, 10], [column(0), column(5), column(1)], 24) == {0: 10, 2: 10}


def test_texts_are_cut() -> None:
    """A flexible column gives room to others, and takes what they leave."""
    assert fitted([36, 10], [column(0, flexible=True), column(1)], 40) == {0: 28, 1: 10}
    assert fitted([36, 10], [column(0, flexible=True), column(1)], 20) == {0: 8, 1: 10}


def test_spare_columns_go_before_texts_are_cut() -> None:
    """A column of little importance is left out before an important text is cut below its preferred width."""
    reason = column(1, flexible=True, narrowest=12, preferred=19)
    columns = [column(0, flexible=True), reason, column(2), column(5)]
    assert fitted([8, 19, 9, 9], columns, 51) == {0: 8, 1: 19, 2: 9, 3: 9}
    assert fitted([8, 19, 9, 9], columns, 50) == {0: 8, 1: 19, 2: 9}
    assert fitted([8, 19, 9, 9], columns, 38) == {0: 8, 1: 17, 2: 9}


@given(
    needed=st.lists(st.integers(1, 60), min_size=1, max_size=8),
    flexible=st.lists(st.booleans(), min_size=8, max_size=8),
    width=st.integers(1, 120),
)
def test_the_width_is_kept(needed: list[int], flexible: list[bool], width: int) -> None:
    """No table is wider than the terminal, and it always has the column of the lowest rank."""
    columns = [column(place, flexible=flexible[place]) for place in range(len(needed))]
    widths = fitted(needed, columns, width)
    assert 0 in widths
    assert sum(widths.values()) + 2 * (len(widths) - 1) <= width
    assert all(0 < one <= needed[place] for place, one in widths.items())


@pytest.mark.parametrize(
    ("text", "shown"), [("", "—"), ("a\tb\nc", "a\\tb\\nc"), ("\x1b[31mred\x9b", "\\x1b[31mred\\x9b"), ("é", "é")]
)
def test_cells(text: str, shown: str) -> None:
    """A cell is one line, acts on no terminal, and shows that there is nothing."""
    assert cell(text) == shown


def test_heads() -> None:
    """The head of a column is the name of its field."""
    assert shown_name("total_cost") == "TOTAL COST"
