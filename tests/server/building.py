"""Traces for tests of the store: facts of spans, their rows, and functions that write both as ingest does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from otel_sessions.counting.facets import FACETS
from otel_sessions.counting.facts import Call, Labels, SpanFacts
from otel_sessions.counting.fold import fold
from otel_sessions.counting.membership import Pair
from otel_sessions.counting.prices.pricer import Cost
from otel_sessions.counting.session import SessionRollup
from otel_sessions.counting.tokens import Usage
from otel_sessions.counting.trace import TraceGroup, roll_up
from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.clickhouse.columns import COLUMNS, TRACES
from otel_sessions.server.clickhouse.insert import insert_rows
from otel_sessions.server.clickhouse.span_rows import Row, span_hex, trace_hex
from otel_sessions.server.projections.changes import GroupChanges
from otel_sessions.server.projections.facts_json import from_json, to_json
from otel_sessions.server.projections.projection import write_groups
from otel_sessions.server.projections.sessions import SessionRows
from otel_sessions.server.projections.stored_span import ReadSpan
from otel_sessions.server.projections.trace_facts import insert_facts
from otel_sessions.server.queries.filters import SessionFilters

SECOND = 10**9
AT = 1_795_000_000 * SECOND
"""The start of spans that are built without one, in November 2026."""

HOSTILE = (
    "../../etc/passwd",
    "a/b?c#d%20",
    "'; DROP TABLE otel_traces; --",
    "<script>alert('x')</script>",
    "{id:String} %s %(id)s ${after} \\' \\\\ \\n",
    '"quoted" `ticked` $1 /* no */ -- no',
)
"""Ids that the rules accept and that are hostile in SQL, HTML or paths; all are printable ASCII."""

HOSTILE_TEXTS = (*HOSTILE, "tab\tnew\nline\0nul", "漢字 \u202e é 😀")

Traces = Mapping[int, Sequence[SpanFacts]]


def span(span_id: int = 1, parent_id: int | None = None, *, session: str | None = None, **more: Any) -> SpanFacts:
    """The facts of a plain span of one second."""
    start = more.pop("start", AT)
    given: dict[str, Any] = {"end": start + SECOND, "failed": False, "kind": "other", "scope": "app"}
    if session is not None:
        given["values"] = (("id", session),)
    return SpanFacts(span_id, parent_id, start, **{**given, "name": f"span {span_id}", **more})


def call(cost: str | None = None, tokens: int | None = None, model: str = "gpt-4o") -> dict[str, Any]:
    """The fields that make a span a model call."""
    usage = None if tokens is None else Usage(input_tokens=tokens, output_tokens=0)
    reported = None if cost is None else Cost(None, None, Decimal(cost), "reported:test")
    return {"kind": "llm", "call": Call(usage, model, provider="openai", reported=reported)}


def columns_of(spans: Iterable[tuple[int, SpanFacts]]) -> dict[str, list[Any]]:
    """The columns of the rows of spans; `read_span` reads the facts back from an attribute."""
    columns: dict[str, list[Any]] = {name: [] for name in COLUMNS[TRACES]}
    for trace_id, one in spans:
        row: dict[str, Any] = {
            "Timestamp": one.start,
            "TraceId": trace_hex(trace_id),
            "SpanId": span_hex(one.span_id),
            "ParentSpanId": "" if one.parent_id is None else span_hex(one.parent_id),
            "SpanName": one.name,
            "ServiceName": one.labels.service or "",
            "SpanAttributes": {"facts": to_json([one]).decode()},
            "Duration": max(one.end - one.start, 0),
            "StartTimeUnixNano": one.start,
            "EndTimeUnixNano": one.end,
        }
        for name, kind in COLUMNS[TRACES].items():
            columns[name].append(row.get(name, empty(kind)))
    return columns


def empty(kind: str) -> Any:
    """The empty value of a column's type."""
    if kind.startswith("Array"):
        return []
    if kind.startswith("Map"):
        return {}
    return "" if "String" in kind else 0


def read_span(row: Row) -> ReadSpan:
    """The facts that `columns_of` put into a row."""
    (facts,) = from_json(row["SpanAttributes"]["facts"])
    return ReadSpan(facts, None)


def write(store: Store, traces: Traces, *, version: int = 1) -> None:
    """Write spans, facts and trace groups."""
    insert_rows(store, TRACES, columns_of((trace_id, one) for trace_id, spans in traces.items() for one in spans))
    insert_facts(store, {trace_id: spans for trace_id, spans in traces.items() if spans}, version)
    store_groups(store, groups_of(traces), version=version)


def store_groups(
    store: Store, written: Sequence[TraceGroup], gone: Sequence[tuple[int, Pair]] = (), *, version: int = 1
) -> None:
    """Write trace groups, and the rows of their sessions."""
    rows = SessionRows(store)
    insert_groups(store, written, gone, version)
    rows.mark_changed(written, [pair for _, pair in gone], version)
    rows.refresh()


def insert_groups(
    store: Store, written: Sequence[TraceGroup], gone: Sequence[tuple[int, Pair]] = (), version: int = 1
) -> None:
    """Write trace groups only."""
    write_groups(store, GroupChanges(list(written), list(gone)), version)


def filters(**conditions: Any) -> SessionFilters:
    """Filters from the names of query parameters, which include facets and `min_<measure>`."""
    facets = {name: value for name, value in conditions.items() if name in FACETS}
    minimums = {name.removeprefix("min_"): value for name, value in conditions.items() if name.startswith("min_")}
    others = {name: value for name, value in conditions.items() if name not in facets and not name.startswith("min_")}
    return SessionFilters(facets=facets, minimums=minimums, **others)


def groups_of(traces: Traces) -> list[TraceGroup]:
    """The trace groups as the library counts them."""
    rollups = (roll_up(trace_id, spans) for trace_id, spans in traces.items())
    return [group for rollup in rollups if rollup is not None for group in rollup.groups]


def sessions_of(traces: Traces, key: str = "id") -> list[SessionRollup]:
    """The sessions as the library counts them."""
    groups = [group for group in groups_of(traces) if group.key == key]
    return [
        fold(key, value, (group for group in groups if group.value == value))
        for value in sorted({group.value for group in groups})
    ]


def count(store: Store, table: str) -> int:
    """The number of rows of a table."""
    with store.reading() as client:
        return int(client.query(f"SELECT count() FROM {table}").result_rows[0][0])


_texts = st.one_of(st.sampled_from(HOSTILE_TEXTS), st.text(max_size=8))
_ids = st.sampled_from((*HOSTILE, "s1", "s2"))
_tokens = st.none() | st.integers(0, 10**12)
_amounts = st.one_of(
    st.decimals(min_value=0, max_value=1000, places=12),
    st.sampled_from([Decimal("1E-38"), Decimal(0), Decimal("0.10"), Decimal("12345678901234567890.000000000000001")]),
)
_costs = st.builds(Cost, st.none() | _amounts, st.none() | _amounts, _amounts, st.sampled_from(["list", "reported:x"]))
_metadata = st.one_of(
    st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False, allow_infinity=False), _texts
)
_labels = st.builds(
    Labels,
    st.none() | _texts,
    st.none() | _ids,
    st.lists(_texts, max_size=3).map(tuple),
    st.dictionaries(st.sampled_from(["plan", "n.1"]), _metadata, max_size=2).map(
        lambda some: tuple(sorted(some.items()))
    ),
    st.none() | _texts,
    st.none() | _texts,
)
_calls = st.builds(
    Call,
    st.none() | st.builds(Usage, _tokens, _tokens, _tokens, _tokens, _tokens, _tokens, _tokens, _tokens),
    st.none() | _texts,
    st.none() | _texts,
    st.none() | _texts,
    st.none() | st.sampled_from(["resp-1", "resp-2"]),
    st.none() | st.sampled_from(["call-1", "call-2"]),
    st.sampled_from([(), (("service_tier", "flex"),)]),
    st.none() | _costs,
    st.booleans(),
)
span_ids = st.integers(1, 6) | st.just(2**64 - 1)
facts = st.builds(
    SpanFacts,
    span_ids,
    st.none() | span_ids,
    st.integers(0, 5).map(lambda i: AT + i * 100 * SECOND) | st.integers(0, 2**64 - 1),
    st.integers(0, 5).map(lambda i: AT + i * 130 * SECOND) | st.integers(0, 2**64 - 1),
    st.booleans(),
    st.sampled_from(["llm", "other", "tool", "agent", "pending"]),
    _texts,
    _texts,
    st.dictionaries(st.sampled_from(["id", "ticket"]), _ids, max_size=2).map(lambda some: tuple(sorted(some.items()))),
    st.sampled_from([(), (), ("id",), ("*",)]),
    _labels,
    st.none() | _calls,
    rank=st.sampled_from((0, 0, 1, 3)),
    event=st.just(""),
)
traces = st.dictionaries(
    st.integers(1, 2**128 - 1), st.lists(facts, min_size=1, max_size=5, unique_by=lambda one: one.span_id), max_size=5
)
