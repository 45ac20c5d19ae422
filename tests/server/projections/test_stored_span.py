"""A span read back from its row counts as it did when it was received."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

import clickhouse_connect
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from tests.counting.anything import NAMES, WORDS
from tests.server.otlp.building import AT, any_values, decoded, key_values, texts, words

from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.clickhouse.columns import COLUMNS, TRACES
from otel_sessions.server.clickhouse.insert import insert_rows
from otel_sessions.server.clickhouse.span_rows import AS_NUMBERS, SPAN_COLUMNS
from otel_sessions.server.clickhouse.store_settings import StoreSettings
from otel_sessions.server.ingest.commit_target import ClickHouseTarget
from otel_sessions.server.projections.rebuild import rebuild
from otel_sessions.server.projections.stored_span import facts_of_row
from otel_sessions.server.projections.trace_facts import facts_of

_trace_ids = count(1)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """An open store for all tests of this file; every example has its own trace in it."""
    folder = tmp_path_factory.mktemp("reread")
    engine = clickhouse_connect.get_client(dsn=f"chdb://{folder}")
    store = Store(StoreSettings(f"chdb://{folder}", readers=1))
    yield store
    store.close()
    engine.close()


_values = any_values | st.sampled_from([word for word in WORDS if word.isprintable()])
_names = st.sampled_from([*NAMES, "deployment.environment", "anything"]) | texts
_attributes = st.lists(st.tuples(_names, _values), max_size=8)
_resources = st.lists(
    st.tuples(
        st.sampled_from(["service.name", "deployment.environment", "deployment.environment.name"]),
        st.sampled_from(["shop", "", None, 7, True, b"x"]),
    ),
    max_size=4,
)
_times = st.sampled_from([0, 1, AT, AT + 9, 2**63 - 1, 2**63, 2**64 - 1])
_parents = st.sampled_from([b"", bytes(8), bytes(7), b"\x01" * 7, b"\x02" * 8, b"\x03" * 9, (1).to_bytes(8)])


@st.composite
def requests(draw: st.DrawFn) -> Any:
    """Requests whose spans have each counted attribute in any type, repeated, or not at all."""
    request = ExportTraceServiceRequest()
    trace_id = next(_trace_ids).to_bytes(16)
    for resource in range(draw(st.integers(1, 2))):
        spans = request.resource_spans.add()
        spans.resource.attributes.extend(pairs(draw(_resources)))
        scope = spans.scope_spans.add()
        scope.scope.name = draw(st.sampled_from(["", "app", "openinference.instrumentation.openai", "ai", "é😀"]))
        for number in range(draw(st.integers(1, 3))):
            span = scope.spans.add(
                trace_id=trace_id,
                span_id=(16 * resource + number + 1).to_bytes(8),
                parent_span_id=draw(_parents),
                name=draw(words),
                start_time_unix_nano=draw(_times),
                end_time_unix_nano=draw(_times),
                attributes=pairs(draw(_attributes)),
            )
            if draw(st.booleans()):
                span.status.code = draw(st.integers(0, 2))
    return request


def pairs(attributes: list[tuple[str, Any]]) -> list[Any]:
    """Attributes with repeated names."""
    return [one for name, value in attributes for one in key_values({name: value})]


def rows_of(store: Store, trace_id: int) -> dict[int, dict[str, Any]]:
    """The rows of a trace by span id."""
    with store.reading() as client:
        answer = client.query(
            f"SELECT {SPAN_COLUMNS} FROM otel_traces WHERE TraceId = {{trace_id:String}}",
            parameters={"trace_id": f"{trace_id:032x}"},
            query_formats=AS_NUMBERS,
        )
        return {int(row["SpanId"], 16): row for row in answer.named_results()}


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture], deadline=None)
@given(request=requests())
def test_a_span_read_back_counts_the_same(store: Store, request: Any) -> None:
    """A stored span gives the same facts as the received one, for attributes of every type, impossible times and parents, and repeated names."""
    batch = decoded(request)
    ClickHouseTarget(store).insert_spans(batch, None)
    rows = rows_of(store, batch.trace_ids[0])
    assert len(rows) == len(batch.facts)
    # As text, since NaN is not equal to itself, and `1` is equal to `True`.
    assert [repr(facts_of_row(rows[facts.span_id])) for facts in batch.facts] == [repr(facts) for facts in batch.facts]


def collectors_row(store: Store, **more: Any) -> int:
    """Insert a row as a Collector does, with our columns empty and every value as text, and return the id of its trace."""
    trace_id = next(_trace_ids)
    row = {
        "Timestamp": AT,
        "TraceId": f"{trace_id:032x}",
        "SpanId": f"{7:016x}",
        "SpanName": "chat",
        "ServiceName": "shop",
        "ResourceAttributes": {"service.name": "shop"},
        "ScopeName": "app",
        "SpanAttributes": {"session.id": "s1", "gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": "12"},
        "Duration": 5,
        **more,
    }
    insert_rows(store, TRACES, {name: [row[name]] for name in COLUMNS[TRACES] if name in row})
    return trace_id


@pytest.mark.parametrize(
    ("status", "failed"), [("Error", True), ("STATUS_CODE_ERROR", True), ("Ok", False), ("", False)]
)
def test_a_row_of_a_collector_counts(store: Store, status: str, *, failed: bool) -> None:
    """The times, sessions, tokens and failures of a row that a Collector wrote are counted."""
    (facts,) = map(facts_of_row, rows_of(store, collectors_row(store, StatusCode=status)).values())
    assert (facts.start, facts.end, facts.failed) == (AT, AT + 5, failed)
    assert (facts.values, facts.labels.service, facts.parent_id) == ((("id", "s1"),), "shop", None)
    assert facts.call is not None
    assert facts.call.usage is not None
    assert facts.call.usage.input_tokens == 12


def test_rebuild_reads_them(store: Store) -> None:
    """A rebuild counts the rows that a Collector wrote."""
    trace_id = collectors_row(store)
    assert rebuild(store) > 0
    (facts,) = facts_of(store, [trace_id])[trace_id]
    assert facts.values == (("id", "s1"),)
