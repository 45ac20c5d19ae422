"""`turns_of`: which turn each telling is of: what one message of a user set off.

A record that names a turn is of it. Else a trace is a turn, and in cells a prompt begins one. Turns are numbered as they begin.
"""

from __future__ import annotations

from collections.abc import Sequence

from otel_sessions.conversation.records import Records
from otel_sessions.conversation.tellings import NO_TURN, PROMPT, Place, Telling


def turns_of(records: Records, tellings: Sequence[Telling]) -> dict[tuple[Place, int], int]:
    """By place and kind, the number of the turn of each telling; they come in the order of time."""
    named: dict[int, set[str]] = {}
    for (unit, _), member in records.members.items():
        if member.facts.turn is not None:
            named.setdefault(unit, set()).add(member.facts.turn)
    first: dict[int, str] = {}
    for one in tellings:
        if one.turn != NO_TURN and not one.in_cell:
            first.setdefault(one.unit, one.turn)
    latest: dict[int, object] = {}
    in_cells: object = None
    numbers: dict[object, int] = {}
    found: dict[tuple[Place, int], int] = {}
    for one in tellings:
        key: object
        if one.turn != NO_TURN:
            key = one.turn
        elif one.in_cell:
            key = (one.unit, one.record) if one.kind == PROMPT or in_cells is None else in_cells
        elif len(named.get(one.unit, ())) == 1:
            (key,) = named[one.unit]
        else:
            key = latest.get(one.unit, first.get(one.unit, one.unit))
        if one.in_cell:
            in_cells = key
        else:
            latest[one.unit] = key
        found[(one.unit, one.record), one.kind] = numbers.setdefault(key, len(numbers))
    return found
