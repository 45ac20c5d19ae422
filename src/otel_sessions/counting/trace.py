"""`roll_up`: from the spans of one trace to what each session gets of it. A pure function of the set of spans."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final, NamedTuple

from otel_sessions.counting.cache_use import CacheUse
from otel_sessions.counting.calls import Skipped
from otel_sessions.counting.excerpts import Excerpt, excerpts
from otel_sessions.counting.facts import Call, Labels, SpanFacts
from otel_sessions.counting.membership import Pair
from otel_sessions.counting.metadata import Dated, later
from otel_sessions.counting.model_names import Model
from otel_sessions.counting.prices.pricer import Pricer
from otel_sessions.counting.residuals import residuals
from otel_sessions.counting.resolved import Priced, Resolved, resolve
from otel_sessions.counting.shared_sets import only, present
from otel_sessions.counting.time_spent import TIMED, TimeSpent, spent_by
from otel_sessions.counting.totals import Totals
from otel_sessions.counting.turns import busy_of, failed_turns, turns_of
from otel_sessions.dialects.kinds import HUMAN_NAMES

_MAIN_ONLY: Final = {None}

NO_LANES: Final[Mapping[str | None, Totals]] = MappingProxyType({})


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
        lanes: the calls of each sub-agent, and under `None` those of the main agent; empty if there is no sub-agent.
        turns: `None` for a trace; for log records in no trace, their turns as `turns_of` returns them.
        time: what the time from start to end was spent on; `None` if that was not stored.
        cache: what its calls did with the caches of providers, as far as they say; in the order of their ids.
        busy: when its turns went on, for log records in no trace; `None` for a trace, which goes on from start to end.
        listed: how many entries it has in the list of calls: counted ones and what was left out; `None` if that was not stored.
        title: the start of the last span in which the program called the session something, and what; that is no name.
        first_operation: the start of the first top span, and its name; `None` if all have one name.
        first_input: the start of what has the first words of a user, these words, and whether only a sub-agent has any.
        last_output: the end of what has the last words of a model, these words, and whether only a sub-agent has any.

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
    lanes: Mapping[str | None, Totals] = NO_LANES
    turns: Mapping[int, int] | None = None
    busy: tuple[tuple[int, int], ...] | None = None
    listed: int | None = None
    time: TimeSpent | None = None
    cache: tuple[CacheUse, ...] = ()
    title: tuple[int, str] | None = None
    first_operation: tuple[int, str] | None = None
    first_input: Excerpt | None = None
    last_output: Excerpt | None = None

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


class TraceRollup(NamedTuple):
    """One trace, rolled up.

    Attributes:
        trace_id: the trace id as an integer.
        groups: one for each session that the trace has spans in, in the order of key and value.
        whole: the same for all spans, in a session or not.
        skipped: by span id, spans that report usage, or are a model call, and why they are not counted.
        adopted: the ids of log records of other units that tell of calls of this trace.

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
    adopted: frozenset[int] = frozenset()


def roll_up(
    trace_id: int,
    spans: Iterable[SpanFacts],
    *,
    pricer: Pricer | None = None,
    cousins: bool = True,
    explain: bool = False,
    beside: Collection[SpanFacts] = (),
) -> TraceRollup | None:
    """The trace groups of a trace; `None` if no span is more than a placeholder.

    Order and repetition of the spans change nothing.

    Args:
        trace_id: of all the spans.
        spans: all that is known of the trace, log records that were written in it included.
        pricer: prices calls that do not report their cost; without one these are unpriced.
        cousins: match calls that two instrumentations saw side by side also where no id tells.
        explain: also tell the residuals of skipped spans.
        beside: log records of the same sessions that name no trace.
    """
    resolved = resolve(spans, pricer=pricer, cousins=cousins, beside=beside)
    return None if resolved is None else roll_up_resolved(trace_id, resolved, explain=explain)


def roll_up_resolved(
    trace_id: int,
    resolved: Resolved,
    *,
    explain: bool = False,
    is_cell: bool = False,
    told_turns: Collection[str] = (),
) -> TraceRollup:
    """The trace groups of a unit whose calls are known.

    Args:
        trace_id: the id of the unit.
        resolved: its calls.
        explain: also tell the residuals of skipped spans.
        is_cell: it has log records only, which are in no trace.
        told_turns: turns that a trace tells of, which are not counted beside it.
    """
    by_id, members, priced, skipped, adopted, _ = resolved
    counted = {span_id: one.call for span_id, one in priced.items()}
    whole = _group(trace_id, by_id, priced.values(), counted, len(skipped), resolved, None)
    first = next(iter(members.sessions.values()))
    if not members.ranks or all(pairs is first or pairs == first for pairs in members.sessions.values()):
        groups = tuple(TraceGroup(key, value, *whole[2:]) for key, value in first)
    else:
        spans_of: dict[Pair, dict[int, SpanFacts]] = {}
        for span_id, pairs in members.sessions.items():
            for pair in pairs:
                spans_of.setdefault(pair, {})[span_id] = by_id[span_id]
        calls_of = resolved.calls_by_session()
        left_out = resolved.left_out(calls_of)
        values_of = Counter(key for key, _ in spans_of)
        groups = tuple(
            _group(
                trace_id,
                spans_of[pair],
                calls_of.get(pair, {}).values(),
                counted,
                len(left_out.get(pair, ())),
                resolved,
                pair,
            )._replace(key=pair[0], value=pair[1], conflict=values_of[pair[0]] > 1)
            for pair in sorted(spans_of)
        )
    if explain and skipped:
        beyond = residuals(by_id, counted)
        skipped = {span_id: one._replace(residual=beyond.get(span_id)) for span_id, one in skipped.items()}
    if is_cell:
        turns = turns_of(by_id, priced, told_turns)
        failed, busy = failed_turns(turns) > 0, busy_of(by_id)
        groups = tuple(_of_cell(group, turns, busy, failed=failed) for group in groups)
        whole = _of_cell(whole, turns, busy, failed=failed)
    return TraceRollup(trace_id, groups, whole, skipped, frozenset(adopted))


def _of_cell(
    group: TraceGroup, turns: Mapping[int, int], busy: tuple[tuple[int, int], ...], *, failed: bool
) -> TraceGroup:
    """The group of a cell: its time is that of its turns, and between them it is idle."""
    assert group.time is not None
    model_wait, generation, tool, human, _ = group.time
    other = sum(end - start for start, end in busy) - model_wait - generation - tool - human
    time = TimeSpent(model_wait, generation, tool, human, other)
    return group._replace(turns=turns, failed=failed, busy=busy, time=time)


def _group(
    trace_id: int,
    spans: Mapping[int, SpanFacts],
    calls: Collection[Priced],
    counted: Mapping[int, Call],
    left_out: int,
    resolved: Resolved,
    session: Pair | None,
) -> TraceGroup:
    operations: set[str] = set()
    first_operation: tuple[int, str] | None = None
    telling: list[SpanFacts] = []
    failed = False
    first = next(iter(spans.values()))
    start, last_start, end, labels = first.start, first.start, first.end, first.labels
    shared = True
    record_count = 0
    timed: list[SpanFacts] = []
    for span in spans.values():
        _, parent_id, span_start, span_end, span_failed, kind, _, name, _, _, own, _, _, consumer, event, _, _, said = (
            span
        )
        if kind in TIMED or name in HUMAN_NAMES:
            timed.append(span)
        if said is not None:
            telling.append(span)
        if span_start < start:
            start = span_start
        elif span_start > last_start:
            last_start = span_start
        end = max(end, span_end)
        if event:
            record_count += 1
        elif parent_id not in spans:
            operations.add(name)
            if first_operation is None or (span_start, name) < first_operation:
                first_operation = (span_start, name)
            failed = failed or span_failed
        elif span_failed and consumer:
            failed = True
        if own is not labels:
            shared = False
    models: dict[Model, Totals] = {}
    lanes: set[str | None] = set()
    cache: list[CacheUse] = []
    for call, cost, call_failed, lane, use in calls:
        lanes.add(lane)
        model = _model(call.provider, call.model or call.request_model)
        totals = models.get(model)
        if totals is None:
            totals = models[model] = Totals()
        totals.add_call(call.usage, cost, failed=call_failed)
        if use is not None:
            cache.append(use)
    end = max(end, start)
    group = _labelled(
        trace_id,
        start,
        end,
        len(spans) - record_count,
        failed,
        present(operations),
        models,
        [(labels, last_start)] if shared else _dated(spans.values()),
        NO_LANES if not lanes or lanes == _MAIN_ONLY else _by_lane(calls),
        len(calls) + left_out,
        spent_by(timed, counted, start, end),
        tuple(cache),
    )
    if len(operations) > 1:
        group = group._replace(first_operation=first_operation)
    if telling or resolved.beside:
        first_input, last_output = excerpts(telling, spans, resolved, session)
        group = group._replace(first_input=first_input, last_output=last_output)
    return group


def _by_lane(calls: Collection[Priced]) -> dict[str | None, Totals]:
    """The calls of each lane added up, the main one first."""
    lanes: dict[str | None, Totals] = {None: Totals()}
    for name in sorted({one.lane for one in calls if one.lane is not None}):
        lanes[name] = Totals()
    for call, cost, failed, lane, _ in calls:
        lanes[lane].add_call(call.usage, cost, failed=failed)
    return lanes


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
    lanes: Mapping[str | None, Totals],
    listed: int,
    time: TimeSpent,
    cache: tuple[CacheUse, ...],
) -> TraceGroup:
    name: tuple[int, str] | None = None
    title: tuple[int, str] | None = None
    metadata: dict[str, Dated] = {}
    labels = [label for label, _ in dated_labels]
    if len(labels) == 1 and not labels[0].tags and not labels[0].metadata:
        (label,) = labels
        named = None if label.name is None else (dated_labels[0][1], label.name)
        titled = None if label.title is None else (dated_labels[0][1], label.title)
        sets = only(label.service), only(label.environment), only(label.user_id), only(None)
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
            *sets,
            named,
            {},
            False,  # noqa: FBT003 - fields by place, since keywords take longer
            lanes,
            None,
            None,
            listed,
            time,
            cache,
            titled,
        )
    for label, at in dated_labels:
        if label.name is not None and (name is None or (at, label.name) > name):
            name = (at, label.name)
        if label.title is not None and (title is None or (at, label.title) > title):
            title = (at, label.title)
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
        lanes=lanes,
        listed=listed,
        time=time,
        cache=cache,
        title=title,
    )


@lru_cache(maxsize=4_096)
def _model(provider: str | None, model: str | None) -> Model:
    """One object for all calls of a model."""
    return (provider, model)
