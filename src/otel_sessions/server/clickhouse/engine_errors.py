"""`explained`: errors of ClickHouse as a `StoreError` that says what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from clickhouse_connect.driver.exceptions import Error, OperationalError

from otel_sessions.server.clickhouse.errors import StoreAwayError, StoreError

_ADVICE_FOR_LATER: Final = {
    "NOT_ENOUGH_SPACE": "the disk is full: free some space, or keep less with --retention",
    "CANNOT_WRITE_TO_FILE_DESCRIPTOR": "its disk cannot be written: check that it is not full and not read-only",
    "MEMORY_LIMIT_EXCEEDED": "it is out of memory: give it more, or ask for less at once",
    "TOO_MANY_PARTS": "it cannot merge as fast as rows come in: wait, or give it a faster disk",
    "TOO_MANY_SIMULTANEOUS_QUERIES": "it runs too many queries: wait",
    "TIMEOUT_EXCEEDED": "the query took too long: narrow it down, or try again",
    "NETWORK_ERROR": "its own connections fail: see its log",
    "TABLE_IS_READ_ONLY": "the table cannot be written: see the log of the ClickHouse server",
}
_ADVICE: Final = {
    "AUTHENTICATION_FAILED": "user or password are wrong: give them in the URL of the store",
    "ACCESS_DENIED": "the user has too few rights: it needs CREATE, ALTER, SELECT, INSERT and TRUNCATE in the database",
    "UNKNOWN_TABLE": "a table is missing: start the server once on this store, which creates it",
}


@contextmanager
def explained(store: str) -> Iterator[None]:
    """Turn errors of ClickHouse into a `StoreError` that names the store and the next step.

    Args:
        store: how messages name it.
    """
    try:
        yield
    except Error as error:
        raise store_error(store, error) from error


def store_error(store: str, error: Error) -> StoreError:
    """The `StoreError` for an error of ClickHouse."""
    name = error.name or ""
    said = str(error)
    if "No space left on device" in said:
        name = "NOT_ENOUGH_SPACE"
    if name in _ADVICE_FOR_LATER:
        return StoreAwayError(f"the store {store}: {_ADVICE_FOR_LATER[name]} ({said})")
    if name in _ADVICE:
        return StoreError(f"the store {store}: {_ADVICE[name]} ({said})")
    if isinstance(error, OperationalError) and error.code is None:
        return StoreAwayError(f"the store {store} cannot be reached: check that ClickHouse runs there ({said})")
    return StoreError(f"the store {store} refused a statement ({said})")
