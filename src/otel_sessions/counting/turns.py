"""`turns_of`: the turns that log records tell of, and whether each failed, in a form that can be added up in any order."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import lru_cache
from hashlib import blake2b
from typing import Final

from otel_sessions.counting.facts import SpanFacts
from otel_sessions.counting.resolved import Priced
from otel_sessions.counting.time_spent import busy

UNNAMED: Final = 0
"""Stands for the turn of calls whose records name none."""

_LATEST: Final = (1 << 63) - 1


def turns_of(
    facts: Mapping[int, SpanFacts], priced: Mapping[int, Priced], told: Collection[str] = ()
) -> dict[int, int]:
    """By turn, as a number of 64 bits, its state: twice the end of its last call, and one more if that call failed.

    Those that are `told` by a trace are left out. A turn failed if its last call did; of two states of a turn, the greater one is the later one.
    """
    turns = {
        _number(record.turn): 0 for record in facts.values() if record.turn is not None and record.turn not in told
    }
    for record_id, one in priced.items():
        record = facts[record_id]
        if record.turn in told:
            continue
        turn = UNNAMED if record.turn is None else _number(record.turn)
        turns[turn] = max(turns.get(turn, 0), min(record.end, _LATEST) << 1 | one.failed)
    return turns


def busy_of(facts: Mapping[int, SpanFacts]) -> tuple[tuple[int, int], ...]:
    """When the turns of a cell went on: from the first start to the last end of a record of each, without overlaps, in order.

    A record that names no turn is one of its own.
    """
    times: dict[object, tuple[int, int]] = {}
    for record_id, record in facts.items():
        turn: object = record_id if record.turn is None else record.turn
        start, end = times.get(turn, (record.start, record.end))
        times[turn] = (min(start, record.start), max(end, record.end))
    return tuple(busy(times.values()))


def add_turns(turns: dict[int, int], more: Mapping[int, int]) -> None:
    """Add states of turns to others."""
    for turn, state in more.items():
        turns[turn] = max(turns.get(turn, 0), state)


def failed_turns(turns: Mapping[int, int]) -> int:
    """The number of turns that failed."""
    return sum(state & 1 for state in turns.values())


@lru_cache(maxsize=4_096)
def _number(turn: str) -> int:
    return int.from_bytes(blake2b(turn.encode(errors="surrogatepass"), digest_size=8).digest()) or 1
