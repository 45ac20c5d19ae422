"""`Records`: the members, calls and chains of a session, each found by its place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from otel_sessions.conversation.chains import Chain
from otel_sessions.conversation.lines import Member
from otel_sessions.conversation.tellings import Place
from otel_sessions.counting.calls import CACHE_HIT
from otel_sessions.counting.model_call import ModelCall
from otel_sessions.counting.units import unit_of
from otel_sessions.dialects.emitters import EMITTERS, OPENTELEMETRY, PROMPT
from otel_sessions.dialects.kinds import EMBEDDING, RERANK

PROMPTS: Final = frozenset(
    emitter.prefix + name
    for emitter in (*EMITTERS, OPENTELEMETRY)
    for name, event in emitter.events.items()
    if event.meaning == PROMPT
)
"""The events that tell what a user said."""

WORDLESS: Final = frozenset({EMBEDDING, RERANK})
"""The kinds of calls that are no part of a conversation."""


class Records:
    """What is known of a session, each record once.

    Attributes:
        members: by place.
        chains: by place.
        cells: the units that are cells.
        calls: by place, what answers: counted calls, and answers out of a cache that hold content.
        copies: by place, the call that an entry which is not counted tells of; `None` if that is not one call.
    """

    def __init__(self, members: Iterable[Member], calls: Iterable[ModelCall], chains: Iterable[Chain]) -> None:
        self.members = {(one.unit, one.facts.span_id): one for one in members}
        self.chains = {(one.unit, one.record): one for one in chains}
        self.cells = {unit for (unit, _), one in self.members.items() if one.facts.event and unit_of(one.facts) == unit}
        traces = {one.unit for one in self.members.values()} - self.cells
        in_cell = {record: unit for unit, record in (*self.chains, *self.members) if unit not in traces}
        listed = {
            (in_cell.get(one.span_id, 0) if one.trace_id is None else one.trace_id, one.span_id): one for one in calls
        }
        self.calls: dict[Place, ModelCall] = {}
        for place, call in listed.items():
            if not self._is_wordless(place) and (call.counted or (call.reason == CACHE_HIT and place in self.chains)):
                self.calls[place] = call
        self.copies = _copies({place: one for place, one in listed.items() if place not in self.calls}, self.calls)

    def _is_wordless(self, place: Place) -> bool:
        member = self.members.get(place)
        return member is not None and member.facts.kind in WORDLESS

    def turn(self, place: Place) -> str | None:
        """The turn that a record names."""
        member = self.members.get(place)
        return None if member is None else member.facts.turn

    def lane(self, place: Place) -> str | None:
        """The sub-agent that a record is of."""
        member = self.members.get(place)
        return None if member is None else member.lane

    def trace_id(self, place: Place) -> int | None:
        """The trace that a record is in."""
        return None if place[0] in self.cells else place[0]


def _copies(left_out: Mapping[Place, ModelCall], calls: Mapping[Place, ModelCall]) -> dict[Place, Place | None]:
    """By place, which call each entry that is not counted tells of."""
    by_id: dict[int, list[Place]] = {}
    for place in (*left_out, *calls):
        by_id.setdefault(place[1], []).append(place)
    found: dict[Place, Place | None] = {}
    for place in left_out:
        at: Place | None = place
        seen: set[Place] = set()
        while at is not None and at not in calls:
            seen.add(at)
            entry = left_out[at]
            others = [one for one in by_id.get(entry.counted_as or 0, ()) if one not in seen]
            at = min(others, key=lambda one: _distance(one, entry, left_out, calls), default=None)
        found[place] = at
    return found


def _distance(
    place: Place, entry: ModelCall, left_out: Mapping[Place, ModelCall], calls: Mapping[Place, ModelCall]
) -> tuple[bool, int, Place]:
    """How far an entry is from another one with the id that it names: ids of spans differ within a trace only."""
    other = calls[place] if place in calls else left_out[place]
    return other.trace_id != entry.trace_id, abs(other.start - entry.start), place
