"""`lanes_of`: the agent or sub-agent that made each call; the main one has no name.

Some emitters name an agent on its calls only where it is a sub-agent; others name every agent, on a span around its
calls. So an agent whose span has no other agent's above it is the main one, and so is one that is named as its service is.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from otel_sessions.counting.calls import DUPLICATE, Skipped
from otel_sessions.counting.facts import SpanFacts
from otel_sessions.dialects.kinds import AGENT

_Agents = tuple[str | None, str | None]
"""The nearest and the topmost agent of some spans."""


def lanes_of(
    call_ids: Collection[int],
    spans: Mapping[int, SpanFacts],
    skipped: Mapping[int, Skipped],
    naming: Collection[SpanFacts],
) -> dict[int, str]:
    """The lane of each call that is not in the main one.

    Args:
        call_ids: the counted calls.
        spans: all spans and records of the unit.
        skipped: what is not counted; copies of a call name its agent too.
        naming: those that name an agent, also records of other units that tell of the same calls.
    """
    if not skipped and _is_one_agent(naming, call_ids):
        return {}
    named = {span.span_id: span.agent for span in naming}
    copies: dict[int, list[int]] = {}
    for span_id, one in skipped.items():
        if one.reason == DUPLICATE and one.by is not None:
            copies.setdefault(one.by, []).append(span_id)
    agents: dict[int, _Agents] = {}
    found: dict[int, str] = {}
    for call_id in call_ids:
        lane = named.get(call_id)
        for copy in sorted(copies.get(call_id, ())):
            lane = lane if lane is not None else named.get(copy)
        nearest, main = _agents_above(spans[call_id].parent_id, spans, agents)
        lane = lane if lane is not None else nearest
        if lane is not None and lane not in (main, spans[call_id].labels.service):
            found[call_id] = lane
    return found


def _is_one_agent(naming: Collection[SpanFacts], calls: Collection[int]) -> bool:
    """Return True if one agent is named, and only around calls: it is the main one."""
    first: str | None = None
    for span in naming:
        if span.kind != AGENT or span.span_id in calls or (first is not None and span.agent != first):
            return False
        first = span.agent
    return True


def _agents_above(span_id: int | None, spans: Mapping[int, SpanFacts], known: dict[int, _Agents]) -> _Agents:
    """The nearest and the topmost agent of the spans from here up."""
    path: list[SpanFacts] = []
    while span_id is not None and span_id not in known and span_id in spans:
        path.append(spans[span_id])
        span_id = spans[span_id].parent_id
    nearest, main = known.get(span_id, (None, None)) if span_id is not None else (None, None)
    for span in reversed(path):
        if span.kind == AGENT and span.agent is not None:
            nearest, main = span.agent, main if main is not None else span.agent
        known[span.span_id] = (nearest, main)
    return nearest, main
