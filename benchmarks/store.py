"""`python -m benchmarks.store`: the time that lists of sessions take in the store, and the bytes of a span on disk.

Lists: two session keys, 2.5 traces a session, in rows that the engine itself makes as the store writes them; a page and
the total by each measure and filter, in different states of merging. Disk: spans of `benchmarks.spans`, received as a
server receives them.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, Final

from benchmarks.spans import BATCH, SPANS_A_TRACE, SpanStream
from benchmarks.tables import Row, Table
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans

from otel_sessions import default_pricer
from otel_sessions.counting.measures import MEASURES
from otel_sessions.server.backend import Backend
from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.clickhouse.store_settings import StoreSettings
from otel_sessions.server.projections.compaction import compact_sessions
from otel_sessions.server.projections.sessions import GROUPS_AT_ONCE, SessionRows
from otel_sessions.server.queries.cohorts import cohorts
from otel_sessions.server.queries.filters import SessionFilters
from otel_sessions.server.queries.sessions import get_session, keys, list_sessions, session_traces
from otel_sessions.server.signals import TRACES

_ROWS = """
INSERT INTO session_traces (Key, Id, TraceId, Version, Start, End, SpanCount, Failed, Name, NameAfter, TotalTokens,
    TotalCost, UserIds, Services, Environments, Tags, Models, MetadataKeys, MetadataAfter, MetadataValues, Content)
WITH intDiv(number * 2, 5) AS session
SELECT
    arrayJoin(['id', 'ticket_id']) AS key,
    if(key = 'id', concat('sess-', lower(hex(sipHash128(session)))), concat('ticket-', toString(session))),
    reinterpretAsUInt128(sipHash128(number, 'trace')),
    {part:UInt64},
    1795000000000000000 + session * 1000000000 + number % 7 * 3000000000 + cityHash64(number) % 1000000000 AS start,
    start + 1000000 * (number % 5000) + cityHash64(number, 'end') % 1000000,
    8,
    number % 23 = 0,
    concat('Order #', toString(session)) AS name,
    0,
    if(number % 3 != 0, cityHash64(number, 'tokens') % 20000, NULL) AS tokens,
    toDecimal256(tokens, 38) / 1000000,
    [concat('user-', toString(cityHash64(session) % 20000)) AS user],
    [concat('service-', toString(number % 5)) AS service],
    [if(number % 10 = 0, 'staging', 'production') AS environment],
    ['support', concat('tag-', toString(number % 10))],
    [concat('model-', toString(number % 3)) AS model],
    ['plan'],
    [0],
    [if(number % 4 = 0, '"pro"', '"free"')],
    concat('[false,["handle"],["', service, '"],["', environment, '"],["', user, '"],["support","tag-',
        toString(number % 10), '"],[', toString(start), ',"', name, '"],[["plan",', toString(start), ',"free"]],',
        '[["openai","', model, '",1,0,[', toString(ifNull(tokens, 0)), ',100,null,null,null],["0.0001","0.0002","0.00',
        toString(ifNull(tokens, 0)), '"],["genai-prices"]]]]')
FROM numbers({first:UInt64}, {rows:UInt64})
"""
_ONE_PART: Final = {
    "max_threads": 1,
    "max_insert_threads": 1,
    "max_block_size": 1 << 22,
    "min_insert_block_size_rows": 1 << 23,
    "min_insert_block_size_bytes": 0,
}
_WITHOUT_MERGES: Final = (
    "ALTER TABLE {0} MODIFY SETTING "
    "max_bytes_to_merge_at_max_space_in_pool = 1, max_bytes_to_merge_at_min_space_in_pool = 1"
)
_PARTS: Final = "SELECT count() FROM system.parts WHERE active AND database = currentDatabase() AND table = 'sessions'"
_DISK: Final = """
SELECT table, sum(bytes_on_disk) / {rows:UInt64} AS size
FROM system.parts WHERE active AND database = currentDatabase()
GROUP BY table HAVING size >= 0.05 ORDER BY size DESC
"""
_COLUMNS: Final = """
SELECT table, column, sum(column_data_compressed_bytes) / {rows:UInt64} AS size
FROM system.parts_columns WHERE active AND database = currentDatabase()
GROUP BY table, column HAVING size >= 2 ORDER BY size DESC
"""
_TABLES: Final = ("otel_traces", "otel_traces_trace_id_ts", "trace_facts", "session_traces", "sessions")

FILTERS: Final = {
    "q, of an id": SessionFilters(q="f3a9b1"),
    "q, of names": SessionFilters(q="order #1234"),
    "q, short": SessionFilters(q="a7"),
    "q, of all": SessionFilters(q="order"),
    "name": SessionFilters(name="Order #77"),
    "user_id": SessionFilters(facets={"user_id": "user-77"}),
    "environment": SessionFilters(facets={"environment": "staging"}),
    "service": SessionFilters(facets={"service": "service-3"}),
    "tag": SessionFilters(facets={"tag": "tag-3"}),
    "model": SessionFilters(facets={"model": "model-2"}),
    "metadata": SessionFilters(metadata={"plan": "pro"}),
    "metadata, unknown": SessionFilters(metadata={"plan": "none"}),
    "failed": SessionFilters(failed=True),
    "since, until": SessionFilters(since=1_795_010_000_000_000_000, until=1_795_020_000_000_000_000),
    "min_cost": SessionFilters(minimums={"cost": Decimal("0.05")}),
    "another key": SessionFilters(key="ticket_id", q="ticket-1234"),
}


def lists(folder: Path, *, quick: bool = False, sessions: int = 500_000) -> Table:
    """Medians of page and total, in ms.

    Args:
        folder: the store; rows of an earlier call are used again.
        quick: make a few rows only.
        sessions: the number of sessions.
    """
    sessions, rounds = (2_000, 1) if quick else (sessions, 7)
    groups = sessions * 5 // 2
    states = {
        "even parts": [groups // 7] * 6 + [groups - groups // 7 * 6],
        "1 large, 6 small parts": [groups - groups // 100 * 6, *[groups // 100] * 6],
        "merged": [groups],
    }
    stores = {}
    with ExitStack() as closing:
        # A process has one engine, and a store locks its folder: the databases share one.
        for state, parts in states.items():
            stores[state] = Store(
                StoreSettings(f"chdb://{folder}", database=f"lists_{sessions}_{len(parts)}_{parts[0]}")
            )
            _fill(stores[state], parts)
            stores[state].close()
        seen: dict[str, list[float]] = {}
        columns = []
        for state, store in stores.items():
            opened = Store(StoreSettings(f"chdb://{folder}", database=store.database))
            closing.callback(opened.close)
            with opened.reading() as client:
                columns.append(f"{state} ({client.query(_PARTS).result_rows[0][0]})")
            _time_all(opened, rounds, seen)
            closing.close()
    return Table(
        f"{groups:,} traces of {sessions:,} sessions of two keys: page of 50 and total, ms, median of {rounds}",
        tuple(columns),
        [Row(name, tuple(f"{one:.0f}" for one in times), _target(name)) for name, times in seen.items()],
    )


def disk(folder: Path, *, quick: bool = False) -> Table:
    """Bytes a span after all merges, by table and for the largest columns."""
    batches = 8 if quick else 400
    url = f"chdb://{folder}"
    backend = Backend(Store(StoreSettings(url, database="disk")), folder / "requests", pricer=default_pricer())
    with backend.store.writing() as client:
        for table in _TABLES:
            client.command(f"TRUNCATE TABLE IF EXISTS {table}")
    for batch in SpanStream().batches(batches, sessions=batches * BATCH // SPANS_A_TRACE * 2 // 5):
        backend.receive(TRACES, encode_spans(batch).SerializeToString())
    backend.settle(600)
    with backend.store.writing() as client:
        for table in _TABLES:
            client.command(f"OPTIMIZE TABLE {table} FINAL")
        spans = int(client.query("SELECT count() FROM otel_traces").result_rows[0][0])
        by_table = client.query(_DISK, parameters={"rows": spans}).result_rows
        by_column = client.query(_COLUMNS, parameters={"rows": spans}).result_rows
    backend.close()
    rows = [Row("all", (f"{sum(size for _, size in by_table):.1f}",), "120")]
    rows += [Row(table, (f"{size:.1f}",)) for table, size in by_table]
    rows += [Row(f"  {table}.{column}", (f"{size:.1f}",)) for table, column, size in by_column]
    return Table(f"{spans:,} spans of one session key, {SPANS_A_TRACE} a trace: bytes a span on disk", ("bytes",), rows)


def _target(name: str) -> str:
    return "50" if name in ("one session", "its traces") else "150"


def _fill(store: Store, parts: list[int]) -> None:
    with store.writing() as client:
        if int(client.query("SELECT count() FROM session_traces").result_rows[0][0]) == 2 * sum(parts):
            return
        for table in ("session_traces", "sessions"):
            client.command(f"TRUNCATE TABLE {table}")
            client.command(_WITHOUT_MERGES.format(table))
        first = 0
        for number, rows in enumerate(parts, start=1):
            parameters = {"part": number, "first": first, "rows": rows}
            client.command(_ROWS, parameters=parameters, settings=_ONE_PART)
            first += rows
            SessionRows(store)
            if rows > GROUPS_AT_ONCE:
                compact_sessions(store, parts=0)


def _time_all(store: Store, rounds: int, seen: dict[str, list[float]]) -> None:
    one = list_sessions(store, limit=1).sessions[0].id
    work: dict[str, Callable[[], Any]] = {f"sort {sort}": partial(list_sessions, store, sort=sort) for sort in MEASURES}
    work |= {f"filter {name}": partial(list_sessions, store, filters) for name, filters in FILTERS.items()}
    work |= {
        "one session": lambda: get_session(store, one),
        "its traces": lambda: session_traces(store, one),
        "keys": lambda: keys(store),
        "cohorts by model": lambda: cohorts(store, "model"),
    }
    times: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(rounds):
        for name, call in work.items():
            # With its cache the engine remembers which rows meet a condition, and a second query costs nothing.
            with store.writing() as client:
                client.command("SYSTEM DROP QUERY CONDITION CACHE")
            before = time.perf_counter()
            call()
            times[name].append((time.perf_counter() - before) * 1e3)
    for name, some in times.items():
        seen.setdefault(name, []).append(statistics.median(some))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.store", description="The cost of lists and spans in the store."
    )
    parser.add_argument("figures", nargs="*", metavar="figure", help="lists or disk; default: both")
    parser.add_argument("--quick", action="store_true", help="a few rows only: shows that it runs, not what it costs")
    parser.add_argument("--sessions", type=int, default=500_000, help="the number of sessions; default: %(default)s")
    parser.add_argument("--folder", type=Path, help="where to keep the stores, to use them again")
    options = parser.parse_args()
    measures: dict[str, Callable[[Path], Table]] = {
        "lists": partial(lists, quick=options.quick, sessions=options.sessions),
        "disk": partial(disk, quick=options.quick),
    }
    unknown = [name for name in options.figures if name not in measures]
    if unknown:
        parser.error(f"unknown figure {unknown[0]!r}; choose from {', '.join(measures)}")
    with tempfile.TemporaryDirectory() as temporary:
        for name, measure in measures.items():
            if not options.figures or name in options.figures:
                print(f"{measure(options.folder or Path(temporary))}\n", flush=True)


if __name__ == "__main__":
    main()
