"""`told_by_tools`: the runs of tools, each once, however many spans and log records tell of it."""

from __future__ import annotations

from otel_sessions.content.message import TOOL as TOOL_ROLE
from otel_sessions.conversation.chains import NO_LINKS, Chain, Link, Links
from otel_sessions.conversation.lines import Member
from otel_sessions.conversation.records import Records
from otel_sessions.conversation.tellings import NO_TURN, TOOL_RUN, Place, Telling
from otel_sessions.counting.records import NEAR_NS
from otel_sessions.dialects.kinds import TOOL


def told_by_tools(records: Records) -> list[Telling]:
    """What the runs of tools tell; those without content are among them."""
    tools = {place: one for place, one in records.members.items() if one.facts.kind == TOOL}
    same: dict[Place, Place] = {}
    for place, member in tools.items():
        parent = (member.unit, member.facts.parent_id or 0)
        if parent in tools:
            same[place] = parent
    same.update(_records_of_spans(tools, same))
    runs: dict[Place, list[Place]] = {}
    for place in tools:
        top, seen = place, {place}
        while top in same and same[top] not in seen:
            top = same[top]
            seen.add(top)
        runs.setdefault(top, []).append(place)
    return [_telling(records, place, sorted(copies)) for place, copies in runs.items()]


def _records_of_spans(tools: dict[Place, Member], same: dict[Place, Place]) -> dict[Place, Place]:
    """Log records of tools with the span of the same run: in its unit, near its end, one of each event."""
    spans: dict[int, list[Place]] = {}
    for place, member in tools.items():
        if not member.facts.event and place not in same:
            spans.setdefault(place[0], []).append(place)
    pairs = []
    for place, member in tools.items():
        if member.facts.event and place not in same:
            for span in spans.get(place[0], ()):
                distance = abs(tools[span].facts.end - member.facts.end)
                if distance <= NEAR_NS:
                    pairs.append((distance, place, span))
    found: dict[Place, Place] = {}
    taken: set[tuple[Place, str]] = set()
    for _, place, span in sorted(pairs):
        event = tools[place].facts.event
        if place not in found and (span, event) not in taken:
            found[place] = span
            taken.add((span, event))
    return found


def _telling(records: Records, place: Place, copies: list[Place]) -> Telling:
    member = records.members[place]
    chains = [records.chains[one] for one in (place, *copies) if one in records.chains]
    asked, said = _first(chains, "input"), _first(chains, "output")
    return Telling(
        TOOL_RUN,
        place[0],
        place[1],
        records.trace_id(place),
        member.facts.start,
        member.facts.end,
        member.lane,
        input=asked,
        output=said,
        is_new=True,
        role=TOOL_ROLE,
        captured=bool(said),
        turn=member.facts.turn or NO_TURN,
        in_cell=place[0] in records.cells,
    )


def _first(chains: list[Chain], side: str) -> Links:
    """What one side of the first chain holds that a tool may tell: that it was asked for, and what it answered."""
    role = "assistant" if side == "input" else TOOL_ROLE
    for chain in chains:
        links: list[Link] = [one for one in getattr(chain, side) if one.role == role]
        if links:
            return Links.of(links)
    return NO_LINKS
