"""`cell_of`: the unit that a log record without a trace is counted in: five minutes of its session.

What is counted together is a unit: a trace, or a cell. A cell is bounded in time, so that a session of any length costs no
more when it grows, and its id is computed from a record alone, so that neither order nor repetition changes it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import lru_cache
from hashlib import blake2b
from typing import Final, NamedTuple

from otel_sessions.attributes import ID_KEY
from otel_sessions.counting.facts import SpanFacts
from otel_sessions.counting.membership import Pair

CELL_NS: Final = 300 * 1_000_000_000
REACH_NS: Final = CELL_NS
"""How far apart a span and a record of one call may end, where an id tells that they are the same."""


class Cell(NamedTuple):
    """Five minutes of a session.

    Attributes:
        session: its key and id.
        number: which five minutes they are, counted from the beginning of 1970 UTC.
    """

    session: Pair
    number: int

    @classmethod
    def at(cls, session: Pair, moment: int) -> Cell:
        """The cell of a session that a moment is in."""
        return cls(session, moment // CELL_NS)

    @property
    def unit(self) -> int:
        """Its id, as wide as a trace id."""
        return _unit(self.session, self.number)

    @property
    def start(self) -> int:
        """Nanoseconds UTC."""
        return self.number * CELL_NS

    @property
    def end(self) -> int:
        """Nanoseconds UTC, where the next one begins."""
        return self.start + CELL_NS

    def beside(self, distance: int) -> Cell:
        """The cell of the same session this number of cells later."""
        return Cell(self.session, self.number + distance)


@lru_cache(maxsize=4_096)
def _unit(session: Pair, number: int) -> int:
    name = "\0".join((str(number), *session)).encode(errors="surrogatepass")
    return int.from_bytes(blake2b(name, digest_size=16, person=b"otel-sessions").digest()) or 1


def cell_of(record: SpanFacts) -> Cell | None:
    """The cell of a log record, by its session of the key `id` if it names one; `None` if it names no session."""
    session = min(record.values, key=lambda pair: (pair[0] != ID_KEY, pair), default=None)
    return None if session is None else Cell.at(session, record.end)


def unit_of(record: SpanFacts) -> int:
    """The unit of a log record that names no trace; 0 if it names no session either."""
    cell = cell_of(record)
    return 0 if cell is None else cell.unit


def as_cell(unit: int, facts: Collection[SpanFacts]) -> Cell | None:
    """The cell that a unit is; `None` if it is a trace."""
    for first in facts:
        cell = cell_of(first) if first.event else None
        return cell if cell is not None and cell.unit == unit else None
    return None


def cells_near(session: Pair, facts: Iterable[SpanFacts]) -> set[Cell]:
    """The cells of a session in which records of these calls may be."""
    numbers: set[int] = set()
    for span in facts:
        numbers.update(range((span.end - REACH_NS) // CELL_NS, (span.end + REACH_NS) // CELL_NS + 1))
        numbers.add(span.start // CELL_NS)
    return {Cell(session, number) for number in numbers if number >= 0}
