"""What lists of sessions cost: page and total by each measure, by filter, and in different states of merging.

`python -m benchmarks.store [--quick] [--sessions N]`; 2.5 trace groups a session. Rows are made by the engine itself, as
the writer of the store would make them.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from decimal import Decimal
from functools import partial

from benchmarks.tables import Row, Table

from otel_sessions.server.store.client import Store, StoreSettings
from otel_sessions.server.store.cohorts import cohorts
from otel_sessions.server.store.filters import SessionFilters
from otel_sessions.server.store.measures import SQL_MEASURES
from otel_sessions.server.store.session_traces import compact
from otel_sessions.server.store.sessions import get_session, keys, list_sessions

_ROWS = """
INSERT INTO session_traces (Key, Id, TraceId, Version, Start, End, SpanCount, Failed, Name, NameAt, TotalTokens, TotalCost,
    UserIds, Services, Environments, Tags, Models, Operations, MetadataKeys, MetadataAt, MetadataValues, ModelUsage)
SELECT
    'id',
    concat('sess-', lower(hex(cityHash64(intDiv(number * 2, 5))))) AS Id,
    bitOr(bitShiftLeft(toUInt128(cityHash64(number, 1)), 64), cityHash64(number)),
    {part:UInt64},
    1795000000000000000 + intDiv(number * 2, 5) * 1000000000 + number % 7 * 3000000000 AS Start,
    Start + 1000000 * (number % 5000),
    8,
    number % 23 = 0,
    concat('Order #', toString(intDiv(number * 2, 5))),
    Start,
    if(number % 3 = 0, number % 10000, NULL) AS Tokens,
    toDecimal256(Tokens, 38) / 100000,
    [concat('user-', toString(intDiv(number * 2, 5) % 20000))],
    [concat('service-', toString(number % 5))],
    [if(number % 10 = 0, 'staging', 'production')],
    ['support', concat('tag-', toString(number % 10))],
    [concat('model-', toString(number % 3))],
    ['handle'],
    ['plan'],
    [Start],
    [if(number % 4 = 0, '"pro"', '"free"')],
    concat('[["openai","model-', toString(number % 3), '",1,0,', toString(number % 9000),
        ',100,null,null,null,"0.0001","0.0002","0.0003",["genai-prices"]]]')
FROM numbers({first:UInt64}, {rows:UInt64})
"""
_ONE_PART = {
    "max_insert_threads": 1,
    "max_block_size": 1 << 22,
    "min_insert_block_size_rows": 1 << 22,
    "min_insert_block_size_bytes": 0,
}

FILTERS = {
    "q": SessionFilters(q="order #1234"),
    "name": SessionFilters(name="Order #77"),
    "user_id": SessionFilters(user_id="user-77"),
    "environment": SessionFilters(environment="staging"),
    "service": SessionFilters(service="service-3"),
    "tag": SessionFilters(tag="tag-3"),
    "model": SessionFilters(model="model-2"),
    "metadata": SessionFilters(metadata={"plan": "pro"}),
    "failed": SessionFilters(failed=True),
    "since, until": SessionFilters(since=1_795_010_000_000_000_000, until=1_795_020_000_000_000_000),
    "min_cost": SessionFilters(min_cost=Decimal("0.05")),
}


def measure(*, quick: bool = False, sessions: int = 500_000) -> Table:
    """Medians of page and total, in ms."""
    if quick:
        sessions = 2_000
    rounds = 3 if quick else 11
    groups = sessions * 5 // 2
    states = {"even": [groups // 7] * 7, "large": [groups * 94 // 100, *[groups // 100] * 6]}
    seen: dict[str, list[float]] = {}
    for state, parts in states.items():
        with tempfile.TemporaryDirectory() as folder:
            store = Store(StoreSettings(f"chdb://{folder}"))
            _fill(store, parts)
            _time_all(store, rounds, seen)
            if state == "large":
                with store.writing() as client:
                    client.command("SYSTEM START MERGES session_traces")
                compact(store)
                _time_all(store, rounds, seen)
            store.close()
    return Table(
        f"{groups:,} trace groups, {sessions:,} sessions: page of 50 and total, ms, median of {rounds}",
        ("7 even parts", "1 large part and 6 small", "merged"),
        [Row(name, tuple(f"{one:.0f}" for one in times), "150") for name, times in seen.items()],
    )


def _fill(store: Store, parts: list[int]) -> None:
    with store.writing() as client:
        client.command("SYSTEM STOP MERGES session_traces")
        first = 0
        for number, rows in enumerate(parts):
            parameters = {"part": number, "first": first, "rows": rows}
            client.command(_ROWS, parameters=parameters, settings=_ONE_PART)
            first += rows


def _time_all(store: Store, rounds: int, seen: dict[str, list[float]]) -> None:
    def timed(name: str, work: Callable[[], object]) -> None:
        times = []
        for _ in range(rounds):
            before = time.perf_counter()
            work()
            times.append((time.perf_counter() - before) * 1e3)
        seen.setdefault(name, []).append(statistics.median(times))

    for sort in SQL_MEASURES:
        timed(f"sort {sort}", partial(list_sessions, store, sort=sort))
    for name, filters in FILTERS.items():
        timed(f"filter {name}", partial(list_sessions, store, filters))
    one = list_sessions(store, limit=1).sessions[0].id
    timed("one session", lambda: get_session(store, one))
    timed("keys", lambda: keys(store))
    timed("cohorts by model", lambda: cohorts(store, "model"))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.store", description="What lists of sessions cost.")
    parser.add_argument("--quick", action="store_true", help="a few rows only: shows that it runs, not what it costs")
    parser.add_argument("--sessions", type=int, default=500_000, help="how many sessions; default: %(default)s")
    asked = parser.parse_args()
    print(measure(quick=asked.quick, sessions=asked.sessions))


if __name__ == "__main__":
    main()
