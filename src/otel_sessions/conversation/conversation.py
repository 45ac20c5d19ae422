"""`conversation`: from the chains and the calls of a session to its messages, each once, when it was new."""

from __future__ import annotations

from collections.abc import Iterable

from otel_sessions.conversation.chains import Chain
from otel_sessions.conversation.lines import Line, Member
from otel_sessions.counting.model_call import ModelCall

__all__ = ["Line", "Member", "conversation"]


def conversation(members: Iterable[Member], calls: Iterable[ModelCall], chains: Iterable[Chain]) -> list[Line]:
    """The lines of a conversation, in the order in which they were said.

    Args:
        members: the spans and log records of the session that may tell of it.
        calls: the list of the session's calls, with what was not counted.
        chains: what was captured of its records.
    """
    raise NotImplementedError
