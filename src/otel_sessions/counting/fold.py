"""`fold`: from trace groups to the session that they make up, whatever their order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final, TypeVar

from otel_sessions.attributes import ID_KEY
from otel_sessions.counting.cache_bill import bill_of
from otel_sessions.counting.cache_use import CacheUse
from otel_sessions.counting.excerpts import Excerpt, first_of, last_of
from otel_sessions.counting.metadata import Dated, later, metadata_json
from otel_sessions.counting.model_names import Model, fold_models
from otel_sessions.counting.session import LaneRollup, ModelRollup, SessionRollup
from otel_sessions.counting.status import LATEST_END, status_of
from otel_sessions.counting.time_spent import NO_TIME, TimeSpent, busy, idle
from otel_sessions.counting.totals import COSTS, TOKENS, Totals
from otel_sessions.counting.trace import TraceGroup, by_name
from otel_sessions.counting.turns import add_turns, failed_turns
from otel_sessions.dialects.targets import PREVIOUS_ID
from otel_sessions.money import without_trailing_zeros
from otel_sessions.rules import MetadataValue

IDLE_GAP_NS: Final = 5 * 60 * 1_000_000_000
"""A longer pause between traces is not counted as active time."""

MODELS_KEPT: Final = 100
PROVIDERS_KEPT: Final = 10
SET_KEPT: Final = 1_000
SPELLS_KEPT: Final = 1_000
LANES_KEPT: Final = 100
CACHE_USES_KEPT: Final = 20_000
INTERVALS_KEPT: Final = 20_000

OTHER_MODELS: Final = "(other models)"
"""The calls of models beyond `MODELS_KEPT` of a session are added up under this name."""

OTHER_PROVIDERS: Final = "(other providers)"
"""The calls of one model at providers beyond `PROVIDERS_KEPT` are added up under this provider."""


OTHER_LANES: Final = "(other agents)"
"""The calls of sub-agents beyond `LANES_KEPT` are added up under this name."""


class SessionSum:
    """A session while trace groups are added to it, in any order.

    Its attributes have the names that `SessionRollup` has, so that a measure reads both. Sets are bounded: of users, tags, metadata
    and so on the first `SET_KEPT` in alphabetical order are kept, of models the first `MODELS_KEPT`; the rest is left out and
    counted, and the calls of these models are added up together. Pauses beyond `SPELLS_KEPT` count as active time. The order of the
    groups changes nothing but figures beyond these bounds: `dropped`, where a name that comes again counts again, and `active_ms`; of calls
    that tell of a cache, the first `CACHE_USES_KEPT` to come are kept, and pauses beyond `INTERVALS_KEPT` are not idle.
    """

    __slots__ = (
        "cache",
        "conflicts",
        "dated_metadata",
        "dated_name",
        "dated_title",
        "end",
        "environments",
        "failed_traces",
        "first_input_excerpt",
        "first_operation",
        "given_name",
        "group_count",
        "key",
        "lanes",
        "last_output_excerpt",
        "last_trace_state",
        "late_span_count",
        "latency",
        "left_out",
        "models",
        "open",
        "operations",
        "services",
        "span_count",
        "spells",
        "start",
        "tags",
        "time",
        "turns",
        "user_ids",
        "value",
        "whole_traces",
    )

    def __init__(self, key: str, value: str) -> None:
        """Start with no trace."""
        self.key = key
        self.value = value
        self.start = 0
        self.end = 0
        self.latency = 0
        self.group_count = 0
        self.whole_traces = 0
        self.failed_traces = 0
        self.last_trace_state = 0
        self.turns: dict[int, int] = {}
        self.lanes: dict[str | None, Totals] = {}
        self.span_count = 0
        self.late_span_count = 0
        self.conflicts = 0
        self.dated_name: tuple[int, str] | None = None
        self.dated_title: tuple[int, str] | None = None
        self.first_operation: tuple[int, str] | None = None
        self.first_input_excerpt: Excerpt | None = None
        self.last_output_excerpt: Excerpt | None = None
        self.given_name: str | None = None
        self.dated_metadata: dict[str, Dated] = {}
        self.models: dict[Model, Totals] = {}
        self.operations: frozenset[str] = frozenset()
        self.services: frozenset[str] = frozenset()
        self.environments: frozenset[str] = frozenset()
        self.user_ids: frozenset[str] = frozenset()
        self.tags: frozenset[str] = frozenset()
        self.spells: tuple[tuple[int, int], ...] = ()
        self.open: list[tuple[int, int]] = []
        self.time: TimeSpent | None = NO_TIME
        self.cache: list[CacheUse] = []
        self.left_out: dict[str, int] | None = None

    def add(self, group: TraceGroup) -> None:
        """Add what one trace has of the session."""
        self.start = min(self.start, group.start) if self.group_count else group.start
        self.end = max(self.end, group.end)
        times = ((group.start, group.end),) if group.busy is None else group.busy
        self.latency += sum(end - start for start, end in times)
        self.group_count += 1
        if group.turns is None:
            self.whole_traces += 1
            self.failed_traces += group.failed
            self.last_trace_state = max(self.last_trace_state, min(group.end, LATEST_END) * 2 + group.failed)
        else:
            add_turns(self.turns, group.turns)
        if group.lanes or self.lanes:
            self._add_lanes(group)
        self.span_count += group.span_count
        self.conflicts += group.conflict
        self.spells = self._bounded_spells(_with_spell(self.spells, group.start, group.end))
        self.open.extend(times)
        if len(self.open) > 2 * INTERVALS_KEPT:
            self._bound_open()
        self.time = None if self.time is None or group.time is None else self.time.added(group.time)
        if group.cache:
            self._add_cache(group.cache)
        if group.name is not None and (self.dated_name is None or group.name > self.dated_name):
            self.dated_name = group.name
        if group.title is not None and (self.dated_title is None or group.title > self.dated_title):
            self.dated_title = group.title
        if group.first_input is not None:
            self.first_input_excerpt = first_of(self.first_input_excerpt, group.first_input)
        if group.last_output is not None:
            self.last_output_excerpt = last_of(self.last_output_excerpt, group.last_output)
        if group.operations:
            operation = group.first_operation or (group.start, min(group.operations))
            if self.first_operation is None or operation < self.first_operation:
                self.first_operation = operation
        if group.metadata:
            self._add_metadata(group.metadata)
        known = len(self.models)
        for model, totals in group.models.items():
            self._add_model(model, totals)
        if len(self.models) > max(known, PROVIDERS_KEPT):
            self._bound_models()
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
        copied.dated_metadata = dict(self.dated_metadata)
        copied.left_out = dict(self.left_out) if self.left_out is not None else None
        copied.open = list(self.open)
        copied.cache = list(self.cache)
        copied.turns = dict(self.turns)
        copied.lanes = _copied(self.lanes)
        copied.models = _copied(self.models)
        return copied

    @property
    def trace_count(self) -> int:
        """Traces, and turns that log records in no trace tell of."""
        return self.whole_traces + len(self.turns)

    @property
    def failed_trace_count(self) -> int:
        """Those that failed."""
        return self.failed_traces + failed_turns(self.turns)

    @property
    def last_state(self) -> int:
        """Twice the last end of a trace or turn, and one more if that failed."""
        return max(self.last_trace_state, *self.turns.values()) if self.turns else self.last_trace_state

    @property
    def unpriced_call_count(self) -> int:
        """Calls whose cost is not known."""
        return self.totals.unpriced_call_count

    @property
    def name(self) -> str | None:
        """The name that was given by hand, else the last one that spans gave."""
        if self.given_name is not None:
            return self.given_name
        return None if self.dated_name is None else self.dated_name[1]

    @property
    def title(self) -> str | None:
        """Its name, else what the program calls it, else the first words of a user, else its first operation."""
        given = self.name or (self.dated_title and self.dated_title[1]) or self.first_input
        return given or (self.first_operation and self.first_operation[1])

    @property
    def first_input(self) -> str | None:
        """The first words of a user."""
        return self.first_input_excerpt and self.first_input_excerpt[1]

    @property
    def last_output(self) -> str | None:
        """The last words of a model."""
        return self.last_output_excerpt and self.last_output_excerpt[1]

    @property
    def metadata(self) -> dict[str, MetadataValue]:
        """The last value of each name, in the order of names."""
        return {name: value for name, (_, value) in sorted(self.dated_metadata.items())}

    @property
    def metadata_names(self) -> list[str]:
        """The names of its metadata, in order."""
        return sorted(self.dated_metadata)

    @property
    def metadata_values(self) -> list[str]:
        """The last values of these names, as JSON."""
        return [metadata_json(self.dated_metadata[name][1]) for name in self.metadata_names]

    @property
    def duration_ms(self) -> float:
        """From the first start to the last end."""
        return (self.end - self.start) / 1e6

    @property
    def failure_rate(self) -> float:
        """Failed traces over traces."""
        return self.failed_trace_count / self.trace_count if self.trace_count else 0.0

    @property
    def model_names(self) -> set[str]:
        """The names of its models, and `(other models)` where models were left out."""
        return {name for _, name in self.models if name is not None}

    @property
    def total_tokens(self) -> int | None:
        """Input and output tokens of all calls; `None` if no call reported any."""
        return self.totals.total_tokens

    @property
    def total_cost(self) -> Decimal | None:
        """USD of all priced calls; `None` if no call is priced."""
        return self.totals.total_cost

    @property
    def cost_inexact(self) -> int:
        """1 if a cost is not known or only a lower bound, else 0."""
        return int(not self.totals.cost_exact)

    @property
    def totals(self) -> Totals:
        """The calls of all models added up."""
        total = Totals()
        for totals in self.models.values():
            total.add(totals)
        return total

    def rollup(self, now: int | None = None) -> SessionRollup:
        """The session so far; whether it is running is only told if the time `now` is given, nanoseconds UTC."""
        left_out = dict(self.left_out or {})
        if self.late_span_count:
            left_out["late_spans"] = self.late_span_count
        return SessionRollup(
            id=self.value,
            key=self.key,
            name=self.name,
            title=self.title,
            start=self.start,
            end=self.end,
            duration_ms=self.duration_ms,
            active_ms=sum(end - start for start, end in self.spells) / 1e6,
            status=status_of(self, now),
            environments=tuple(sorted(self.environments)),
            services=tuple(sorted(self.services)),
            user_ids=tuple(sorted(self.user_ids)),
            operations=tuple(sorted(self.operations)),
            trace_count=self.trace_count,
            failed_trace_count=self.failed_trace_count,
            failure_rate=self.failure_rate,
            span_count=self.span_count,
            latency_ms=self.latency / self.trace_count / 1e6 if self.trace_count else 0.0,
            models=tuple(
                ModelRollup(provider=provider, model=model, **_numbers(totals))
                for (provider, model), totals in by_name(_folded(self.models))
            ),
            lanes=tuple(
                LaneRollup(lane=lane, **_numbers(totals))
                for lane, totals in sorted(self.lanes.items(), key=lambda item: item[0] or "")
            ),
            tags=tuple(sorted(self.tags)),
            metadata=self.metadata,
            first_input=self.first_input,
            last_output=self.last_output,
            scores={},
            annotation_count=0,
            dropped=left_out,
            conflicts=self.conflicts,
            late_span_count=self.late_span_count,
            previous_id=_text(self.metadata.get(PREVIOUS_ID)),
            time=_time(self.time, idle(self.open)),
            cache=_cache(self.cache),
            **_numbers(self.totals),
        )

    def _add_lanes(self, group: TraceGroup) -> None:
        """Add the calls of sub-agents. Without any so far, all calls before this group were the main agent's."""
        if not self.lanes:
            self.lanes[None] = self.totals
        for lane, totals in group.lanes.items() or ((None, group.totals),):
            self.lanes.setdefault(lane, Totals()).add(totals)
        named = sorted(lane for lane in self.lanes if lane not in (None, OTHER_LANES))
        for lane in named[LANES_KEPT:]:
            self.lanes.setdefault(OTHER_LANES, Totals()).add(self.lanes.pop(lane))
            self._leave_out("lanes")

    def _add_metadata(self, metadata: Mapping[str, Dated]) -> None:
        known = self.dated_metadata
        for name, dated in metadata.items():
            known[name] = later(known.get(name), dated)
        for name in sorted(known)[SET_KEPT:]:
            del known[name]
            self._leave_out("metadata")

    def _add_model(self, model: Model, totals: Totals) -> None:
        known = self.models.get(model)
        if known is None:
            known = self.models[model] = Totals()
        known.add(totals)

    def _bound_models(self) -> None:
        """Add up the models beyond the bound, and of each model the providers beyond theirs, under names of their own."""
        providers: dict[str | None, list[Model]] = {}
        for model in sorted(self.models, key=lambda model: (model[1] or "", model[0] or "")):
            providers.setdefault(model[1], []).append(model)
        named = [name for name in providers if name not in (None, OTHER_MODELS)]
        beyond = set(named[MODELS_KEPT:])
        for name, models in providers.items():
            into: Model
            if name in beyond:
                surplus, into = models, (None, OTHER_MODELS)
            else:
                surplus, into = (
                    [one for one in models if one[0] != OTHER_PROVIDERS][PROVIDERS_KEPT:],
                    (OTHER_PROVIDERS, name),
                )
            for model in surplus:
                self._add_model(into, self.models.pop(model))
                self._leave_out("models")

    def _add_cache(self, uses: tuple[CacheUse, ...]) -> None:
        room = CACHE_USES_KEPT - len(self.cache)
        self.cache.extend(uses[:room])
        if len(uses) > room:
            self._leave_out("cache", len(uses) - room)

    def _bound_open(self) -> None:
        """Make one interval of those that overlap; beyond the bound, the earliest are one."""
        self.open = busy(self.open)
        beyond = len(self.open) - INTERVALS_KEPT
        if beyond > 0:
            self._leave_out("pauses", beyond)
            self.open[: beyond + 1] = [(self.open[0][0], self.open[beyond][1])]

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
    """The session that these trace groups make up; their order does not matter.

    Args:
        key: the session key; empty stands for `id`.
        value: its value, the session's id.
        groups: one for each trace.
    """
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


def _text(value: MetadataValue | None) -> str | None:
    return value if isinstance(value, str) else None


def _time(time: TimeSpent | None, idle_time: int) -> dict[str, float | None]:
    """Milliseconds by name, as `SessionRollup` has them."""
    spent = {f"{name}_ms": None if time is None else getattr(time, name) / 1e6 for name in TimeSpent._fields}
    return {**spent, "idle_ms": idle_time / 1e6}


def _cache(uses: list[CacheUse]) -> dict[str, Any]:
    """The bill by name, as `SessionRollup` has it."""
    bill, _ = bill_of(uses)
    return {
        "rebuilt_count": bill.rebuilt_count,
        "rebuilt_tokens": bill.rebuilt_tokens,
        "rebuilt_cost": without_trailing_zeros(bill.rebuilt_cost),
        "cost_exact": bill.cost_exact,
        "by_reason": {
            label: {"count": one.count, "tokens": one.tokens, "cost": without_trailing_zeros(one.cost)}
            for label, one in bill.by_reason.items()
        },
        "cheaper_ttl": bill.cheaper_ttl,
    }


def _folded(models: Mapping[Model, Totals]) -> dict[Model, Totals]:
    """The models, with all spellings of one added up."""
    folded: dict[Model, Totals] = {}
    for model, parts in fold_models(models).items():
        folded[model] = Totals()
        for totals in parts:
            folded[model].add(totals)
    return folded


_Name = TypeVar("_Name", Model, str | None)


def _copied(sums: Mapping[_Name, Totals]) -> dict[_Name, Totals]:
    copies: dict[_Name, Totals] = {}
    for name, totals in sums.items():
        copies[name] = Totals()
        copies[name].add(totals)
    return copies


def _numbers(totals: Totals) -> dict[str, Any]:
    return {
        "call_count": totals.call_count,
        "unpriced_call_count": totals.unpriced_call_count,
        **{name: getattr(totals, name) for name in TOKENS},
        **{name: without_trailing_zeros(getattr(totals, name)) for name in COSTS},
        "total_tokens": totals.total_tokens,
        "cost_exact": totals.cost_exact,
        "cost_sources": tuple(sorted(totals.sources)),
    }
