"""Threads share clients; what a failed query leaves behind is never part of another answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.clickhouse.clients import Clients
from otel_sessions.server.clickhouse.errors import StoreError

FAILING = "SELECT number, throwIf(number > 500000) FROM numbers(1000000) SETTINGS max_block_size = 1000"
TIMED_OUT = "SELECT number, sipHash64(number) FROM numbers(10000000000) SETTINGS max_execution_time = 0.2"


def _rows(client: Client, sql: str) -> Any:
    return client.query(sql).result_rows


def _json(client: Client, sql: str) -> Any:
    return client.raw_query(sql, fmt="JSONCompact")


def _binary(client: Client, sql: str) -> Any:
    return client.raw_query(sql, fmt="RowBinary")


def _blocks(client: Client, sql: str) -> Any:
    with client.query_row_block_stream(sql) as blocks:
        return [row for block in blocks for row in block]


@pytest.mark.parametrize("clients", ["reading", "writing", "probing"])
@pytest.mark.parametrize("ask", [_rows, _json, _binary, _blocks])
@pytest.mark.parametrize("sql", [FAILING, TIMED_OUT])
def test_the_answer_after_one_that_failed(
    store: Store, clients: str, ask: Callable[[Client, str], Any], sql: str
) -> None:
    """An answer has nothing of the one before that was broken off half way, in any format."""
    one: Callable[[], Any] = getattr(store, clients)
    with pytest.raises(StoreError), one() as client:
        ask(client, sql)
    for _ in range(4):
        with one() as client:
            assert client.query("SELECT 1, 'x'").result_rows == [(1, "x")]
            assert client.raw_query("SELECT toUInt8(7)", fmt="RowBinary") == b"\7"


class Fake:
    """A client that is open or closed."""

    is_open = True

    def close(self) -> None:
        """Close it."""
        self.is_open = False


def test_clients_are_replaced_when_they_are_needed() -> None:
    """A client that failed is closed; the next one connects when it is asked for, also where that failed before."""
    made: list[Any] = []
    refused: list[Exception] = []

    def connect() -> Any:
        if refused:
            raise refused.pop()
        made.append(Fake())
        return made[-1]

    clients = Clients(connect, 1)
    with pytest.raises(ValueError, match="broken"), clients.one():
        raise ValueError("broken")
    assert [client.is_open for client in made] == [False]
    refused.append(OSError("away"))
    with pytest.raises(OSError, match="away"), clients.one():
        pass
    with clients.one() as client:
        assert client is made[1]
    clients.wait()
    clients.close()
    assert [client.is_open for client in made] == [False, False]


def test_none_stays_open_where_one_cannot_connect() -> None:
    """If not all clients can connect, none stays open but the one that was given."""
    made: list[Any] = []

    def connect() -> Any:
        if len(made) == 2:
            raise OSError("away")
        made.append(Fake())
        return made[-1]

    first: Any = Fake()
    with pytest.raises(OSError, match="away"):
        Clients(connect, 4, first)
    assert [client.is_open for client in (first, *made)] == [True, False, False]


@pytest.mark.parametrize("end", [KeyboardInterrupt, GeneratorExit, ValueError])
def test_a_reader_that_ends_early(end: type[BaseException]) -> None:
    """Whatever ends a reader before the end of its answer, its client is closed and another one takes its place."""
    made: list[Any] = []

    def connect() -> Any:
        made.append(Fake())
        return made[-1]

    clients = Clients(connect, 1)
    with pytest.raises(end), clients.one():
        raise end
    with clients.one() as client:
        assert client is made[1]
    assert [one.is_open for one in made] == [False, True]
