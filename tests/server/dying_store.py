"""A store whose process dies at a statement."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from otel_sessions.server.clickhouse.client import Store


def dying_at(store: Store, pattern: str, nth: int = 1, *, error: type[BaseException] = KeyboardInterrupt) -> Store:
    """The store, whose writers raise an error instead of the `nth` statement whose beginning matches a pattern."""
    return cast("Store", _DyingStore(store, re.compile(pattern), nth, error))


class _DyingStore:
    def __init__(self, store: Store, pattern: re.Pattern[str], nth: int, error: type[BaseException]) -> None:
        self._store = store
        self._pattern = pattern
        self._left = nth
        self._error = error

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    @contextmanager
    def writing(self) -> Iterator[Any]:
        with self._store.writing() as client:
            yield _DyingClient(client, self)

    def look_at(self, sql: str) -> None:
        without_comments = re.sub(r"^--.*\n", "", sql, flags=re.MULTILINE)
        if self._pattern.match(without_comments):
            self._left -= 1
            if not self._left:
                raise self._error


class _DyingClient:
    def __init__(self, client: Any, store: _DyingStore) -> None:
        self._client = client
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def command(self, sql: str, **more: Any) -> Any:
        self._store.look_at(sql)
        return self._client.command(sql, **more)

    def raw_insert(self, table: str, *rest: Any, **more: Any) -> Any:
        self._store.look_at(f"INSERT INTO {table}")
        return self._client.raw_insert(table, *rest, **more)
