"""Tables in memory that behave like the real ones, and fail where a test says so; batches for them."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from otel_sessions.content.content import Content
from otel_sessions.counting.facts import Call, SpanFacts
from otel_sessions.counting.fold import fold
from otel_sessions.counting.membership import Pair
from otel_sessions.counting.prices.pricer import Pricer
from otel_sessions.counting.score import Score
from otel_sessions.counting.session import SessionRollup
from otel_sessions.counting.tokens import Usage
from otel_sessions.counting.trace import TraceGroup
from otel_sessions.dialects.kinds import LLM, OTHER
from otel_sessions.server.otlp.batch import LogBatch, SpanBatch
from otel_sessions.server.otlp.contents import HeldContent
from otel_sessions.server.projections.changes import NO_CONTEXT, ChangedTrace, Context, GroupChanges, group_changes
from otel_sessions.server.projections.facts_json import WrittenFacts, from_json

DEADLINE = 30.0


def span(
    span_id: int, *, parent: int | None = None, session: str | None = "s", tokens: int = 0, end: int = 9
) -> SpanFacts:
    """A span; with tokens it is a model call."""
    return SpanFacts(
        span_id,
        parent,
        0,
        end,
        False,
        LLM if tokens else OTHER,
        "",
        f"span {span_id}",
        () if session is None else (("id", session),),
        call=Call(Usage(tokens, 1)) if tokens else None,
    )


def span_rows(*spans: tuple[int, SpanFacts]) -> SpanBatch:
    """A batch of spans, each with its trace id."""
    batch = SpanBatch()
    for trace_id, one in spans:
        batch.add(b"", one.start, trace_id, one)
    return batch


def log_rows(*lines: str) -> LogBatch:
    """A batch of log records with these bodies."""
    batch = LogBatch()
    for name, values in batch.columns.items():
        values.extend(lines if name == "Body" else [""] * len(lines))
    return batch


def record_rows(*records: tuple[int, SpanFacts]) -> LogBatch:
    """A batch of log records that are counted, each with its unit; their bodies are the ids of their facts."""
    batch = log_rows(*(str(facts.span_id) for _, facts in records))
    batch.columns["CountedIn"] = [unit for unit, _ in records]
    batch.columns["CountedAs"] = [facts.span_id for _, facts in records]
    batch.counted = dict(enumerate(facts for _, facts in records))
    return batch


class Memory:
    """Tables as lists.

    Attributes:
        faults: by table and number of the insert, whether it fails after it was made, and with what.
        refused: names of spans, and log records, that cannot be stored.
        refusal: what is raised for these.
        probes: how often it was asked whether other rows can be stored.
        probe_faults: what the next of these questions raise.
    """

    def __init__(self) -> None:
        self.spans: list[tuple[int, int]] = []
        self.logs: list[str] = []
        self.log_rows: set[tuple[int, int]] = set()
        self.contents: dict[tuple[int, int], Content] = {}
        self.facts: dict[int, list[SpanFacts]] = {}
        self.scores: dict[int, Score] = {}
        self.groups: dict[tuple[int, Pair], tuple[int, TraceGroup | None]] = {}
        self.tokens: set[str] = set()
        self.inserts: Counter[str] = Counter()
        self.faults: dict[tuple[str, int], tuple[bool, Exception]] = {}
        self.refused: set[str] = set()
        self.refusal: Exception = ValueError("cannot be stored")
        self.probes = 0
        self.probe_faults: list[Exception] = []

    def _insert(self, table: str, make: Callable[[], object]) -> None:
        self.inserts[table] += 1
        late, error = self.faults.pop((table, self.inserts[table]), (False, None))
        if error is not None and not late:
            raise error
        make()
        if error is not None:
            raise error

    def _once(self, token: str | None, make: Callable[[], object]) -> None:
        if token is None or token not in self.tokens:
            make()
        if token is not None:
            self.tokens.add(token)

    def insert_spans(self, batch: SpanBatch, token: str | None) -> None:
        """Add rows to `otel_traces`."""
        if any(one.name in self.refused for one in batch.facts):
            raise self.refusal
        rows = [(trace_id, one.span_id) for trace_id, one in zip(batch.trace_ids, batch.facts, strict=True)]
        self._insert("spans", lambda: self._once(token, lambda: self.spans.extend(rows)))

    def insert_logs(self, batch: LogBatch, segment: int, rows: Sequence[int], token: str | None) -> None:
        """Add rows to `otel_logs`."""
        lines = batch.columns["Body"]
        if not self.refused.isdisjoint(lines):
            raise self.refusal

        def make() -> None:
            self.logs.extend(lines)
            self.log_rows.update((segment, row) for row in rows)

        self._insert("logs", lambda: self._once(token, make))

    def insert_contents(self, held: Sequence[HeldContent]) -> None:
        """Add rows to `messages` and `message_chains`."""
        rows = {(one.unit, one.facts.span_id): one.content for one in held}
        self._insert("contents", lambda: self.contents.update(rows))

    def forget_contents(self) -> None:
        """Take no message for stored any more."""

    def insert_facts(self, facts: Mapping[int, WrittenFacts], version: int) -> None:
        """Add rows to `trace_facts`."""

        def make() -> None:
            for trace_id, (_, _, written, _) in facts.items():
                self.facts.setdefault(trace_id, []).extend(from_json(written))

        self._insert("facts", make)

    def project(
        self, traces: Iterable[ChangedTrace], version: int, pricer: Pricer | None, *, context: Context = NO_CONTEXT
    ) -> GroupChanges:
        """Add rows to `session_traces`."""
        changes = group_changes(traces, pricer, context)
        if changes.written or changes.gone:
            rows = {(group.trace_id, (group.key, group.value)): (version, group) for group in changes.written}
            gone = dict.fromkeys(changes.gone, (version, None))
            self._insert("groups", lambda: self.groups.update({**rows, **gone}))
        return changes

    def facts_of(self, trace_ids: Collection[int]) -> Mapping[int, list[SpanFacts]]:
        """The stored facts by trace id."""
        return {trace_id: self.facts[trace_id] for trace_id in trace_ids if trace_id in self.facts}

    def place_scores(
        self, traces: Mapping[int, Collection[SpanFacts]], version: int, new: Collection[Score]
    ) -> frozenset[Pair]:
        """Add scores by their ids."""
        before = len(self.scores)
        self.scores.update((score.id, score) for score in new)
        return frozenset(pair for score in new for pair in score.given) if len(self.scores) > before else frozenset()

    def pairs_of(self, trace_ids: Collection[int]) -> Mapping[int, Collection[Pair]]:
        """The sessions of the written trace groups, by trace id."""
        found: dict[int, set[Pair]] = {}
        for (trace_id, pair), (_, group) in self.groups.items():
            if trace_id in trace_ids and group is not None:
                found.setdefault(trace_id, set()).add(pair)
        return found

    def traces_near(self, sessions: Mapping[Pair, tuple[int, int]]) -> set[int]:
        """The traces of sessions that overlap a time."""
        return {
            trace_id
            for (trace_id, pair), (_, group) in self.groups.items()
            if group is not None and group.turns is None and pair in sessions
            if group.start <= sessions[pair][1] and group.end >= sessions[pair][0]
        }

    def stored_log_rows(self, segment: int) -> set[int]:
        """The numbers of the log records of a segment that have rows."""
        return {row for of_segment, row in self.log_rows if of_segment == segment}

    def stored_spans(self, trace_ids: Collection[int]) -> set[tuple[int, int]]:
        """The (trace id, span id) of rows."""
        return {pair for pair in self.spans if pair[0] in trace_ids}

    def probe(self) -> None:
        """Find out whether other rows can be stored."""
        self.probes += 1
        if self.probe_faults:
            raise self.probe_faults.pop(0)

    def session(self, value: str) -> SessionRollup:
        """The session that a reader gets."""
        groups = [group for (_, pair), (_, group) in self.groups.items() if pair == ("id", value) and group is not None]
        return fold("id", value, groups)


class HeldSpans(Memory):
    """Memory whose inserts of spans wait until they are told to go on.

    Attributes:
        entered: set while one waits.
        go_on: lets it go on when it is set.
        before: called when an insert begins.
    """

    def __init__(self) -> None:
        super().__init__()
        self.entered = threading.Event()
        self.go_on = threading.Event()
        self.before: Callable[[], object] = lambda: None

    def insert_spans(self, batch: SpanBatch, token: str | None) -> None:
        """Add rows, once told to go on."""
        self.before()
        self.entered.set()
        assert self.go_on.wait(DEADLINE)
        super().insert_spans(batch, token)
