"""`explained`: errors of ClickHouse as a `StoreError` that says what to do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from clickhouse_connect.driver.exceptions import Error, OperationalError

from otel_sessions.server.clickhouse.errors import StoreAwayError, StoreError

_ADVICE_FOR_LATER: Final = {
    "NOT_ENOUGH_SPACE": "the disk is full: free some space, or keep less with --retention",
    "MEMORY_LIMIT_EXCEEDED": "it is out of memory: give it more, or ask for less at once",
    "TOO_MANY_PARTS": "it cannot merge as fast as rows come in: wait, or give it a faster disk",
    "TOO_MANY_SIMULTANEOUS_QUERIES": "it runs too many queries: wait",
    "TIMEOUT_EXCEEDED": "the query took too long: narrow it down, or try again",
    "NETWORK_ERROR": "its own connections fail: see its log",
    "TABLE_IS_READ_ONLY": "the table cannot be written: see the log of the ClickHouse server",
    **dict.fromkeys(
        ("CANNOT_WRITE_TO_FILE_DESCRIPTOR", "CANNOT_FSYNC", "CANNOT_TRUNCATE_FILE", "CANNOT_CREATE_DIRECTORY"),
        "its disk cannot be written: check that it is not full and not read-only",
    ),
    **dict.fromkeys(
        (
            "ABORTED",
            "AIO_READ_ERROR",
            "AIO_WRITE_ERROR",
            "ALL_CONNECTION_TRIES_FAILED",
            "CANNOT_ALLOCATE_MEMORY",
            "CANNOT_CLOSE_FILE",
            "CANNOT_CREATE_CHILD_PROCESS",
            "CANNOT_CREATE_TIMER",
            "CANNOT_DLOPEN",
            "CANNOT_FCNTL",
            "CANNOT_FORK",
            "CANNOT_FSTAT",
            "CANNOT_GETTIMEOFDAY",
            "CANNOT_CLOCK_GETTIME",
            "CANNOT_IO_GETEVENTS",
            "CANNOT_IO_SUBMIT",
            "CANNOT_LINK",
            "CANNOT_MMAP",
            "CANNOT_MREMAP",
            "CANNOT_MUNMAP",
            "CANNOT_OPEN_FILE",
            "CANNOT_PIPE",
            "CANNOT_READ_FROM_FILE_DESCRIPTOR",
            "CANNOT_READ_FROM_SOCKET",
            "CANNOT_SCHEDULE_TASK",
            "CANNOT_SEEK_THROUGH_FILE",
            "CANNOT_SELECT",
            "CANNOT_SET_SIGNAL_HANDLER",
            "CANNOT_SET_TIMER_PERIOD",
            "CANNOT_STAT",
            "CANNOT_STATVFS",
            "CANNOT_UNLINK",
            "CANNOT_WAITPID",
            "CANNOT_WRITE_TO_SOCKET",
            "DNS_ERROR",
            "EPOLL_ERROR",
            "KEEPER_EXCEPTION",
            "NO_ZOOKEEPER",
            "POCO_EXCEPTION",
            "QUERY_WAS_CANCELLED",
            "QUOTA_EXCEEDED",
            "SERVER_OVERLOADED",
            "SOCKET_TIMEOUT",
            "STD_EXCEPTION",
            "SYSTEM_ERROR",
            "TABLE_IS_BEING_RESTARTED",
            "CANNOT_TIMER_SETTIME",
            "UNKNOWN_EXCEPTION",
        ),
        "the system refuses it something: check its disk, open files, threads and memory",
    ),
}
_SIGNS_OF_THE_SYSTEM: Final = re.compile(
    r"\berrno\b|No space left on device|Read-only file system|Input/output error|Disk quota exceeded|Too many open files"
    r"|File too large|Permission denied|Operation not permitted|Cannot allocate memory|Resource temporarily unavailable",
    re.IGNORECASE,
)
"""Words of operating systems, in messages whose name says less."""
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
    if _SIGNS_OF_THE_SYSTEM.search(said):
        return StoreAwayError(f"the store {store}: {_ADVICE_FOR_LATER['SYSTEM_ERROR']} ({said})")
    return StoreError(f"the store {store} refused a statement ({said})")
