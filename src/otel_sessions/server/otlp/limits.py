"""`RecordBudget`: how much of one request is read. A body within its limit of bytes may hold millions of empty records."""

from __future__ import annotations

import sys
from typing import Final

from otel_sessions.server.otlp.errors import TooLargeError

MOST_RECORDS: Final = 250_000
"""Resources, scopes, spans, events, links and log records in one request, if it has no attributes."""

ATTRIBUTES_A_RECORD: Final = 10
"""How many attributes, or members of arrays and maps in them, count as one record."""


class RecordBudget:
    """Counts what is read of one request, and refuses the request when that is too much.

    The count depends on the request alone: what was remembered of earlier requests costs as much as what is read for
    the first time.

    Attributes:
        spent: attributes and members of arrays and maps so far; a record counts as `ATTRIBUTES_A_RECORD` of them.
    """

    __slots__ = ("_most", "spent")

    def __init__(self, records: int | None = MOST_RECORDS) -> None:
        """Allow this many records, each without attributes; `None` only counts them and refuses nothing."""
        self._most = sys.maxsize if records is None else records * ATTRIBUTES_A_RECORD
        self.spent = 0

    def spend_records(self, number: int) -> None:
        """Count resources, scopes, spans, events, links or log records.

        Raises:
            TooLargeError: the request has too many.
        """
        self.spend(number * ATTRIBUTES_A_RECORD)

    def spend(self, number: int) -> None:
        """Count attributes, or members of arrays and maps.

        Raises:
            TooLargeError: the request has too many.
        """
        self.spent += number
        if self.spent > self._most:
            raise TooLargeError(
                f"the request has more than {self._most // ATTRIBUTES_A_RECORD} records (resources, scopes, spans, events, links, log "
                f"records), where {ATTRIBUTES_A_RECORD} attributes or members of arrays and maps count as one; "
                "send fewer of them at once"
            )
