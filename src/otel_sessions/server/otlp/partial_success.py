"""Spans and log records that were left out of a request that was taken otherwise."""

from __future__ import annotations

from collections import Counter
from typing import Final

from otel_sessions.server.otlp.errors import MalformedError, NestedTooDeepError

REASONS: Final = {
    "invalid_trace_id": "the trace id is not 16 bytes (in JSON 32 hex digits), or is all zero",
    "invalid_span_id": "the span id is not 8 bytes (in JSON 16 hex digits), or is all zero",
    "malformed": "not a valid protobuf message",
    "too_deep": "an attribute is nested too deeply",
}


class RejectedError(Exception):
    """One span or log record is not taken; `reason` is a key of `REASONS`."""

    def __init__(self, reason: str) -> None:
        super().__init__(REASONS[reason])
        self.reason = reason


class Rejected:
    """The number of records that were left out, by reason.

    Attributes:
        counts: the number by reason, a key of `REASONS`; empty if all records were taken.
    """

    __slots__ = ("counts",)

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def add(self, error: RejectedError | MalformedError) -> None:
        """Count a record that is left out because of this error."""
        if isinstance(error, RejectedError):
            self.counts[error.reason] += 1
        else:
            self.counts["too_deep" if isinstance(error, NestedTooDeepError) else "malformed"] += 1

    @property
    def total(self) -> int:
        """The number for all reasons together."""
        return self.counts.total()

    @property
    def message(self) -> str:
        """The text for the client; empty if all records were taken."""
        return "; ".join(f"{count} rejected: {REASONS[reason]}" for reason, count in sorted(self.counts.items()))
