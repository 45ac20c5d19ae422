"""Ids with any characters are read back as they were written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_sessions.mcp.refs import LogRef, MessageRef, Ref, SessionRef, SpanRef, TurnRef, ref_of

TRACE = "0af7651916cd43dd8448eb211c80319c"
TIME = "2026-11-20T12:00:00.000Z"
SESSIONS = st.builds(SessionRef, st.sampled_from(("id", "ticket", "a.b-c_d")), st.text(min_size=1))
REFS = st.one_of(
    SESSIONS,
    st.builds(TurnRef, SESSIONS, st.sampled_from((TRACE, "7", TIME))),
    st.builds(MessageRef, SESSIONS, st.integers(0, 10**9 - 1)),
    st.builds(LogRef, SESSIONS, st.just(TIME), st.just("0123456789abcdef")),
    st.builds(SpanRef, st.just(TRACE), st.just("b7ad6b7169203331")),
)


@given(REFS)
def test_a_typed_id_is_read_back(ref: Ref) -> None:
    """Whatever the id of a session holds, colons, slashes and prefixes of types too."""
    assert ref_of(str(ref)) == ref


@pytest.mark.parametrize("text", ["abc", "a:b", "span:short", "turn:x", "session:", "message:1", "a/b ?#%"])
def test_any_other_text_is_the_id_of_a_session(text: str) -> None:
    """A bare id means the session of that id, of the key that is given apart."""
    assert ref_of(text) == SessionRef("id", text)
    assert ref_of(text, key="ticket") == SessionRef("ticket", text)


def test_a_turn_is_named_in_three_ways() -> None:
    """By its trace, by the number that messages have, and by the start of log records in no trace."""
    session = SessionRef("id", "s")
    turns = [TurnRef(session, which) for which in (TRACE, "7", TIME)]
    assert [(turn.trace_id, turn.number) for turn in turns] == [(TRACE, None), (None, 7), (None, None)]
