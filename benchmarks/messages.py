"""`python -m benchmarks.messages`: the time that pages of a long conversation take, and a search in messages.

The server is a process of its own, as users start it. A session has a trace for each turn, and each call repeats all that was said before.
A page is asked for once after a commit that added a turn, and then again and again. The search is in messages that the engine
itself makes as the store writes them, one for every five spans, in sessions of ten messages.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, Final

from benchmarks.ingest import Server, over_http, running
from benchmarks.tables import Row, Table
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.clickhouse.store_settings import StoreSettings
from otel_sessions.server.queries.filters import SessionFilters
from otel_sessions.server.queries.sessions import list_sessions

LIMIT: Final = 100
SECOND: Final = 10**9
START: Final = 1_795_000_200 * SECOND
SPANS_A_MESSAGE: Final = 5
MESSAGES_A_SESSION: Final = 10

_MESSAGES: Final = """
INSERT INTO messages (Key, Owner, Digest, Timestamp, Message, Text)
WITH
    ['weather', 'berlin', 'order', 'refund', 'ticket', 'customer', 'please', 'help', 'deploy', 'server', 'invoice'] AS words,
    intDiv(number, {a_session:UInt64}) AS session,
    concat(
        'message ',
        toString(number),
        ' ',
        arrayStringConcat(
            arrayMap(
                place -> if(
                    sipHash64(number, place) % 4 = 0,
                    words[1 + sipHash64(place, number) % 11],
                    concat('w', toString(toUInt64(pow(sipHash64(number, place, 7) / 18446744073709551616, 3) * 200000)))
                ),
                range(25)
            ),
            ' '
        )
    ) AS text
SELECT
    'id',
    reinterpretAsUInt128(substring(SHA256(concat('s', toString(session))), 1, 16)),
    sipHash64(number),
    fromUnixTimestamp64Nano(toInt64(1795000000000000000 + number * 100000000)),
    concat('{"role":"user","parts":[{"type":"text","content":"', text, '"}]}'),
    text
FROM numbers({first:UInt64}, {count:UInt64})
"""
_SESSIONS: Final = """
INSERT INTO sessions (Key, Id, IdHash, Version, FirstVersion, LastActive, Created)
SELECT
    'id',
    concat('s', toString(number)) AS name,
    reinterpretAsUInt128(substring(SHA256(name), 1, 16)),
    1,
    1,
    1795000000000000000 + number,
    1795000000000000000
FROM numbers({count:UInt64})
"""
_ROWS_AT_ONCE: Final = 500_000

SEARCHES: Final = {
    "one message": "message 77777 ",
    "a rare word": "w199990",
    "a part of a rare word": "99990",
    "two words": "refund w199990",
    "no message": "quasar",
    "a word of most sessions": "berlin",
    "a part of it": "erli",
    "two letters": "7w",
}


def turn(session: str, number: int) -> bytes:
    """The request of one turn of a conversation, which repeats all turns before."""
    history = [
        {"role": role, "parts": [{"type": "text", "content": f"{role} of turn {one}: " + "some words " * 8}]}
        for one in range(number + 1)
        for role in ("user", "assistant")
    ]
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    span = group.scope_spans.add().spans.add(
        trace_id=(number + 1).to_bytes(8) + session.encode()[:8].ljust(8),
        span_id=(number + 1).to_bytes(8),
        name="chat",
        start_time_unix_nano=START + number * SECOND,
        end_time_unix_nano=START + number * SECOND + SECOND // 2,
    )
    for name, value in {
        "session.id": session,
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.input.messages": json.dumps(history[:-1]),
        "gen_ai.output.messages": json.dumps(history[-1:]),
    }.items():
        span.attributes.add(key=name).value.string_value = value
    return bytes(request.SerializeToString())


def pages(server: Server, turns: int, rounds: int) -> Table:
    """Milliseconds of a page after a commit, and again."""
    send = over_http(server, "traces")

    def deliver(number: int) -> None:
        while not send(turn("talk", number)):
            pass

    for number in range(turns):
        deliver(number)
    server.settle()
    rows = []
    last = turns
    for where, offset in (("first", 0), ("last", 2 * turns - LIMIT)):
        get: Callable[[], Any] = partial(server.get, f"/v1/sessions/talk/messages?limit={LIMIT}&offset={offset}")
        first, again = [], []
        for _ in range(rounds):
            deliver(last)
            last += 1
            server.settle()
            first.append(_milliseconds(get))
            again += [_milliseconds(get) for _ in range(5)]
        rows.append(Row(f"{where} page", (f"{median(first):.0f}", f"{median(again):.0f}"), "< 50"))
    return Table(f"a page of {LIMIT} messages of {turns:,} turns, ms", ("after a commit", "again"), rows)


def searches(folder: Path, spans: int, rounds: int) -> Table:
    """Milliseconds of lists of sessions by what was said in them."""
    store = Store(StoreSettings(f"chdb://{folder}"))
    messages = spans // SPANS_A_MESSAGE
    with store.writing() as client:
        for first in range(0, messages, _ROWS_AT_ONCE):
            count = min(_ROWS_AT_ONCE, messages - first)
            parameters = {"first": first, "count": count, "a_session": MESSAGES_A_SESSION}
            client.command(_MESSAGES, parameters=parameters)
        client.command(_SESSIONS, parameters={"count": messages // MESSAGES_A_SESSION})
    rows = []
    for what, text in SEARCHES.items():
        find = partial(list_sessions, store, SessionFilters(q=text))
        found = find().total
        taken = [_milliseconds(find) for _ in range(rounds)]
        rows.append(Row(f"{what} ({text.strip()})", (f"{found:,}", f"{median(taken):.0f}"), "< 300"))
    with store.reading() as client:
        ((size, index),) = client.query(
            "SELECT sum(bytes_on_disk), sum(secondary_indices_compressed_bytes) FROM system.parts "
            "WHERE active AND table = 'messages' AND database = currentDatabase()"
        ).result_rows
    store.close()
    notes = (f"{size / messages:.0f} bytes of the disk a message, {index / messages:.0f} of them the index",)
    return Table(f"a search in {messages:,} messages of {spans:,} spans, ms", ("sessions", "list"), rows, notes)


def _milliseconds(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return (time.perf_counter() - begin) * 1e3


def main() -> None:
    """Measure with the options of the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.messages", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few messages only: shows that it runs, not what it costs")
    parser.add_argument("--only", choices=["pages", "searches"], help="by default both")
    options = parser.parse_args()
    turns, spans, rounds = (20, 50_000, 1) if options.quick else (1_000, 10_000_000, 7)
    with tempfile.TemporaryDirectory(prefix="otel-sessions-benchmark-") as folder:
        if options.only != "searches":
            with running(Path(folder, "pages")) as server:
                print(pages(server, turns, rounds))
        if options.only != "pages":
            print(searches(Path(folder, "searches"), spans, rounds))


if __name__ == "__main__":
    main()
