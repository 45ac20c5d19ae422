"""`fold`: from trace groups to the session they make up, and `SessionRollup`, what a reader of it gets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from otel_sessions.attributes import ID_KEY
from otel_sessions.counting.totals import COSTS, TOKENS, Totals
from otel_sessions.counting.trace import Model, TraceGroup, later
from otel_sessions.money import shown_money
from otel_sessions.rules import MetadataValue
from otel_sessions.timestamps import format_time

IDLE_GAP_NS: Final = 5 * 60 * 1_000_000_000
"""A longer pause between traces is not counted as active time."""

MODELS_KEPT: Final = 100
SET_KEPT: Final = 1_000
SPELLS_KEPT: Final = 1_000

OTHER_MODELS: Final[Model] = (None, "(other models)")
"""What models beyond `MODELS_KEPT` of a session are summed up under."""

shown_time = format_time


@dataclass(frozen=True, slots=True)
class ModelRollup:
    """What a session used one model for; numbers as in `SessionRollup`."""

    provider: str | None
    model: str | None
    call_count: int
    unpriced_call_count: int
    input_tokens: int | None
    output_tokens: int | None
    cache_read_tokens: int | None
    cache_write_tokens: int | None
    reasoning_tokens: int | None
    total_tokens: int | None
    input_cost: Decimal | None
    output_cost: Decimal | None
    total_cost: Decimal | None
    cost_sources: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """The same as JSON carries it; money as decimal strings."""
        return _shown(self)


@dataclass(frozen=True, slots=True)
class SessionRollup:
    """A session: when, what, how much, how well. Unknown is `None`, never 0.

    Attributes:
        id: the value of the session key.
        key: the session key, `id` by default.
        name: the last name that was given.
        start: first start of a span, nanoseconds UTC.
        end: last end of a span, nanoseconds UTC.
        duration_ms: from start to end.
        active_ms: the same without pauses of more than five minutes.
        status: `error` if a trace failed, else `ok`.
        environments: deployment environments.
        services: names of services.
        user_ids: users.
        operations: names of the top spans of its traces.
        trace_count: traces with a span in the session.
        failed_trace_count: traces one of whose top spans in the session has status ERROR.
        failure_rate: failed traces over traces.
        span_count: spans in the session.
        call_count: model calls, each counted once.
        unpriced_call_count: those whose cost is not known.
        input_tokens: includes cache reads and writes; `None` if no call reported any, as all token counts.
        output_tokens: includes reasoning.
        total_cost: USD; a lower bound if calls are unpriced, `None` if no call is priced.
        cost_sources: who said what calls cost.
        latency_ms: mean time from the first to the last span of a trace.
        models: the same numbers by model.
        tags: all tags, sorted.
        metadata: the last value of each name.
        scores: by name; filled where scores are stored.
        dropped: what of this session was not kept, by reason.
        conflicts: traces that also carry another value of the same key.
        late_span_count: spans that came after their trace had been closed, and are in no other number.
    """

    id: str
    key: str
    name: str | None
    start: int
    end: int
    duration_ms: float
    active_ms: float
    status: str
    environments: tuple[str, ...]
    services: tuple[str, ...]
    user_ids: tuple[str, ...]
    operations: tuple[str, ...]
    trace_count: int
    failed_trace_count: int
    failure_rate: float
    span_count: int
    call_count: int
    unpriced_call_count: int
    input_tokens: int | None
    output_tokens: int | None
    cache_read_tokens: int | None
    cache_write_tokens: int | None
    reasoning_tokens: int | None
    total_tokens: int | None
    input_cost: Decimal | None
    output_cost: Decimal | None
    total_cost: Decimal | None
    cost_sources: tuple[str, ...]
    latency_ms: float
    models: tuple[ModelRollup, ...]
    tags: tuple[str, ...]
    metadata: Mapping[str, MetadataValue]
    scores: Mapping[str, Any]
    dropped: Mapping[str, int]
    conflicts: int
    late_span_count: int = 0

    def to_dict(self) -> dict[str, Any]:
        """The session as JSON carries it: times RFC 3339 UTC, money as decimal strings."""
        return _shown(self)


class SessionSum:
    """A session while trace groups are added to it; what `rollup` returns does not depend on their order.

    Sets are bounded: names of operations, users, tags and so on beyond `SET_KEPT`, models beyond `MODELS_KEPT` and
    pauses beyond `SPELLS_KEPT` are left out and counted. Which ones then depends on the order; sums never do.
    """

    __slots__ = (
        "conflicts",
        "end",
        "environments",
        "failed_trace_count",
        "key",
        "late_span_count",
        "latency",
        "left_out",
        "metadata",
        "models",
        "name",
        "operations",
        "services",
        "span_count",
        "spells",
        "start",
        "tags",
        "trace_count",
        "user_ids",
        "value",
    )

    def __init__(self, key: str, value: str) -> None:
        """Start with no trace."""
        self.key = key
        self.value = value
        self.start = 0
        self.end = 0
        self.latency = 0
        self.trace_count = 0
        self.failed_trace_count = 0
        self.span_count = 0
        self.late_span_count = 0
        self.conflicts = 0
        self.name: tuple[int, str] | None = None
        self.metadata: dict[str, tuple[int, MetadataValue]] = {}
        self.models: dict[Model, Totals] = {}
        self.operations: frozenset[str] = frozenset()
        self.services: frozenset[str] = frozenset()
        self.environments: frozenset[str] = frozenset()
        self.user_ids: frozenset[str] = frozenset()
        self.tags: frozenset[str] = frozenset()
        self.spells: tuple[tuple[int, int], ...] = ()
        self.left_out: dict[str, int] | None = None

    def add(self, group: TraceGroup) -> None:
        """Add what one trace has of the session."""
        self.start = min(self.start, group.start) if self.trace_count else group.start
        self.end = max(self.end, group.end)
        self.latency += group.end - group.start
        self.trace_count += 1
        self.failed_trace_count += group.failed
        self.span_count += group.span_count
        self.conflicts += group.conflict
        self.spells = self._bounded_spells(_with_spell(self.spells, group.start, group.end))
        if group.name is not None and (self.name is None or group.name > self.name):
            self.name = group.name
        for name, dated in group.metadata.items():
            if name in self.metadata or len(self.metadata) < SET_KEPT:
                self.metadata[name] = later(self.metadata.get(name), dated)
            else:
                self._leave_out("metadata")
        for model, totals in group.models.items():
            known = self.models.get(model)
            if known is None:
                if len(self.models) >= MODELS_KEPT:
                    self._leave_out("models")
                    model = OTHER_MODELS  # noqa: PLW2901
                known = self.models.setdefault(model, Totals())
            known.add(totals)
        self.operations = self._united("operations", self.operations, group.operations)
        self.services = self._united("services", self.services, group.services)
        self.environments = self._united("environments", self.environments, group.environments)
        self.user_ids = self._united("user_ids", self.user_ids, group.user_ids)
        self.tags = self._united("tags", self.tags, group.tags)

    def copy(self) -> SessionSum:
        """An independent copy, to add further traces to."""
        copied = SessionSum(self.key, self.value)
        for name in self.__slots__:
            setattr(copied, name, getattr(self, name))
        copied.metadata = dict(self.metadata)
        copied.left_out = dict(self.left_out) if self.left_out is not None else None
        copied.models = {}
        for model, totals in self.models.items():
            copied.models[model] = Totals()
            copied.models[model].add(totals)
        return copied

    def rollup(self, *, dropped: Mapping[str, int] | None = None) -> SessionRollup:
        """The session as it is now; `dropped` adds to what was left out here."""
        totals = Totals()
        for model_totals in self.models.values():
            totals.add(model_totals)
        active = sum(end - start for start, end in self.spells)
        left_out = dict(self.left_out or {})
        for reason, amount in (dropped or {}).items():
            left_out[reason] = left_out.get(reason, 0) + amount
        if self.late_span_count:
            left_out["late_spans"] = self.late_span_count
        return SessionRollup(
            id=self.value,
            key=self.key,
            name=None if self.name is None else self.name[1],
            start=self.start,
            end=self.end,
            duration_ms=(self.end - self.start) / 1e6,
            active_ms=active / 1e6,
            status="error" if self.failed_trace_count else "ok",
            environments=tuple(sorted(self.environments)),
            services=tuple(sorted(self.services)),
            user_ids=tuple(sorted(self.user_ids)),
            operations=tuple(sorted(self.operations)),
            trace_count=self.trace_count,
            failed_trace_count=self.failed_trace_count,
            failure_rate=self.failed_trace_count / self.trace_count if self.trace_count else 0.0,
            span_count=self.span_count,
            latency_ms=self.latency / self.trace_count / 1e6 if self.trace_count else 0.0,
            models=tuple(
                ModelRollup(provider=model[0], model=model[1], **_numbers(model_totals))
                for model, model_totals in sorted(self.models.items(), key=_model_order)
            ),
            tags=tuple(sorted(self.tags)),
            metadata={name: value for name, (_, value) in sorted(self.metadata.items())},
            scores={},
            dropped=left_out,
            conflicts=self.conflicts,
            late_span_count=self.late_span_count,
            **_numbers(totals),
        )

    def _united(self, field: str, known: frozenset[str], more: frozenset[str]) -> frozenset[str]:
        if more <= known:
            return known
        if not known:
            known = more
        else:
            known |= more
        if len(known) > SET_KEPT:
            self._leave_out(field, len(known) - SET_KEPT)
            known = frozenset(sorted(known)[:SET_KEPT])
        return known

    def _bounded_spells(self, spells: tuple[tuple[int, int], ...]) -> tuple[tuple[int, int], ...]:
        if len(spells) <= SPELLS_KEPT:
            return spells
        self._leave_out("pauses")
        shortest = min(range(1, len(spells)), key=lambda i: spells[i][0] - spells[i - 1][1])
        joined = (spells[shortest - 1][0], spells[shortest][1])
        return (*spells[: shortest - 1], joined, *spells[shortest + 1 :])

    def _leave_out(self, field: str, amount: int = 1) -> None:
        if self.left_out is None:
            self.left_out = {}
        self.left_out[field] = self.left_out.get(field, 0) + amount


def fold(key: str, value: str, groups: Iterable[TraceGroup]) -> SessionRollup:
    """The session that these trace groups make up; their order does not matter."""
    session = SessionSum(key or ID_KEY, value)
    for group in sorted(groups, key=lambda group: (group.start, group.trace_id)):
        session.add(group)
    return session.rollup()


def _with_spell(spells: tuple[tuple[int, int], ...], start: int, end: int) -> tuple[tuple[int, int], ...]:
    """Spells of activity, in order, with one more; spells with less than an idle gap between them are one."""
    if spells and spells[-1][0] <= start <= spells[-1][1] + IDLE_GAP_NS:
        if end <= spells[-1][1]:
            return spells
        return (*spells[:-1], (spells[-1][0], end))
    merged: list[tuple[int, int]] = []
    for one_start, one_end in sorted((*spells, (start, end))):
        if merged and one_start <= merged[-1][1] + IDLE_GAP_NS:
            merged[-1] = (merged[-1][0], max(merged[-1][1], one_end))
        else:
            merged.append((one_start, one_end))
    return tuple(merged)


def _numbers(totals: Totals) -> dict[str, Any]:
    return {
        "call_count": totals.call_count,
        "unpriced_call_count": totals.unpriced_call_count,
        **{name: getattr(totals, name) for name in TOKENS},
        **{name: _tidy(getattr(totals, name)) for name in COSTS},
        "total_tokens": totals.total_tokens,
        "cost_sources": tuple(sorted(totals.sources)),
    }


def _tidy(amount: Decimal | None) -> Decimal | None:
    """The same amount without trailing zeros, which tell only how it was computed."""
    written = shown_money(amount)
    return None if written is None else Decimal(written)


def _model_order(item: tuple[Model, Totals]) -> tuple[str, str]:
    return item[0][1] or "", item[0][0] or ""


def _shown(rollup: SessionRollup | ModelRollup) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    for name in rollup.__dataclass_fields__:
        value = getattr(rollup, name)
        if isinstance(value, Decimal):
            value = shown_money(value)
        elif name == "models":
            value = [model.to_dict() for model in value]
        elif isinstance(value, tuple):
            value = list(value)
        elif isinstance(value, Mapping):
            value = dict(value)
        elif name in ("start", "end"):
            value = shown_time(value)
        shown[name] = value
    return shown
