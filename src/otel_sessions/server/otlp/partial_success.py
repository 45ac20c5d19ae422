"""Spans and log records that were left out of a request that was taken otherwise."""

from __future__ import annotations

from collections import Counter
from typing import Final

from otel_sessions.server.otlp.errors import MalformedError, NestedTooDeepError

REASONS: Final = {
    "invalid_trace_id": "the trace id is not 16 bytes (in JSON 32 hex digits), or is all zero",
    "invalid_span_id": "the span id is not 8 bytes (in JSON 16 hex digits), or is all zero",
    "malformed": "not a valid protobuf message",
    "wrong_member": "a member does not fit its field",
    "too_deep": "an attribute is nested too deeply",
}


class RejectedError(Exception):
    """One span or log record is not taken; `reason` is a key of `REASONS`."""

    def __init__(self, reason: str) -> None:
        super().__init__(REASONS[reason])
        self.reason = reason


_SHOWN: Final = 3
"""How many wrong members, and how many warnings, are told one by one."""


class Rejected:
    """The number of records that were left out, by reason, and warnings about what was read in part.

    Attributes:
        counts: the number by reason, a key of `REASONS`; empty if all records were taken.
    """

    __slots__ = ("_warned", "_warnings", "_wrong", "counts")

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._wrong: list[str] = []
        self._warnings: list[str] = []
        self._warned = 0

    def add_wrong(self, path: str, problem: str) -> None:
        """Count a record that is left out because the member at this path does not fit."""
        self.counts["wrong_member"] += 1
        if len(self._wrong) < _SHOWN:
            self._wrong.append(f"{path}: {problem}")

    def warn(self, message: str) -> None:
        """Tell the client of something that was not read, which is no record."""
        self._warned += 1
        if len(self._warnings) < _SHOWN:
            self._warnings.append(message)

    def extend(self, other: Rejected) -> None:
        """Add what another reader of the same request left out."""
        self.counts.update(other.counts)
        self._wrong.extend(other._wrong[: _SHOWN - len(self._wrong)])
        self._warned += other._warned
        self._warnings.extend(other._warnings[: _SHOWN - len(self._warnings)])

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
        """The text for the client; empty if everything was read."""
        said = [f"{count} rejected: {REASONS[reason]}" for reason, count in sorted(self.counts.items())]
        said += self._wrong
        more = self.counts["wrong_member"] - len(self._wrong)
        if more > 0:
            said.append(f"{more} more wrong members")
        said += self._warnings
        if self._warned > len(self._warnings):
            said.append(f"{self._warned - len(self._warnings)} more warnings")
        return "; ".join(said)
