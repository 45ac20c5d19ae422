"""The steps of a session: its spans, and the log records that tell of its calls and tools, without what they hold.

They are read from the facts, so that a session of a hundred thousand large spans can be looked through: what failed, what took long.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from otel_sessions.counting.facts import SpanFacts
from otel_sessions.counting.membership import Pair
from otel_sessions.dialects.kinds import TOOL
from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.clickhouse.span_rows import span_hex, trace_hex
from otel_sessions.server.projections.session_row import id_hash
from otel_sessions.server.projections.trace_facts import chunks, facts_of, members
from otel_sessions.server.queries.spans import parameters_of_named, statement_of_named
from otel_sessions.server.queries.statements import statement

START: Final = "start"
DURATION: Final = "duration"
LONGEST_MESSAGE: Final = 300
"""Characters of what went wrong that are shown."""

_UNITS_AT_ONCE: Final = 200
_TOOL_PREFIX: Final = "execute_tool "


class StepFilters(NamedTuple):
    """Which steps are wanted; `None` is any.

    Attributes:
        trace_id: of this trace.
        kind: one of `otel_sessions.dialects.kinds`.
        failed: whether they failed.
        q: a text in their name, in lower case.
    """

    trace_id: int | None = None
    kind: str | None = None
    failed: bool | None = None
    q: str | None = None

    def matches(self, facts: SpanFacts) -> bool:
        """Return True if a step is wanted, as far as its facts tell."""
        return (
            (self.kind is None or facts.kind == self.kind)
            and (self.failed is None or facts.failed is self.failed)
            and (self.q is None or self.q in facts.name.lower())
        )


class Step(NamedTuple):
    """A step.

    Attributes:
        trace_id: as an integer; `None` for a log record in no trace.
        facts: of its span or log record.
        message: what went wrong, at most `LONGEST_MESSAGE` characters; empty if nothing is told.
        message_length: of the whole message.
        size: bytes of its attributes; `None` for a log record.
    """

    trace_id: int | None
    facts: SpanFacts
    message: str = ""
    message_length: int = 0
    size: int | None = None


@dataclass
class ToolUse:
    """How often a tool was run in a session.

    Attributes:
        name: of the tool.
        count: how many runs.
        failed: how many of them failed.
        duration: nanoseconds together.
    """

    name: str
    count: int = 0
    failed: int = 0
    duration: int = 0


class StepPage(NamedTuple):
    """Some steps of a session, how many are wanted in all, and what all its tools did."""

    steps: list[Step]
    total: int
    tools: list[ToolUse]


def session_steps(
    store: Store,
    session: Pair,
    filters: StepFilters,
    *,
    sort: str = START,
    descending: bool = False,
    limit: int = 100,
    offset: int = 0,
) -> StepPage | None:
    """A page of the steps of a session; `None` if there is no such session.

    Args:
        store: where the facts are.
        session: its key and id.
        filters: which steps.
        sort: `START` or `DURATION`.
        descending: the latest, or longest, first.
        limit: how many steps at most.
        offset: how many to skip.
    """
    with store.reading() as client:
        parameters = {"key": session[0], "hash": id_hash(session[1])}
        units = client.query(statement("units_of_steps"), parameters=parameters).result_rows
    if not units:
        return None
    cells = {unit for unit, is_cell in units if is_cell}
    wanted = [unit for unit, _ in units if filters.trace_id in (None, unit)]
    counted = _Counted()
    found = ((unit, facts) for unit, facts in counted.watch(_members(store, wanted, session)) if filters.matches(facts))
    pick = heapq.nlargest if descending else heapq.nsmallest
    first = pick(offset + limit, counted.all(found), key=_by_duration if sort == DURATION else _by_start)
    page = [(None if unit in cells else unit, facts) for unit, facts in first[offset:]]
    return StepPage(_with_texts(store, page), counted.total, counted.tools())


@dataclass
class _Counted:
    """What is counted while steps go by."""

    total: int = 0
    runs: dict[tuple[int, str], dict[str, ToolUse]] = field(default_factory=dict)

    def watch(self, steps: Iterator[tuple[int, SpanFacts]]) -> Iterator[tuple[int, SpanFacts]]:
        """The same steps, after their tools were counted."""
        for unit, facts in steps:
            if facts.kind == TOOL:
                name = tool_name(facts)
                told = self.runs.setdefault((unit, name), {})
                use = told.setdefault(facts.event, ToolUse(name))
                use.count += 1
                use.failed += facts.failed
                use.duration += facts.end - facts.start
            yield unit, facts

    def all(self, steps: Iterator[tuple[int, SpanFacts]]) -> Iterator[tuple[int, SpanFacts]]:
        """The same steps, counted."""
        for step in steps:
            self.total += 1
            yield step

    def tools(self) -> list[ToolUse]:
        """The tools, the one with the most runs first. A run that a span and a log record tell of counts once."""
        count: Counter[str] = Counter()
        found: dict[str, ToolUse] = {}
        for (_, name), told in self.runs.items():
            use = max(told.items(), key=lambda one: (one[1].count, not one[0]))[1]
            total = found.setdefault(name, ToolUse(name))
            total.count += use.count
            total.failed += max(one.failed for one in told.values())
            total.duration += max(one.duration for one in told.values())
            count[name] += use.count
        return sorted(found.values(), key=lambda one: (-count[one.name], one.name))


def tool_name(facts: SpanFacts) -> str:
    """The name of the tool that a step is a run of."""
    return facts.name.removeprefix(_TOOL_PREFIX)


def _by_start(step: tuple[int, SpanFacts]) -> tuple[int, int]:
    return step[1].start, step[1].span_id


def _by_duration(step: tuple[int, SpanFacts]) -> tuple[int, int]:
    return step[1].end - step[1].start, step[1].span_id


def _members(store: Store, units: Sequence[int], session: Pair) -> Iterator[tuple[int, SpanFacts]]:
    for some in chunks(units, _UNITS_AT_ONCE):
        facts = facts_of(store, some)
        for unit in some:
            for one in members(facts.get(unit, ()), session):
                yield unit, one


def _with_texts(store: Store, page: Sequence[tuple[int | None, SpanFacts]]) -> list[Step]:
    """The steps of a page with what went wrong in them."""
    spans = [(unit, facts) for unit, facts in page if unit is not None and not facts.event]
    texts: dict[tuple[str, str], tuple[str, int, int]] = {}
    if spans:
        parameters = {**parameters_of_named(spans), "longest": LONGEST_MESSAGE}
        with store.reading() as client:
            rows = client.query(statement_of_named("step_texts"), parameters=parameters).result_rows
        texts = {(trace_id, span_id): (said, length, size) for trace_id, span_id, said, length, size in rows}
    steps = []
    for unit, facts in page:
        told = None if unit is None else texts.get((trace_hex(unit), span_hex(facts.span_id)))
        steps.append(Step(unit, facts) if told is None else Step(unit, facts, *told))
    return steps
