"""`excerpts`: the first words of a user and the last ones of a model, of a trace or a cell as seen from one session."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from otel_sessions.counting.facts import SpanFacts
from otel_sessions.counting.membership import Pair
from otel_sessions.counting.resolved import Resolved
from otel_sessions.dialects.kinds import AGENT, CALLS, LLM, TOOL

_COUNTED, _NOT_COUNTED, _NO_CALL, _ASIDE = range(4)
"""Whose words count: those of the calls of the main agent, counted ones first; then those of spans and records around them; then
those of sub-agents."""


Excerpt = tuple[int, str, bool]
"""When words were said, the words, at most 300 characters, and whether a sub-agent has them: those of the main agent come first.

The time is the start of what has the first words, and the end of what has the last ones, nanoseconds UTC.
"""


def first_of(one: Excerpt | None, other: Excerpt | None) -> Excerpt | None:
    """Which of two is the first input of both together; their order does not matter."""
    if one is None or other is None:
        return one or other
    return min(one, other, key=lambda excerpt: (excerpt[2], excerpt))


def last_of(one: Excerpt | None, other: Excerpt | None) -> Excerpt | None:
    """Which of two is the last output of both together; their order does not matter."""
    if one is None or other is None:
        return one or other
    return max(one, other, key=lambda excerpt: (not excerpt[2], excerpt))


def excerpts(
    telling: Iterable[SpanFacts], spans: Mapping[int, SpanFacts], resolved: Resolved, session: Pair | None
) -> tuple[Excerpt | None, Excerpt | None]:
    """The first input and the last output of a trace group.

    Args:
        telling: those of its spans and records that have words.
        spans: all of them.
        resolved: the calls of the unit, and the records beside it, of which those of the session belong to the group.
        session: the session; `None` for all of the unit.
    """
    beside = (one for one in resolved.beside if one.said is not None and (session is None or session in one.values))
    first: dict[int, Excerpt] = {}
    last: dict[int, Excerpt] = {}
    own_inputs = {span.span_id for span in telling if span.said is not None and span.said.input is not None}
    own_outputs = {span.span_id for span in telling if span.said is not None and span.said.output is not None}
    for span, place, by in _placed((*telling, *beside), spans, resolved):
        assert span.said is not None
        input_, output = span.said
        aside = place == _ASIDE
        # A copy of a call speaks for it where the call itself has no words.
        if input_ is not None and (by is None or by.span_id not in own_inputs):
            at = span.start if by is None else by.start
            first[place] = _least(first.get(place), (at, input_, aside))
        if output is not None and (by is None or by.span_id not in own_outputs):
            at = span.end if by is None else by.end
            last[place] = _greatest(last.get(place), (at, output, aside))
    return (first[min(first)] if first else None, last[min(last)] if last else None)


def _least(known: Excerpt | None, one: Excerpt) -> Excerpt:
    return one if known is None else min(known, one)


def _greatest(known: Excerpt | None, one: Excerpt) -> Excerpt:
    return one if known is None else max(known, one)


def _placed(
    telling: Iterable[SpanFacts], spans: Mapping[int, SpanFacts], resolved: Resolved
) -> Iterator[tuple[SpanFacts, int, SpanFacts | None]]:
    """Each with the place of its words, and the counted call that it is a copy of."""
    for span in telling:
        call = resolved.priced.get(span.span_id)
        if call is not None:
            is_main = call.lane is None and span.kind == LLM
            yield span, _COUNTED if is_main else _ASIDE, None
            continue
        skipped = resolved.skipped.get(span.span_id)
        by = None if skipped is None or skipped.by is None else resolved.facts.get(skipped.by)
        counted = None if by is None else resolved.priced.get(by.span_id)
        if counted is not None:
            yield span, _COUNTED if counted.lane is None else _ASIDE, by
        elif span.kind in CALLS:
            yield span, _NOT_COUNTED if span.kind == LLM and not _is_aside(span, spans) else _ASIDE, None
        else:
            yield span, _ASIDE if span.kind == TOOL or _is_aside(span, spans) else _NO_CALL, None


def _is_aside(span: SpanFacts, spans: Mapping[int, SpanFacts]) -> bool:
    """Whether its agent, by its own word or by the nearest agent around it, is not the one around all."""
    own, topmost = span.agent, None
    seen: set[int] = set()
    parent_id = span.parent_id
    while parent_id is not None and parent_id in spans and parent_id not in seen:
        seen.add(parent_id)
        above = spans[parent_id]
        if above.kind == AGENT and above.agent is not None:
            topmost = above.agent
            own = topmost if own is None else own
        parent_id = above.parent_id
    if own is None or own in (topmost, span.labels.service):
        return False
    # A span names the main agent as well; a record only a sub-agent.
    return bool(span.event) or topmost is not None
