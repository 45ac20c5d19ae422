"""An answer that was not captured is told by the next call, which repeats it."""

from __future__ import annotations

from tests.conversation.talking import Talk


def said_by(talk: Talk) -> list[int | None]:
    """The calls that the lines are of."""
    return [None if line.call is None else line.call.span_id for line in talk.lines()]


def test_the_next_call_tells_the_answer() -> None:
    """An emitter that sends what it asks alone tells every answer but the last one."""
    talk = Talk()
    talk.call("s1 u1")
    talk.call("s1 u1 a1 t1")
    talk.call("s2 u1 a1 t1 a2 u2", unit=2)

    assert talk.read == ["s1", "u1", "a1", "t1", "a2", "s2", "u2", "a?"]
    assert said_by(talk) == [None, None, 101, None, 102, None, None, 103]


def test_a_retry_has_the_answer() -> None:
    """Of two calls that were asked the same, the later one was answered."""
    talk = Talk()
    talk.call("u1")
    talk.call("u1")
    talk.call("u1 a1 u2", "a2")

    assert talk.read == ["u1", "a?", "a1", "u2", "a2"]
    assert said_by(talk) == [None, 101, 102, None, 103]


def test_another_conversation_tells_nothing() -> None:
    """A call that was asked something else, or is of another lane, does not tell it, and one that failed had no answer."""
    for told in ("u2 a1 u3", "u1 u2 a1"):
        talk = Talk()
        talk.call("u1")
        talk.call(told, "a2", unit=2)
        assert "a?" in talk.read

    talk = Talk()
    talk.call("u1")
    talk.call("u1 a1 u2", "a2", lane="helper", unit=2)
    assert "a?" in talk.read

    talk = Talk()
    talk.call("u1", failed=True)
    talk.call("u1 a1 u2", "a2", unit=2)
    assert said_by(talk) == [None, 101, None, None, 102]
