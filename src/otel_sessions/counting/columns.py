"""`Column`: what a session comes to, as a column of the table `sessions`."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

STRINGS: Final = "Array(String)"
"""The type of a column that has a set of names."""


class Column(NamedTuple):
    """One column of `sessions`, and how it is made: from a folded session, and by ClickHouse from its trace groups.

    Both say the same; a property test holds them together.

    Attributes:
        name: of the column.
        type: its ClickHouse type.
        field: the attribute of a `SessionSum` that has the value.
        combined: an aggregate over rows of `session_traces`, as SQL. `sortable(time)` is a time as text that sorts as the time does.
        codec: how ClickHouse compresses it; `LZ4` for what lists read of every session.
    """

    name: str
    type: str
    field: str
    combined: str
    codec: str = "ZSTD(1)"

    def value(self, session: Any) -> Any:
        """The value of a `SessionSum`; a set in alphabetical order, as ClickHouse makes it."""
        value = getattr(session, self.field)
        return sorted(value) if isinstance(value, (set, frozenset)) else value


def union_of(column: str, most: int) -> str:
    """The values in the arrays of a column of `session_traces`, the first `most` of them in alphabetical order, as SQL."""
    return f"arraySlice(arraySort(groupUniqArrayArray({column})), 1, {most})"
