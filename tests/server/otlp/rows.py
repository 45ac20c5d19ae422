"""Rows in RowBinary, read back to Python by the types of their columns."""

from __future__ import annotations

import struct
from typing import Any

from otel_sessions.server.clickhouse.columns import COLUMNS, TRACES
from otel_sessions.server.otlp.batch import SpanBatch
from otel_sessions.server.otlp.spans import ROW

_NUMBERS = {"UInt32": "<I", "UInt64": "<Q", "DateTime64(9)": "<q"}


class _Reader:
    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.at = 0

    def take(self, size: int) -> bytes:
        """The next bytes."""
        assert self.at + size <= len(self.raw), "the row ends early"
        self.at += size
        return self.raw[self.at - size : self.at]

    def length(self) -> int:
        """A variable-length integer."""
        number = shift = 0
        while True:
            (byte,) = self.take(1)
            number |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return number

    def value(self, kind: str) -> Any:
        """A value of a ClickHouse type."""
        if kind.startswith("LowCardinality("):
            return self.value(kind.removeprefix("LowCardinality(")[:-1])
        if kind == "String":
            return self.take(self.length()).decode()
        if kind.startswith("Array("):
            inner = kind.removeprefix("Array(")[:-1]
            return [self.value(inner) for _ in range(self.length())]
        if kind.startswith("Map("):
            name, _, text = kind.removeprefix("Map(")[:-1].partition(", ")
            count = self.length()
            members = [(self.value(name), self.value(text)) for _ in range(count)]
            assert len(dict(members)) == count, "a name twice in one map"
            return dict(members)
        form = _NUMBERS[kind]
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]


def read_row(raw: bytes) -> dict[str, Any]:
    """One row by column name."""
    reader = _Reader(raw)
    row = {name: reader.value(COLUMNS[TRACES][name]) for name in ROW}
    assert reader.at == len(raw), "the row is longer than its columns"
    return row


def columns(batch: SpanBatch) -> dict[str, list[Any]]:
    """All rows of a batch, by column."""
    rows = [read_row(raw) for raw in batch.rows]
    return {name: [row[name] for row in rows] for name in ROW}
