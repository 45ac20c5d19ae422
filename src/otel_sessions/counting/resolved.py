"""`resolve`: which spans and log records of one unit are counted as calls, by which sessions, and what they cost."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Final, NamedTuple

from otel_sessions.counting.cache_use import CacheUse, cache_use
from otel_sessions.counting.calls import DUPLICATE, Skipped, count_calls
from otel_sessions.counting.distinct_spans import distinct_spans
from otel_sessions.counting.facts import Call, SpanFacts
from otel_sessions.counting.lanes import lanes_of
from otel_sessions.counting.membership import Members, Pair, members_of
from otel_sessions.counting.prices.pricer import Cost, Pricer
from otel_sessions.counting.prices.rates import AT_LEAST
from otel_sessions.counting.records import with_records

_UNEXPLAINED: Final = AT_LEAST + "the total reported has more tokens than input and output)"


class Priced(NamedTuple):
    """A counted call, its cost, whether it failed, the sub-agent that made it, and what it did with the provider's cache."""

    call: Call
    cost: Cost | None
    failed: bool
    lane: str | None
    use: CacheUse | None


class Resolved(NamedTuple):
    """The spans and records of one unit, and which of them are counted as calls.

    Attributes:
        facts: spans and records by id, each once.
        members: their sessions.
        priced: the counted calls.
        skipped: what is not counted, and why; records of other units are among them.
        adopted: these records by id.
        beside: records of other units near it, of which these are some.
    """

    facts: Mapping[int, SpanFacts]
    members: Members
    priced: Mapping[int, Priced]
    skipped: Mapping[int, Skipped]
    adopted: Mapping[int, SpanFacts]
    beside: Collection[SpanFacts] = ()

    def calls_by_session(self) -> dict[Pair, dict[int, Priced]]:
        """The calls of each session; one that several spans report is in one session of each key."""
        sessions = self.members.sessions
        copies: dict[int, list[int]] = {}
        for span_id, one in self.skipped.items():
            if one.reason == DUPLICATE and one.by is not None and span_id in sessions:
                copies.setdefault(one.by, []).append(span_id)
        calls: dict[Pair, dict[int, Priced]] = {}
        for span_id, call in self.priced.items():
            pairs = self.members.charged(span_id, copies[span_id]) if span_id in copies else sessions[span_id]
            for pair in pairs:
                calls.setdefault(pair, {})[span_id] = call
        return calls

    def left_out(self, calls: Mapping[Pair, Mapping[int, Priced]]) -> dict[Pair, list[int]]:
        """What each session has that is not counted; `calls` are those of `calls_by_session`.

        A record of another unit is in the sessions of the call that it tells of.
        """
        found: dict[Pair, list[int]] = {}
        for span_id, one in self.skipped.items():
            if span_id in self.facts:
                for pair in self.members.sessions[span_id]:
                    found.setdefault(pair, []).append(span_id)
            else:
                for pair, charged in calls.items():
                    if one.by in charged:
                        found.setdefault(pair, []).append(span_id)
        return found


def resolve(
    spans: Iterable[SpanFacts],
    *,
    pricer: Pricer | None = None,
    cousins: bool = True,
    beside: Collection[SpanFacts] = (),
) -> Resolved | None:
    """The calls of a unit, counted and priced; `None` if no span is more than a placeholder. For arguments see `roll_up`."""
    by_id = distinct_spans(spans)
    if not by_id:
        return None
    members = members_of(by_id)
    adopted: Mapping[int, SpanFacts] = {}
    has_records = False
    agents: list[SpanFacts] = []
    for span in by_id.values():
        if span.event:
            has_records = True
        if span.agent is not None:
            agents.append(span)
    if beside or has_records:
        without = {span_id: span for span_id, span in by_id.items() if not span.event}
        counted = count_calls(without, cousins=cousins, members=members)
        counted, adopted = with_records(counted, by_id, members, beside)
    else:
        counted = count_calls(by_id, cousins=cousins, members=members)
    if adopted:
        agents += [span for span in adopted.values() if span.agent is not None]
    lanes = lanes_of(counted.calls, by_id, counted.skipped, agents) if agents else {}
    priced = {
        span_id: _priced(call, by_id[span_id], lanes.get(span_id), pricer) for span_id, call in counted.calls.items()
    }
    return Resolved(by_id, members, priced, counted.skipped, adopted, beside)


def _priced(call: Call, span: SpanFacts, lane: str | None, pricer: Pricer | None) -> Priced:
    cost = _cost(call, span, pricer)
    # A pricer that knows no cost of the call knows no price of its tokens.
    use = cache_use(call, span, lane, None if cost is None else pricer)
    return Priced(call, cost, span.failed, lane, use)


def _cost(call: Call, span: SpanFacts, pricer: Pricer | None) -> Cost | None:
    if call.reported is not None:
        return call.reported
    if pricer is None or call.usage is None:
        return None
    for model in (call.model, call.request_model):
        if model is not None:
            cost = pricer.price(
                provider=call.provider, model=model, usage=call.usage, at=span.start, context=call.context
            )
            if cost is not None and call.usage.unexplained_tokens:
                return cost._replace(source=cost.source + _UNEXPLAINED)
            if cost is not None or call.request_model == model:
                return cost
    return None
