"""`join_sides`: log records that hold only what a model was given, or only what it answered, joined to the calls that they are of."""

from __future__ import annotations

from otel_sessions.conversation.records import PROMPTS, Records
from otel_sessions.conversation.tellings import Place, Telling
from otel_sessions.counting.records import NEAR_NS
from otel_sessions.dialects.kinds import AGENT, TOOL

_SAME, _UNNAMED, _OTHER = range(3)
"""How the turns, or the lanes, of two records agree."""


def join_sides(records: Records, calls: dict[Place, Telling], used: set[Place]) -> None:
    """Complete calls by records near their start or their end, each side by one, those first that agree best.

    Args:
        records: the session.
        calls: by place; changed.
        used: the places whose content is told; those that were joined are added.
    """
    requests, answers = [], []
    for place, chain in records.chains.items():
        if place not in used and _is_of_a_call(records, place):
            if chain.input and not chain.output and not chain.is_new:
                requests.append(place)
            elif chain.output and not chain.input and b"a" in chain.output.roles:
                answers.append(place)
    waiting = [place for place, one in calls.items() if not one.input]
    for place, call in _nearest(records, calls, requests, waiting, at_end=False):
        used.add(place)
        chain = records.chains[place]
        one = calls[call]
        captured = one.captured or (one.call is not None and one.call.failed)
        calls[call] = one._replace(input=chain.input, compacted=chain.compacted, captured=captured)
    waiting = [place for place, one in calls.items() if not one.output and one.call is not None and not one.call.failed]
    for place, call in _nearest(records, calls, answers, waiting, at_end=True):
        used.add(place)
        calls[call] = calls[call]._replace(output=records.chains[place].output, captured=True)


def _is_of_a_call(records: Records, place: Place) -> bool:
    """Return True for a log record that is neither a prompt nor of a tool or an agent."""
    if place in records.copies:
        return False
    member = records.members.get(place)
    if member is None:
        return place[0] in records.cells
    return bool(member.facts.event) and member.facts.kind not in (TOOL, AGENT) and member.facts.event not in PROMPTS


def _nearest(
    records: Records, calls: dict[Place, Telling], told: list[Place], waiting: list[Place], *, at_end: bool
) -> list[tuple[Place, Place]]:
    """Records with the calls that they are of."""
    slots: dict[int, list[Place]] = {}
    for place in waiting if told else ():
        slots.setdefault(_moment(calls[place], at_end=at_end) // NEAR_NS, []).append(place)
    pairs: list[tuple[int, int, int, Place, Place]] = []
    for place in told:
        time = records.chains[place].time
        near = time // NEAR_NS
        for call_place in (one for slot in (near - 1, near, near + 1) for one in slots.get(slot, ())):
            call = calls[call_place]
            turns = _agree(records.turn(place), call.turn or None)
            distance = abs(_moment(call, at_end=at_end) - time)
            if turns != _OTHER and distance <= NEAR_NS:
                pairs.append((_agree(records.lane(place), call.lane), turns, distance, place, call_place))
    found: list[tuple[Place, Place]] = []
    taken: set[Place] = set()
    joined: set[Place] = set()
    for _, _, _, place, call_place in sorted(pairs):
        if place not in joined and call_place not in taken:
            joined.add(place)
            taken.add(call_place)
            found.append((place, call_place))
    return found


def _moment(call: Telling, *, at_end: bool) -> int:
    return call.end if at_end else call.start


def _agree(one: str | None, other: str | None) -> int:
    return _SAME if one == other else _UNNAMED if one is None or other is None else _OTHER
