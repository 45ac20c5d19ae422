"""`records_to_store`: which log records of a request are not stored yet, when a file of records is brought in again.

A log record has no id: two that say the same may be two records. So a file says how many equal ones came before in it, and the record is
stored unless as many and one more are. The file then changes nothing the second time, whether it was cut short, came from this
store, or shares records with another file.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.clickhouse.columns import COLUMNS, LOGS
from otel_sessions.server.clickhouse.row_binary import writer
from otel_sessions.server.clickhouse.times import LATEST_PARTITION
from otel_sessions.server.ingest.stored_rows import statement
from otel_sessions.server.otlp.batch import SENT_LOG_COLUMNS, LogBatch

_WRITERS: Final = {name: writer(COLUMNS[LOGS][name]) for name in SENT_LOG_COLUMNS}
_EXPRESSIONS: Final = ", ".join(
    # A Collector fills one column of flags only.
    "if(Flags = 0, toUInt32(TraceFlags), Flags)" if name == "Flags" else f"`{name}`"
    for name in SENT_LOG_COLUMNS
)


def records_to_store(store: Store, batch: LogBatch, before: Mapping[int, int]) -> list[int]:
    """The places of the records that are to be stored, in order.

    Args:
        store: has everything that was acknowledged; nothing that this looks for may be committed meanwhile.
        batch: the records.
        before: by place, how many records equal to it came before this request; it holds for the equal ones behind it too.
    """
    digests = _digests(batch)
    stored = _stored(store, batch, digests)
    came: Counter[str] = Counter()
    places = []
    for place, digest in enumerate(digests):
        if place in before:
            came[digest] = max(came[digest], before[place])
        came[digest] += 1
        if came[digest] > stored.get(digest, 0):
            places.append(place)
    return places


def _digests(batch: LogBatch) -> list[str]:
    written = []
    for name in SENT_LOG_COLUMNS:
        values: Sequence[object] = batch.columns[name]
        if name == "Timestamp":
            values = [min(moment, LATEST_PARTITION) for moment in batch.columns[name]]
        write = _WRITERS[name]
        last: object = None
        raw = b""
        column = []
        for value in values:
            if value is not last:
                last, raw = value, write(value)
            column.append(raw)
        written.append(column)
    return [hashlib.sha256(b"".join(row)).digest()[:16].hex().upper() for row in zip(*written, strict=True)]


def _stored(store: Store, batch: LogBatch, digests: Sequence[str]) -> dict[str, int]:
    moments = sorted({min(moment, LATEST_PARTITION) for moment in batch.columns["Timestamp"]})
    parameters = {"first": moments[0], "last": moments[-1], "moments": moments, "digests": sorted(set(digests))}
    with store.reading() as client:
        rows = client.query(statement("stored_copies", columns=_EXPRESSIONS), parameters=parameters).result_rows
    return {digest: int(copies) for digest, copies in rows}
