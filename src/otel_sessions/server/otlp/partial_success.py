"""Spans and log records that were left out of a request that was taken otherwise."""

from __future__ import annotations

from collections import Counter
from typing import Final

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
    """How many were left out, by reason.

    Attributes:
        counts: number by reason, a key of `REASONS`; empty if none was.
    """

    __slots__ = ("counts",)

    def __init__(self) -> None:
        """Start with none."""
        self.counts: Counter[str] = Counter()

    @property
    def total(self) -> int:
        """How many in all."""
        return self.counts.total()

    @property
    def message(self) -> str:
        """What to tell the client; empty if none was left out."""
        return "; ".join(f"{count} rejected: {REASONS[reason]}" for reason, count in sorted(self.counts.items()))
