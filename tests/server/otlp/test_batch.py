"""Batches of rows: some are taken, several are put together."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.server.otlp.building import decoded, log_requests, row, traces
from tests.server.otlp.decoding import decode_logs
from tests.server.otlp.rows import columns

from otel_sessions.server.otlp.batch import LOG_COLUMNS, LogBatch, SpanBatch, joined


def test_columns() -> None:
    """An empty batch of log records has all columns, in the order of the table: the Collector's, then ours."""
    assert tuple(LogBatch().columns) == LOG_COLUMNS
    assert len(SpanBatch()) == len(LogBatch()) == 0
    assert LOG_COLUMNS.index("ObservedTimestamp") == 16


@settings(deadline=None)
@given(st.lists(st.integers(0, 4)))
def test_take_spans(indices: list[int]) -> None:
    """Rows at places are taken in their order, with their facts and trace ids."""
    batch = decoded(traces(*({"trace_id": bytes([number] * 16)} for number in range(1, 6))))
    taken = batch.take(indices)
    assert len(taken) == len(indices)
    assert [row(taken, place) for place in range(len(indices))] == [row(batch, index) for index in indices]
    assert taken.facts == [batch.facts[index] for index in indices]
    assert taken.trace_ids == [batch.trace_ids[index] for index in indices]


def test_extend_spans() -> None:
    """A batch is extended by the rows of another one, which stays as it was."""
    one, other = decoded(traces({"name": "a"})), decoded(traces({"name": "b"}, {"name": "c"}))
    one.extend(other)
    assert columns(one)["SpanName"] == [facts.name for facts in one.facts] == ["a", "b", "c"]
    assert len(one.trace_ids) == len(one) == 3
    assert len(other) == 2


@settings(deadline=None)
@given(log_requests(), st.data())
def test_logs(request: Any, data: st.DataObject) -> None:
    """Log rows are taken and put together like spans."""
    batch, _ = decode_logs(request.SerializeToString())
    place = st.integers(0, max(len(batch) - 1, 0))
    indices = data.draw(st.lists(place, max_size=5 if len(batch) else 0))
    taken = batch.take(indices)
    whole = batch.take(range(len(batch)))
    whole.extend(taken)
    assert len(whole) == len(batch) + len(indices)
    assert {len(values) for values in whole.columns.values()} == {len(whole)}
    for place_taken, index in enumerate(indices):
        assert repr(row(whole, len(batch) + place_taken)) == repr(row(batch, index))


def test_joined() -> None:
    """Several batches become one, in order, and stay as they are."""
    batches = [decoded(traces({"name": name})) for name in "abc"]
    assert columns(joined(batches))["SpanName"] == ["a", "b", "c"]
    assert [len(batch) for batch in batches] == [1, 1, 1]


def test_log_rows_share_columns() -> None:
    """Log rows are added with columns of their own and columns that they share; none may be missing."""
    shared = {name: name.lower() for name in LOG_COLUMNS[2:]}
    batch = LogBatch()
    batch.add([(1, "a"), (2, "b")], shared)
    batch.add([], shared)
    assert len(batch) == 2
    assert row(batch, 1) == {**shared, LOG_COLUMNS[0]: 2, LOG_COLUMNS[1]: "b"}
    with pytest.raises(ValueError, match="zip"):
        batch.add([(1,)], shared)
