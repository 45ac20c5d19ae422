"""Traces for tests, tersely: spans as trees of what their instrumentation writes, or as facts directly."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from otel_sessions.counting.facts import SpanFacts
from otel_sessions.counting.prices.pricer import Cost
from otel_sessions.counting.reading import span_facts
from otel_sessions.counting.tokens import Usage
from otel_sessions.counting.totals import Totals
from otel_sessions.counting.trace import TraceGroup, TraceRollup, roll_up
from otel_sessions.money import EXACT

MS = 1_000_000
AT = 1_795_000_000_000_000_000
"""When traces start that do not say: a moment in November 2026."""

TRACE = 0xABC


@dataclass(frozen=True)
class Told:
    """One span as its instrumentation tells it, with the spans below it; `at` is (start, end) in ms."""

    scope: str
    attributes: Mapping[str, Any]
    below: tuple[Told, ...] = ()
    name: str = ""
    failed: bool = False
    at: tuple[int, int] | None = None


def told(
    scope: str,
    attributes: Mapping[str, Any] | None = None,
    *below: Told,
    name: str = "",
    failed: bool = False,
    at: tuple[int, int] | None = None,
) -> Told:
    """A span and what is below it."""
    return Told(scope, attributes or {}, below, name, failed, at)


def spans_of(*roots: Told) -> list[SpanFacts]:
    """The facts of these trees: ids from 1 in the order of writing, children one after the other inside a parent."""
    facts: list[SpanFacts] = []
    _place(roots, None, 0, facts)
    return facts


def _place(siblings: Iterable[Told], parent_id: int | None, start: int, facts: list[SpanFacts]) -> int:
    """Append the siblings from `start` (ms) on; the time after the last."""
    for one in siblings:
        span_id = len(facts) + 1
        start = start if one.at is None else one.at[0]
        facts.append(fact(span_id))
        end = max(_place(one.below, span_id, start + 1, facts), start + 100) if one.at is None else one.at[1]
        if one.at is not None:
            _place(one.below, span_id, start + 1, facts)
        facts[span_id - 1] = span_facts(
            one.attributes,
            span_id=span_id,
            parent_id=parent_id,
            start=AT + start * MS,
            end=AT + end * MS,
            failed=one.failed,
            scope=one.scope,
            name=one.name,
        )
        start = end + 100
    return start - 99


def fact(span_id: int, parent_id: int | None = None, **more: Any) -> SpanFacts:
    """The facts of a plain span."""
    given: dict[str, Any] = {"start": AT, "end": AT + 100 * MS, "failed": False, "kind": "other", "scope": "app"}
    return SpanFacts(span_id, parent_id, **{**given, "name": f"span {span_id}", **more})


def in_session(value: str) -> dict[str, Any]:
    """The fields that make a plain span a member of a session."""
    return {"values": (("id", value),)}


def read(attributes: Mapping[str, Any], scope: str = "app", **more: Any) -> SpanFacts:
    """The facts of one span with these attributes."""
    given: dict[str, Any] = {"span_id": 1, "parent_id": None, "start": AT, "end": AT + MS, "failed": False, "name": "n"}
    return span_facts(attributes, scope=scope, **{**given, **more})


def rolled_up(*roots: Told, pricer: PerToken | None = None, cousins: bool = True) -> TraceRollup:
    """The rollup of one trace."""
    rollup = roll_up(TRACE, spans_of(*roots), pricer=pricer, cousins=cousins)
    assert rollup is not None
    return rollup


def totals(group: TraceGroup) -> Totals:
    """All models of a group together."""
    total = Totals()
    for model in group.models.values():
        total.add(model)
    return total


def tokens(*roots: Told, cousins: bool = True) -> tuple[int | None, int | None, int]:
    """Input tokens, output tokens and number of calls of one trace."""
    total = totals(rolled_up(*roots, cousins=cousins).whole)
    return total.input_tokens, total.output_tokens, total.call_count


class PerToken:
    """A pricer that knows every model but `unknown`: an input token costs 1 USD, an output token 2."""

    def price(
        self, *, provider: str | None, model: str, usage: Usage, at: int, context: tuple[tuple[str, str], ...] = ()
    ) -> Cost | None:
        """The cost of one call."""
        if model == "unknown":
            return None
        input_, output = Decimal(usage.input_tokens or 0), Decimal(2 * (usage.output_tokens or 0))
        return Cost(input_, output, EXACT.add(input_, output), "per token")
