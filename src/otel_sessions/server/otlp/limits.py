"""How much of one request is read: a body within its limit may still hold millions of parts that say nothing."""

from __future__ import annotations

from collections.abc import Sized
from typing import Final

from otel_sessions.server.otlp.errors import TooLargeError

MOST_RECORDS: Final = 250_000
"""Resources, scopes, spans, events, links and log records in one request, if it has no attributes."""

ATTRIBUTES_A_RECORD: Final = 10
"""How many attributes count as one record."""

LATEST: Final = 2**63 - 1
"""The last moment of ClickHouse's DateTime64(9), in April 2262, in nanoseconds."""


class Parts:
    """Counts the parts of one request."""

    __slots__ = ("_left",)

    def __init__(self) -> None:
        """Start with all of them left."""
        self._left = MOST_RECORDS * ATTRIBUTES_A_RECORD

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
                f"records), where {ATTRIBUTES_A_RECORD} attributes count as one"
            )
