"""`join_answers`: log records that hold only what a model answered, joined to the calls that they are of."""

from __future__ import annotations

from typing import Final

from otel_sessions.conversation.chains import Chain
from otel_sessions.conversation.records import PROMPTS, Records
from otel_sessions.conversation.tellings import Place, Telling
from otel_sessions.counting.records import NEAR_NS
from otel_sessions.dialects.kinds import TOOL

_SAME, _UNNAMED, _OTHER = range(3)
"""How the turns, or the lanes, of two records agree."""

_FAR: Final = 1 << 62


def join_answers(records: Records, calls: dict[Place, Telling], used: set[Place]) -> None:
    """Complete calls without an answer by records near their end, each by one, those first that agree best.

    Args:
        records: the session.
        calls: by place; changed.
        used: the places whose content is told; those that were joined are added.
    """
    waiting = [place for place, one in calls.items() if not one.output and one.call is not None and not one.call.failed]
    answers = [
        place for place, chain in records.chains.items() if place not in used and _answers(records, place, chain)
    ]
    if not waiting or not answers:
        return
    by_second: dict[int, list[Place]] = {}
    for place in waiting:
        by_second.setdefault(calls[place].end // NEAR_NS, []).append(place)
    pairs: list[tuple[int, int, int, Place, Place]] = []
    for place in answers:
        time = records.chains[place].time
        near = time // NEAR_NS
        for call_place in (one for slot in (near - 1, near, near + 1) for one in by_second.get(slot, ())):
            call = calls[call_place]
            turns = _agree(records.turn(place), call.turn or None)
            distance = abs(call.end - time)
            if turns != _OTHER and distance <= NEAR_NS:
                lanes = _agree(records.lane(place), call.lane)
                pairs.append((lanes, turns, distance, place, call_place))
    taken: set[Place] = set()
    for _, _, _, place, call_place in sorted(pairs):
        if place not in used and call_place not in taken:
            used.add(place)
            taken.add(call_place)
            calls[call_place] = calls[call_place]._replace(output=records.chains[place].output, captured=True)


def _answers(records: Records, place: Place, chain: Chain) -> bool:
    """Return True for a log record that holds an answer alone."""
    if chain.input or not chain.output or b"a" not in chain.output.roles:
        return False
    member = records.members.get(place)
    if member is None:
        return bool(chain.parent) or chain.unit in records.cells
    return bool(member.facts.event) and member.facts.kind != TOOL and member.facts.event not in PROMPTS


def _agree(one: str | None, other: str | None) -> int:
    return _SAME if one == other else _UNNAMED if one is None or other is None else _OTHER
