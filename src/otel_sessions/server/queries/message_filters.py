"""`MessageFilters`: which messages of a conversation are wanted."""

from __future__ import annotations

from typing import NamedTuple

from otel_sessions.conversation.lines import Line


class MessageFilters(NamedTuple):
    """Which messages are wanted; `None` is any.

    Attributes:
        role: of this role.
        turn: of the turn of this number.
        trace_id: that a record of this trace told first.
        since: that were new at this time or later, in nanoseconds UTC.
        until: that were new before this time.
        q: with this text.
    """

    role: str | None = None
    turn: int | None = None
    trace_id: int | None = None
    since: int | None = None
    until: int | None = None
    q: str | None = None

    def matches(self, line: Line) -> bool:
        """Return True if a message is wanted, as far as its line tells."""
        return (
            (self.role is None or line.role == self.role)
            and (self.turn is None or line.turn == self.turn)
            and (self.trace_id is None or line.trace_id == self.trace_id)
            and (self.since is None or line.time >= self.since)
            and (self.until is None or line.time < self.until)
        )


ALL_MESSAGES = MessageFilters()
