"""Conversations are kept until their session changes, within bounds."""

from __future__ import annotations

from otel_sessions.conversation.lines import Line
from otel_sessions.server.queries.kept_conversations import Conversation, KeptConversations


def talk(state: int, lines: int) -> Conversation:
    """A conversation of this number of lines."""
    line = Line(0, 0, 1, 1, 0, "user", None, 0, None)
    return Conversation(state, [line] * lines, [])


def test_one_state_of_a_session_is_kept() -> None:
    """A conversation is found in the state that it was kept in, and replaced by a later one."""
    kept = KeptConversations()
    kept.keep(("id", "s"), talk(1, 2))
    assert kept.get(("id", "s"), 1) == talk(1, 2)
    kept.keep(("id", "s"), talk(2, 3))
    assert [kept.get(("id", "s"), state) for state in (1, 2)] == [None, talk(2, 3)]


def test_within_bounds() -> None:
    """Above the bound the conversation goes that was asked for least recently; one that is larger than the bound is not kept."""
    kept = KeptConversations(lines=4)
    for session in ("a", "b"):
        kept.keep(("id", session), talk(1, 2))
    assert kept.get(("id", "a"), 1)
    kept.keep(("id", "c"), talk(1, 2))
    assert [kept.get(("id", session), 1) is not None for session in "abc"] == [True, False, True]
    kept.keep(("id", "d"), talk(1, 5))
    assert [kept.get(("id", session), 1) for session in "abcd"] == [None] * 4
