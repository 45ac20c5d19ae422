"""`roll_up`: from the spans of one trace to what each session gets of it. A pure function of the set of spans."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple

from otel_sessions.counting.calls import DUPLICATE, Skipped, count_calls
from otel_sessions.counting.facts import Call, Labels, SpanFacts
from otel_sessions.counting.membership import Members, Pair, members_of
from otel_sessions.counting.metadata import Dated, later
from otel_sessions.counting.model_names import Model
from otel_sessions.counting.prices.pricer import Cost, Pricer
from otel_sessions.counting.prices.rates import AT_LEAST
from otel_sessions.counting.residuals import residuals
from otel_sessions.counting.shared_sets import only, present
from otel_sessions.counting.totals import Totals
from otel_sessions.dialects.kinds import PENDING

_UNEXPLAINED = AT_LEAST + "the total reported has more tokens than input and output)"


class TraceGroup(NamedTuple):
    """One trace as seen from one session: the spans of it that belong there. Times in nanoseconds UTC.

    Attributes:
        key: the session key, `id` by default; empty for the whole trace.
        value: its value.
        trace_id: the trace id as an integer.
        start: first start of these spans.
        end: last end of these spans.
        span_count: how many spans there are.
        failed: a top span, which has no parent in the group, or a span of kind CONSUMER has status ERROR.
        operations: the names of the top spans.
        models: the model calls, by (provider, model).
        services: names of services.
        environments: deployment environments.
        user_ids: ids of users.
        tags: all tags.
        name: the start of the last span that gave the session a name, and the name.
        metadata: by name, the start of the last span that gave a value, and the value.
        conflict: spans of the trace have another value of the same key.

    Example:
        >>> from opentelemetry.sdk.trace import TracerProvider
        >>> from opentelemetry.sdk.trace.export import SimpleSpanProcessor
        >>> from otel_sessions import SessionExporter
        >>> traces = []
        >>> exporter, provider = SessionExporter(on_trace=traces.append), TracerProvider()
        >>> provider.add_span_processor(SimpleSpanProcessor(exporter))
        >>> provider.get_tracer("app").start_span("answer", attributes={"session.id": "ticket-2611"}).end()
        >>> exporter.shutdown()  # a trace is reported when it was idle for a while, or at the end
        >>> (trace,) = traces
        >>> [(group.key, group.value, group.span_count) for group in trace.groups]
        [('id', 'ticket-2611', 1)]
    """

    key: str
    value: str
    trace_id: int
    start: int
    end: int
    span_count: int
    failed: bool
    operations: frozenset[str]
    models: Mapping[Model, Totals]
    services: frozenset[str]
    environments: frozenset[str]
    user_ids: frozenset[str]
    tags: frozenset[str]
    name: tuple[int, str] | None
    metadata: Mapping[str, Dated]
    conflict: bool = False

    @property
    def totals(self) -> Totals:
        """The calls of all models added up."""
        total = Totals()
        for totals in self.models.values():
            total.add(totals)
        return total

    @property
    def model_names(self) -> set[str]:
        """The names of the models, without those of calls that name none."""
        return {name for _, name in self.models if name is not None}


def by_name(models: Mapping[Model, Totals]) -> list[tuple[Model, Totals]]:
    """What models were used for, in the order in which it is shown: by the model's name, then its provider's."""
    return sorted(models.items(), key=lambda item: (item[0][1] or "", item[0][0] or ""))


class Priced(NamedTuple):
    """A counted call, its cost, and whether it failed."""

    call: Call
    cost: Cost | None
    failed: bool


class TraceRollup(NamedTuple):
    """One trace, rolled up.

    Attributes:
        trace_id: the trace id as an integer.
        groups: one for each session that the trace has spans in, in the order of key and value.
        whole: the same for all spans, in a session or not.
        skipped: by span id, spans that report usage, or are a model call, and why they are not counted.

    Example:
        >>> from opentelemetry.sdk.trace import TracerProvider
        >>> from opentelemetry.sdk.trace.export import SimpleSpanProcessor
        >>> from otel_sessions import SessionExporter
        >>> traces = []
        >>> exporter, provider = SessionExporter(on_trace=traces.append), TracerProvider()
        >>> provider.add_span_processor(SimpleSpanProcessor(exporter))
        >>> provider.get_tracer("app").start_span("answer", attributes={"session.id": "ticket-2611"}).end()
        >>> exporter.shutdown()  # a trace is reported when it was idle for a while, or at the end
        >>> [(trace.whole.span_count, len(trace.groups), dict(trace.skipped)) for trace in traces]
        [(1, 1, {})]
    """

    trace_id: int
    groups: tuple[TraceGroup, ...]
    whole: TraceGroup
    skipped: Mapping[int, Skipped]


def roll_up(
    trace_id: int,
    spans: Iterable[SpanFacts],
    *,
    pricer: Pricer | None = None,
    cousins: bool = True,
    explain: bool = False,
) -> TraceRollup | None:
    """The trace groups of a trace; `None` if no span is more than a placeholder.

    Order and repetition of the spans change nothing.

    Args:
        trace_id: of all the spans.
        spans: all that is known of the trace.
        pricer: prices calls that do not report their cost; without one these are unpriced.
        cousins: match calls that two instrumentations saw side by side also where no id tells.
        explain: also tell the residuals of skipped spans.
    """
    by_id = distinct_spans(spans)
    if not by_id:
        return None
    members = members_of(by_id)
    counted = count_calls(by_id, cousins=cousins, members=members)
    priced = {
        span_id: Priced(call, _cost(call, by_id[span_id], pricer), by_id[span_id].failed)
        for span_id, call in counted.calls.items()
    }
    whole = _group(trace_id, by_id, priced.values())
    first = next(iter(members.sessions.values()))
    if all(pairs is first or pairs == first for pairs in members.sessions.values()):
        groups = tuple(TraceGroup(key, value, *whole[2:]) for key, value in first)
    else:
        spans_of: dict[Pair, dict[int, SpanFacts]] = {}
        for span_id, pairs in members.sessions.items():
            for pair in pairs:
                spans_of.setdefault(pair, {})[span_id] = by_id[span_id]
        calls_of = _calls_by_session(priced, counted.skipped, members)
        values_of = Counter(key for key, _ in spans_of)
        groups = tuple(
            _group(trace_id, spans_of[pair], calls_of.get(pair, ()))._replace(
                key=pair[0], value=pair[1], conflict=values_of[pair[0]] > 1
            )
            for pair in sorted(spans_of)
        )
    skipped = counted.skipped
    if explain and skipped:
        beyond = residuals(by_id, counted.calls)
        skipped = {span_id: one._replace(residual=beyond.get(span_id)) for span_id, one in skipped.items()}
    return TraceRollup(trace_id, groups, whole, skipped)


def distinct_spans(spans: Iterable[SpanFacts]) -> dict[int, SpanFacts]:
    """The spans by id in a fixed order; a span that was delivered twice once, a placeholder for one never."""
    by_id: dict[int, SpanFacts] = {}
    doubtful = False
    for span in spans:
        if span.kind == PENDING:
            continue
        known = by_id.get(span.span_id)
        by_id[span.span_id] = span if known is None else more_complete(known, span)
    for span in by_id.values():
        parent = by_id.get(span.parent_id)  # type: ignore[arg-type]
        if parent is not None and parent.start >= span.start:
            doubtful = True
            break
    ordered = {span_id: by_id[span_id] for span_id in sorted(by_id)}
    return _without_cycles(ordered) if doubtful else ordered


def more_complete(one: SpanFacts, other: SpanFacts) -> SpanFacts:
    """Of two deliveries of one span the later state; which arrived first does not matter."""
    if one == other and not one.labels.metadata:  # among metadata, 1 equals True
        return one
    return max(one, other, key=lambda span: (span.kind != PENDING, span.end, -span.start, repr(span)))


def _without_cycles(spans: dict[int, SpanFacts]) -> dict[int, SpanFacts]:
    """The spans, with the parent taken from one span of every cycle: its earliest, which is then a root.

    Cycles only come of forged or corrupt ids, and need a parent that does not start before its child.
    """
    settled: set[int] = set()
    for span_id in spans:
        path: dict[int, None] = {}
        current: int | None = span_id
        while current is not None and current in spans and current not in settled:
            if current in path:
                ids = list(path)
                cycle = ids[ids.index(current) :]
                root = min(cycle, key=lambda id_: (spans[id_].start, id_))
                spans[root] = spans[root]._replace(parent_id=None)
                break
            path[current] = None
            current = spans[current].parent_id
        settled.update(path)
    return spans


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


def _calls_by_session(
    priced: Mapping[int, Priced], skipped: Mapping[int, Skipped], members: Members
) -> dict[Pair, list[Priced]]:
    """The calls of each session; one that several spans report is in one session of each key."""
    copies: dict[int, list[int]] = {}
    for span_id, one in skipped.items():
        if one.reason == DUPLICATE and one.by is not None:
            copies.setdefault(one.by, []).append(span_id)
    calls: dict[Pair, list[Priced]] = {}
    for span_id, call in priced.items():
        pairs = members.charged(span_id, copies[span_id]) if span_id in copies else members.sessions[span_id]
        for pair in pairs:
            calls.setdefault(pair, []).append(call)
    return calls


def _group(trace_id: int, spans: Mapping[int, SpanFacts], calls: Iterable[Priced]) -> TraceGroup:
    operations: set[str] = set()
    failed = False
    first = next(iter(spans.values()))
    start, last_start, end, labels = first.start, first.start, first.end, first.labels
    shared = True
    for _, parent_id, span_start, span_end, span_failed, _, _, name, _, _, own, _, _, consumer, _, _, _ in spans.values():
        if span_start < start:
            start = span_start
        elif span_start > last_start:
            last_start = span_start
        end = max(end, span_end)
        if parent_id not in spans:
            operations.add(name)
            failed = failed or span_failed
        elif span_failed and consumer:
            failed = True
        if own is not labels:
            shared = False
    models: dict[Model, Totals] = {}
    for call, cost, call_failed in calls:
        model = _model(call.provider, call.model or call.request_model)
        totals = models.get(model)
        if totals is None:
            totals = models[model] = Totals()
        totals.add_call(call.usage, cost, failed=call_failed)
    return _labelled(
        trace_id,
        start,
        max(end, start),
        len(spans),
        failed,
        present(operations),
        models,
        [(labels, last_start)] if shared else _dated(spans.values()),
    )


def _dated(spans: Iterable[SpanFacts]) -> list[tuple[Labels, int]]:
    """Each of the labels with the last start of a span that has it."""
    dated: dict[tuple[Labels, str], int] = {}
    for span in spans:
        # Metadata that differ in type only are equal, so their text goes into the key.
        key = (span.labels, repr(span.labels.metadata) if span.labels.metadata else "")
        dated[key] = max(span.start, dated.get(key, span.start))
    return [(labels, start) for (labels, _), start in dated.items()]


def _labelled(
    trace_id: int,
    start: int,
    end: int,
    span_count: int,
    failed: bool,
    operations: frozenset[str],
    models: dict[Model, Totals],
    dated_labels: list[tuple[Labels, int]],
) -> TraceGroup:
    name: tuple[int, str] | None = None
    metadata: dict[str, Dated] = {}
    labels = [label for label, _ in dated_labels]
    if len(labels) == 1 and not labels[0].tags and not labels[0].metadata:
        (label,) = labels
        named = None if label.name is None else (dated_labels[0][1], label.name)
        sets = only(label.service), only(label.environment), only(label.user_id), only(None)
        return TraceGroup("", "", trace_id, start, end, span_count, failed, operations, models, *sets, named, {})
    for label, at in dated_labels:
        if label.name is not None and (name is None or (at, label.name) > name):
            name = (at, label.name)
        for key, value in label.metadata:
            metadata[key] = later(metadata.get(key), (at, value))
    return TraceGroup(
        "",
        "",
        trace_id,
        start,
        end,
        span_count,
        failed,
        operations,
        models,
        present([label.service for label in labels]),
        present([label.environment for label in labels]),
        present([label.user_id for label in labels]),
        present([tag for label in labels for tag in label.tags]),
        name,
        metadata,
    )


@lru_cache(maxsize=4_096)
def _model(provider: str | None, model: str | None) -> Model:
    """One object for all calls of a model."""
    return (provider, model)
