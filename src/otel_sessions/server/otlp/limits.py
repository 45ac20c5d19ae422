"""How much of one request is read."""

from __future__ import annotations

from collections.abc import Sized
from typing import Final

from otel_sessions.server.otlp.errors import TooLargeError

MOST_PARTS: Final = 1_000_000
"""Resources, scopes, and spans or log records together; the size of the body bounds them less tightly."""

LATEST: Final = 2**63 - 1
"""The last moment of ClickHouse's DateTime64(9), in April 2262."""


class Parts:
    """Counts the parts of one request."""

    __slots__ = ("_left",)

    def __init__(self) -> None:
        """Start with all of them left."""
        self._left = MOST_PARTS

    def count(self, parts: Sized) -> None:
        """Take these into account.

        Raises:
            TooLargeError: if they are too many.
        """
        self._left -= len(parts)
        if self._left < 0:
            raise TooLargeError(f"the request has more than {MOST_PARTS} resources, scopes and records")
