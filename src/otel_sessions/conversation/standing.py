"""`call_tellings`: what each call says, from its own record or from one that tells of the same call."""

from __future__ import annotations

from collections.abc import Iterable

from otel_sessions.content.message import ASSISTANT
from otel_sessions.conversation.chains import NO_LINKS, Chain, Links
from otel_sessions.conversation.records import PROMPTS, Records
from otel_sessions.conversation.tellings import CALL, NO_TURN, Place, Telling
from otel_sessions.counting.model_call import ModelCall
from otel_sessions.dialects.kinds import CALLS, TOOL


def call_tellings(records: Records, used: set[Place]) -> dict[Place, Telling]:
    """By place, what each call says; calls without content are among them.

    Args:
        records: the session.
        used: the places whose content is told; those that tell of calls are added.
    """
    copies: dict[Place, list[Chain]] = {}
    for place, call in records.copies.items():
        if call is not None:
            used.add(place)
            if place in records.chains:
                copies.setdefault(call, []).append(records.chains[place])
    inside: dict[Place, list[Chain]] = {}
    for place, chain in records.chains.items():
        around = _around(records, place, chain)
        if around is not None:
            used.add(place)
            inside.setdefault(around, []).append(chain)
    found: dict[Place, Telling] = {}
    for place, call_ in records.calls.items():
        own = records.chains.get(place)
        used.add(place)
        told = [
            *([] if own is None else [own]),
            *sorted(copies.get(place, ()), key=_order),
            *_joined(inside.get(place, [])),
        ]
        found[place] = _telling(records, place, call_, told)
    return found


def _around(records: Records, place: Place, chain: Chain) -> Place | None:
    """The call in whose span a record was written that is no call, tool or prompt itself."""
    if not chain.parent or place in records.calls or place in records.copies:
        return None
    member = records.members.get(place)
    if member is not None and (member.facts.kind == TOOL or member.facts.event in PROMPTS):
        return None
    parent = (chain.unit, chain.parent)
    call = parent if parent in records.calls else records.copies.get(parent)
    around = records.members.get(parent)
    # What is written inside a sum of calls is of any of them.
    return call if around is None or around.facts.kind in CALLS else None


def _joined(chains: list[Chain]) -> Iterable[Chain]:
    """What records tell that hold a message each, as one chain."""
    if not chains:
        return ()
    chains = sorted(chains, key=_order)
    return (
        chains[0]._replace(
            input=_concatenated([one.input for one in chains]),
            output=_concatenated([one.output for one in chains]),
            is_new=all(one.is_new for one in chains if one.input),
            compacted=any(one.compacted for one in chains),
        ),
    )


def _concatenated(links: Iterable[Links]) -> Links:
    given = list(links)
    return Links(
        b"".join([one.digests for one in given]),
        b"".join([one.likenesses for one in given]),
        b"".join([one.roles for one in given]),
    )


def _order(chain: Chain) -> tuple[bool, int, bool, bool, int, int]:
    """Spans before log records, then the order of time; of one time, system instructions, then other input, then output."""
    leads = chain.input.roles.startswith(b"s")
    return bool(chain.parent), chain.time, not chain.input, not leads, chain.unit, chain.record


def _telling(records: Records, place: Place, call: ModelCall, told: list[Chain]) -> Telling:
    given = next((one for one in told if one.input), None)
    answered = next((one for one in told if one.output), None)
    return Telling(
        CALL,
        place[0],
        place[1],
        call.trace_id,
        call.start,
        call.start + round(call.duration_ms * 1e6),
        call.lane,
        input=NO_LINKS if given is None else given.input,
        output=NO_LINKS if answered is None else answered.output,
        is_new=given is not None and given.is_new,
        compacted=any(one.compacted for one in told),
        call=call,
        role=ASSISTANT,
        captured=bool(answered is not None or (given is not None and call.failed)),
        turn=records.turn(place) or NO_TURN,
        in_cell=call.trace_id is None,
    )
