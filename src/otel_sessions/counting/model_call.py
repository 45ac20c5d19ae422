"""`ModelCall`: one entry of the list that a session's totals are made of, and `list_calls`, which makes the list."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

from otel_sessions.counting.cache_bill import UNKNOWN, Judged, judged_calls
from otel_sessions.counting.cache_use import CacheUse
from otel_sessions.counting.calls import DUPLICATE, REPEATED
from otel_sessions.counting.facts import Call, SpanFacts
from otel_sessions.counting.membership import Pair
from otel_sessions.counting.prices.pricer import Cost
from otel_sessions.counting.prices.rates import is_doubtful
from otel_sessions.counting.resolved import Resolved
from otel_sessions.counting.tokens import Usage
from otel_sessions.money import shown_money, without_trailing_zeros
from otel_sessions.timestamps import format_time

_COPIES: Final = frozenset({DUPLICATE, REPEATED})

NOTHING_JUDGED: Final[Mapping[CacheUse, Judged]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class ModelCall:
    """One model call of a session, or something that reports usage and is not counted, with the reason.

    The tokens and costs of all entries with `counted` add up to those of the session, and their number is its `call_count`.

    Attributes:
        trace_id: the trace as an integer; `None` for a log record in no trace.
        span_id: the span as an integer; for a log record, a number computed of what it says.
        start: when the request was sent, nanoseconds UTC.
        duration_ms: until the answer was complete; 0 for a log record that does not tell.
        time_to_first_token_ms: until the answer began.
        provider: the provider of the model.
        model: the model that answered, else the one that was asked for.
        lane: the sub-agent that made the call; `None` for the main agent.
        operation: the name of the span or of the event.
        counted: it is a part of the session's totals.
        reason: why it is not counted: `covered_by_children`, `part_of_call`, `duplicate` or `cache_hit`.
        counted_as: the id of the span or record that is counted instead, if there is exactly one.
        evidence: what tells of the call: `span`, `log`.
        input_tokens: includes cache reads and writes; `None` if it is not reported, as all token counts.
        output_tokens: includes reasoning.
        cache_read_tokens: input tokens that were read from a cache.
        cache_write_tokens: input tokens that were written to a cache.
        reasoning_tokens: output tokens spent on reasoning.
        total_tokens: input and output tokens.
        input_cost: USD; `None` if it is not known, as all costs, and if the call is not counted.
        output_cost: USD.
        total_cost: USD.
        cost_source: where the cost comes from: a price list, or the attribute that reports it.
        cost_exact: false if the cost is not known, or only a lower bound.
        cost_note: why it is not exact.
        failed: the call failed.
        cache: whether its prompt was in the provider's cache: `hit`, `expired`, `prefix_changed`, `cold` or `unknown`; `None` for what is
            not counted.
        rebuilt_tokens: what had been cached before and was written again.
        rebuilt_cost: USD that this cost more than to read it.

    Example:
        >>> from opentelemetry.sdk.trace import TracerProvider
        >>> from opentelemetry.sdk.trace.export import SimpleSpanProcessor
        >>> from otel_sessions import SessionExporter
        >>> exporter, provider = SessionExporter(), TracerProvider()
        >>> provider.add_span_processor(SimpleSpanProcessor(exporter))
        >>> call = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o", "gen_ai.usage.input_tokens": 12}
        >>> provider.get_tracer("app").start_span("chat", attributes={"session.id": "ticket-2611", **call}).end()
        >>> [(one.model, one.input_tokens, one.counted) for one in exporter.calls("ticket-2611")]
        [('gpt-4o', 12, True)]
    """

    trace_id: int | None
    span_id: int
    start: int
    duration_ms: float
    time_to_first_token_ms: float | None
    provider: str | None
    model: str | None
    lane: str | None
    operation: str
    counted: bool
    reason: str | None
    counted_as: int | None
    evidence: tuple[str, ...]
    input_tokens: int | None
    output_tokens: int | None
    cache_read_tokens: int | None
    cache_write_tokens: int | None
    reasoning_tokens: int | None
    total_tokens: int | None
    input_cost: Decimal | None
    output_cost: Decimal | None
    total_cost: Decimal | None
    cost_source: str | None
    cost_exact: bool
    cost_note: str | None
    failed: bool
    cache: str | None = None
    rebuilt_tokens: int | None = None
    rebuilt_cost: Decimal | None = None

    def to_dict(self) -> dict[str, Any]:
        """The same as JSON carries it: ids in hexadecimal, times RFC 3339 UTC, money as decimal strings."""
        shown = {name: getattr(self, name) for name in self.__dataclass_fields__}
        shown["trace_id"] = None if self.trace_id is None else f"{self.trace_id:032x}"
        shown["span_id"] = f"{self.span_id:016x}"
        shown["counted_as"] = None if self.counted_as is None else f"{self.counted_as:016x}"
        shown["start"] = format_time(self.start)
        shown["evidence"] = list(self.evidence)
        for name in ("input_cost", "output_cost", "total_cost", "rebuilt_cost"):
            shown[name] = shown_money(getattr(self, name))
        return shown


def judge(uses: Iterable[CacheUse]) -> dict[CacheUse, Judged]:
    """What each call of a session did with the cache of its provider, for `list_calls`."""
    return {one.use: one for one in judged_calls(uses)}


def listed_ids(resolved: Resolved, session: Pair) -> list[int]:
    """The ids of what `list_calls` lists, in its order."""
    by_session = resolved.calls_by_session()
    ids = [*by_session.get(session, ()), *resolved.left_out(by_session).get(session, ())]
    facts = {**resolved.facts, **resolved.adopted}
    return sorted(ids, key=lambda span_id: (facts[span_id].start, span_id))


def list_calls(
    unit: int,
    resolved: Resolved,
    session: Pair,
    judged: Mapping[CacheUse, Judged] = NOTHING_JUDGED,
    *,
    is_cell: bool = False,
    only: Collection[int] | None = None,
) -> list[ModelCall]:
    """What a unit adds to a session, and what in it reports usage and is not counted, in the order of the start.

    Args:
        unit: the id of the trace or cell.
        resolved: its calls.
        session: key and value.
        judged: what the calls of the session did with the caches of providers.
        is_cell: it has log records only, which are in no trace.
        only: the ids of the entries to make; by default all.
    """
    by_session = resolved.calls_by_session()
    trace_id = None if is_cell else unit
    copies: dict[int, list[int]] = {}
    for span_id, one in resolved.skipped.items():
        if one.reason in _COPIES and one.by is not None:
            copies.setdefault(one.by, []).append(span_id)
    facts = {**resolved.facts, **resolved.adopted}
    listed = []
    for span_id, priced in by_session.get(session, {}).items():
        if only is not None and span_id not in only:
            continue
        told = [facts[id_] for id_ in (span_id, *copies.get(span_id, ())) if id_ in facts]
        entry = _entry(
            trace_id, facts[span_id], priced.call, priced.cost, priced.lane, _evidence(told), failed=priced.failed
        )
        known = None if priced.use is None else judged.get(priced.use)
        if known is None:
            listed.append(replace(entry, cache=UNKNOWN))
        else:
            cost = without_trailing_zeros(known.rebuilt_cost)
            listed.append(replace(entry, cache=known.label, rebuilt_tokens=known.rebuilt_tokens, rebuilt_cost=cost))
    for span_id in resolved.left_out(by_session).get(session, ()):
        if only is not None and span_id not in only:
            continue
        span, one = facts[span_id], resolved.skipped[span_id]
        in_trace = None if span_id in resolved.adopted else trace_id
        entry = _entry(in_trace, span, span.call or Call(), None, span.agent, _evidence([span]), failed=span.failed)
        listed.append(
            replace(entry, counted=False, reason=one.reason, counted_as=one.by, cost_exact=True, cost_note=None)
        )
    return sorted(listed, key=lambda entry: (entry.start, entry.span_id))


def _entry(
    trace_id: int | None,
    span: SpanFacts,
    call: Call,
    cost: Cost | None,
    lane: str | None,
    evidence: tuple[str, ...],
    *,
    failed: bool,
) -> ModelCall:
    usage = call.usage or Usage()
    note = _note(call, cost, failed=failed)
    first = call.time_to_first_token
    return ModelCall(
        trace_id=trace_id,
        span_id=span.span_id,
        start=span.start,
        duration_ms=(span.end - span.start) / 1e6,
        time_to_first_token_ms=None if first is None else first / 1e6,
        provider=call.provider,
        model=call.model or call.request_model,
        lane=lane,
        operation=span.name,
        counted=True,
        reason=None,
        counted_as=None,
        evidence=evidence,
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cache_read_tokens=usage.cache_read_tokens,
        cache_write_tokens=usage.cache_write_tokens,
        reasoning_tokens=usage.reasoning_tokens,
        total_tokens=usage.total_tokens,
        input_cost=None if cost is None else without_trailing_zeros(cost.input),
        output_cost=None if cost is None else without_trailing_zeros(cost.output),
        total_cost=None if cost is None else without_trailing_zeros(cost.total),
        cost_source=None if cost is None else cost.source,
        cost_exact=note is None,
        cost_note=note,
        failed=failed,
    )


def _evidence(told: list[SpanFacts]) -> tuple[str, ...]:
    kinds = {"log" if one.event else "span" for one in told}
    return tuple(kind for kind in ("span", "log") if kind in kinds)


def _note(call: Call, cost: Cost | None, *, failed: bool) -> str | None:
    """Why a cost is not exact; `None` if it is."""
    if cost is not None:
        return cost.source if is_doubtful(cost.source) else None
    if call.usage is None or not call.usage.total_tokens:
        return None if failed else "no tokens are reported"
    model = call.model or call.request_model
    return "no model is named" if model is None else f"no price is known for {model}"
