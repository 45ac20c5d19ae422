"""`told_beside`: prompts and answers that log records tell by themselves, beside the calls."""

from __future__ import annotations

from otel_sessions.content.message import ASSISTANT, USER
from otel_sessions.conversation.chains import NO_LINKS, Chain, Links
from otel_sessions.conversation.records import PROMPTS, Records
from otel_sessions.conversation.tellings import ANSWER, NO_TURN, PROMPT, Place, Telling
from otel_sessions.dialects.kinds import TOOL


def told_beside(records: Records, used: set[Place]) -> list[Telling]:
    """The prompts and answers of log records, also prompts whose words are not known.

    Args:
        records: the session.
        used: the places whose content is told elsewhere.
    """
    found = []
    for place, chain in records.chains.items():
        member = records.members.get(place)
        if (
            place in used
            or place in records.copies
            or (member is not None and (not member.facts.event or member.facts.kind == TOOL))
        ):
            continue
        if chain.input:
            found.append(_telling(records, place, chain, PROMPT, chain.input))
        if chain.output:
            found.append(_telling(records, place, chain, ANSWER, chain.output))
    for place, member in records.members.items():
        if member.facts.event in PROMPTS and place not in records.chains:
            found.append(_telling(records, place, None, PROMPT, NO_LINKS))
    return found


def _telling(records: Records, place: Place, chain: Chain | None, kind: int, said: Links) -> Telling:
    member = records.members.get(place)
    if member is not None:
        start, end = member.facts.start, member.facts.end
    else:
        assert chain is not None
        start = end = chain.time
    return Telling(
        kind,
        place[0],
        place[1],
        records.trace_id(place),
        start,
        end,
        records.lane(place),
        input=said,
        is_new=chain is None or chain.is_new or kind == ANSWER,
        compacted=chain is not None and chain.compacted,
        role=None if said else USER if kind == PROMPT else ASSISTANT,
        captured=bool(said),
        turn=records.turn(place) or NO_TURN,
        in_cell=place[0] in records.cells,
        is_beside=True,
    )
