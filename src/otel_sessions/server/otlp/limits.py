"""How much of one request is read: a body within its limit may still hold millions of parts that say nothing."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Sized
from typing import Final

from otel_sessions.server.otlp.errors import TooLargeError

MOST_RECORDS: Final = 250_000
"""Resources, scopes, spans, events, links and log records in one request, if it has no attributes."""

ATTRIBUTES_A_RECORD: Final = 10
"""How many attributes, or members of arrays and maps in them, count as one record."""

_thread: Final = threading.local()


class Parts:
    """Counts the parts of one request, which one thread reads: `count_members` finds the one of its thread."""

    __slots__ = ("__weakref__", "_left")

    def __init__(self) -> None:
        """Start with all of them left."""
        self._left = MOST_RECORDS * ATTRIBUTES_A_RECORD
        _thread.parts = weakref.ref(self)

    def records(self, records: Sized) -> None:
        """Take these into account.

        Raises:
            TooLargeError: if the request has too many.
        """
        self.attributes(len(records) * ATTRIBUTES_A_RECORD)

    def attributes(self, number: int) -> None:
        """Take so many attributes into account.

        Raises:
            TooLargeError: if the request has too many.
        """
        self._left -= number
        if self._left < 0:
            raise TooLargeError(
                f"the request has more than {MOST_RECORDS} records (resources, scopes, spans, events, links, log "
                f"records), where {ATTRIBUTES_A_RECORD} attributes or members of arrays and maps count as one"
            )


def count_members(number: int) -> None:
    """Take the members of an array or a map into account, in the request that this thread is reading, if it is.

    Raises:
        TooLargeError: if the request has too many.
    """
    parts = getattr(_thread, "parts", _nothing)()
    if parts is not None:
        parts.attributes(number)


def _nothing() -> None:
    """What a weak reference to something that is gone says."""
