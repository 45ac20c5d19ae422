"""`Line`: one message of a conversation by its id, and `Member`: a record that may tell of one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

from otel_sessions.counting.facts import SpanFacts
from otel_sessions.counting.model_call import ModelCall

FORK: Final = "fork"
COMPACTION: Final = "compaction"
SUB_AGENT: Final = "sub_agent"

MAIN: Final = 0
"""The number of the branch that a conversation begins with."""


class Member(NamedTuple):
    """A span or log record of the session that may tell of the conversation: a call, a tool, a prompt, an agent, or the top of a trace.

    Attributes:
        unit: the trace or cell.
        facts: of the record.
        lane: the agent that it is of, as the calls of the session name it; `None` for the main one.
    """

    unit: int
    facts: SpanFacts
    lane: str | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One message of a conversation, or a call or a tool whose content was not captured.

    Attributes:
        index: its place in the conversation, from 0.
        turn: the number of the turn, from 0: what one message of a user set off.
        trace_id: of the record that told it first; `None` for a log record in no trace.
        span_id: of that record.
        time: nanoseconds UTC when it was new.
        role: `system`, `user`, `assistant` or `tool`.
        lane: the sub-agent; `None` for the main one.
        branch: 0 for the main line, else the number of the branch.
        digest: which message it is; `None` if there is none: its content was not captured, or a call failed without an answer.
        call: the call that a model's answer is of.
        fork: on the first line of a branch: the index of the line that it goes on from, and `fork`, `compaction` or `sub_agent`.
        captured: false if there was content that is not known.
        switch: what turns capturing on, if the content was not captured and it is known.
    """

    index: int
    turn: int
    trace_id: int | None
    span_id: int
    time: int
    role: str
    lane: str | None
    branch: int
    digest: int | None
    call: ModelCall | None = None
    fork: tuple[int | None, str] | None = None
    captured: bool = True
    switch: str | None = None
