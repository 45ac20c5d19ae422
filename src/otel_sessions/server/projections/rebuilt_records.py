"""`RebuiltRecords`: the facts and messages of log records again, and the columns of their rows that tell where these are.

A Collector, or a version that did not count log records, leaves these columns empty. A deletion finds rows by them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from struct import Struct
from typing import Final

from otel_sessions.counting.facts import SpanFacts
from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.clickhouse.columns import FACTS
from otel_sessions.server.clickhouse.insert import insert_written
from otel_sessions.server.otlp.contents import HeldContent
from otel_sessions.server.projections.contents import insert_contents
from otel_sessions.server.projections.seen_messages import SeenMessages
from otel_sessions.server.projections.statements import statement
from otel_sessions.server.projections.stored_record import LOG_FACT_COLUMNS, read_log_row
from otel_sessions.server.projections.trace_facts import chunks, insert_facts, stream

_PLACES: Final = "log_places_rebuilt"
_UINT64: Final = Struct("<Q").pack
_AT_ONCE: Final = {"mutations_sync": 2, "allow_nondeterministic_mutations": 1}
"""The statement returns when it is done; what it looks up does not change meanwhile."""


def rebuild_records(
    store: Store, suffix: str, version: int, batch: int, seen: SeenMessages, tell: Callable[[int], object]
) -> None:
    """Compute the facts and messages of all stored log records again, and correct the columns that tell where these are.

    Args:
        store: where the rows are.
        suffix: of the names of the tables where they go.
        version: of the facts.
        batch: how many rows are in memory and in one insert.
        seen: messages that need not be added.
        tell: called with how many rows are done.
    """
    row_id = statement("log_row_id")
    _forget_places(store)
    with store.writing() as client:
        client.command(statement("create_log_places_rebuilt"))
    done = moved = 0
    for some in chunks(stream(store, statement("log_rows", columns=LOG_FACT_COLUMNS, row_id=row_id)), batch):
        by_unit: dict[int, list[SpanFacts]] = {}
        places: dict[bytes, tuple[int, int]] = {}
        held: list[HeldContent] = []
        for row in some:
            counted, said = read_log_row(row)
            place = (0, 0) if counted is None else (counted.unit, counted.facts.span_id)
            if counted is not None:
                by_unit.setdefault(counted.unit, []).append(counted.facts)
            if said is not None:
                held.append(said)
            if place != (row["CountedIn"], row["CountedAs"]):
                places[row["Row"]] = place
        if by_unit:
            insert_facts(store, by_unit, version, table=FACTS + suffix)
        insert_contents(store, held, seen, suffix=suffix)
        if places:
            _insert_places(store, places)
            moved += len(places)
        done += len(some)
        tell(done)
    if moved:
        with store.writing() as client:
            client.command(
                statement("place_logs", row_id=row_id),
                parameters={"places": f"{store.database}.{_PLACES}"},
                settings=_AT_ONCE,
            )
    _forget_places(store)


def _insert_places(store: Store, places: Mapping[bytes, tuple[int, int]]) -> None:
    rows = [row + unit.to_bytes(16, "little") + _UINT64(id_) for row, (unit, id_) in places.items()]
    insert_written(store, _PLACES, ["Row", "CountedIn", "CountedAs"], rows)


def _forget_places(store: Store) -> None:
    with store.writing() as client:
        client.command(statement("drop_log_places_rebuilt"))
