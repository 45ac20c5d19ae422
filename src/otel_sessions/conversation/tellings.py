"""`Telling`: what one record adds to a conversation, once it is decided which records tell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from otel_sessions.conversation.chains import NO_LINKS, Links
from otel_sessions.counting.model_call import ModelCall

PROMPT, CALL, TOOL_RUN, ANSWER = range(4)
"""What a record tells of, in the order of those that were made at one time."""

Place = tuple[int, int]
"""Where a record is: its unit and its id."""

NO_TURN: Final = ""


class Telling(NamedTuple):
    """What one record adds to a conversation.

    Attributes:
        kind: `PROMPT`, `CALL`, `TOOL_RUN` or `ANSWER`.
        unit: the trace or cell.
        record: the id of the span or log record.
        trace_id: the trace; `None` for a log record in none.
        start: nanoseconds UTC.
        end: nanoseconds UTC.
        lane: the sub-agent; `None` for the main one.
        input: what was given.
        output: what came back.
        is_new: the input repeats nothing.
        compacted: what was said before was summed up.
        call: the call that it is; `None` for anything else.
        role: whose message is missing, if there is no output.
        captured: false if there was content that is not known.
        switch: what would have captured it.
        turn: the name of the turn that the record gives; `NO_TURN` if it gives none.
        in_cell: the record is in no trace.
        is_beside: a log record beside the calls tells it, which may say what calls say as well.
    """

    kind: int
    unit: int
    record: int
    trace_id: int | None
    start: int
    end: int
    lane: str | None = None
    input: Links = NO_LINKS
    output: Links = NO_LINKS
    is_new: bool = False
    compacted: bool = False
    call: ModelCall | None = None
    role: str | None = None
    captured: bool = True
    switch: str | None = None
    turn: str = NO_TURN
    in_cell: bool = False
    is_beside: bool = False

    @property
    def holds_content(self) -> bool:
        """True if any of its messages is known."""
        return bool(self.input or self.output)


def in_order(tellings: Sequence[Telling]) -> list[Telling]:
    """The same in the order of time, whatever order they come in."""
    return sorted(tellings, key=lambda one: (one.start, one.kind, one.end, one.unit, one.record))
