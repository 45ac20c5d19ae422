"""Log records tell of a conversation beside spans, and without any."""

from __future__ import annotations

from tests.conversation.talking import Talk, chain
from tests.counting.building import AT, MS, fact, in_session

from otel_sessions.counting.units import unit_of

CELL = unit_of(fact(1, event="x", start=AT, end=AT, **in_session("s")))
OF_CELL = {"unit": CELL, **in_session("s")}
PROMPT = "claude_code.user_prompt"
ANSWER = "claude_code.assistant_response"
REQUEST = "claude_code.api_request"


def test_prompts_and_answers_are_put_in_by_time() -> None:
    """An answer joins the call that ended when it was told; tools tell their calls and answers themselves."""
    talk = Talk()
    talk.record("other", "u1", event=PROMPT, is_new=True, lasts=0, turn="p1", **OF_CELL)
    talk.call(event=REQUEST, turn="p1", **OF_CELL)
    talk.record("other", "", "a1", event=ANSWER, is_new=True, lasts=0, turn="p1", **OF_CELL)
    talk.record("tool", "a8", "t8", event="claude_code.tool_result", is_new=True, turn="p1", **OF_CELL)
    talk.call(event=REQUEST, turn="p1", **OF_CELL)
    talk.record("other", "u2", event=PROMPT, is_new=True, lasts=0, turn="p2", **OF_CELL)
    talk.call(event=REQUEST, turn="p2", **OF_CELL)
    talk.record("other", "", "a2", event=ANSWER, is_new=True, lasts=0, turn="p2", **OF_CELL)

    assert talk.read == ["u1", "a1", "a8", "t8", "a?", "u2", "a2"]
    lines = talk.lines()
    assert [line.turn for line in lines] == [0, 0, 0, 0, 0, 1, 1]
    assert [line.call and line.call.span_id for line in lines] == [None, 102, None, None, 105, None, 107]
    assert {line.trace_id for line in lines} == {None}


def test_prompts_without_turns_begin_one() -> None:
    """What follows a prompt is of its turn."""
    talk = Talk()
    for _ in range(2):
        talk.record("other", "u1", event=PROMPT, is_new=True, lasts=0, **OF_CELL)
        talk.call(event=REQUEST, **OF_CELL)

    assert talk.read == ["u1", "a?", "u1", "a?"]
    assert [line.turn for line in talk.lines()] == [0, 0, 1, 1]


def test_a_prompt_whose_words_were_not_sent_is_there() -> None:
    """The structure has the prompt as well."""
    talk = Talk()
    talk.record("other", event=PROMPT, **OF_CELL)
    talk.call(event=REQUEST, **OF_CELL)

    assert talk.read == ["u?", "a?"]


def test_what_calls_say_is_not_told_by_records_again() -> None:
    """Prompts and answers beside spans with content add nothing."""
    talk = Talk()
    talk.record("other", "u1", event=PROMPT, is_new=True)
    span = talk.call("u1", "a1")
    talk.record("other", "", "a1", event=ANSWER, is_new=True, parent=span)
    talk.record("other", event=PROMPT, unit=2)
    talk.call("u1 a1 u2", "a2", unit=2)
    talk.record("other", "", "a2", event=ANSWER, is_new=True, unit=2)

    assert talk.read == ["u1", "a1", "u2", "a2"]


def test_records_inside_the_span_of_a_call_tell_what_it_says() -> None:
    """Events of one message each, or with the whole request, are its content."""
    talk = Talk()
    span = talk.call(at=0, lasts=100)
    talk.record("other", "s1", event="m", parent=span, at=1)
    talk.record("other", "u1", event="m", parent=span, at=1)
    talk.record("other", "", "a1", event="m", parent=span, at=90)
    talk.call("s1 u1 a1 u2", "a2", at=200)

    assert talk.read == ["s1", "u1", "a1", "u2", "a2"]


def test_an_event_with_the_whole_call_is_that_call() -> None:
    """Content of a log record that completes a counted span is told once, as the span's."""
    talk = Talk()
    span = talk.call()
    talk.call(
        "u1",
        "a1",
        event="gen_ai.client.inference.operation.details",
        parent=span,
        counted=False,
        reason="duplicate",
        counted_as=span,
    )

    assert talk.read == ["u1", "a1"]
    assert [line.span_id for line in talk.lines()] == [span, span]


def test_requests_and_answers_of_other_units_are_joined_by_time() -> None:
    """Bodies that were logged in no trace are those of the span that they are nearest to."""
    talk = Talk()
    talk.call(at=0, lasts=1_000)
    talk.call(at=40_000, lasts=1_000)
    talk.record("other", "u1", event="claude_code.api_request_body", at=1, **OF_CELL)
    talk.record("other", "", "a1", event="claude_code.api_response_body", at=999, is_new=True, **OF_CELL)
    talk.record("other", "u1 a1 u2", event="claude_code.api_request_body", at=40_001, **OF_CELL)
    talk.record("other", "", "a2", event="claude_code.api_response_body", at=41_001, is_new=True, **OF_CELL)

    assert talk.read == ["u1", "a1", "u2", "a2"]
    assert talk.lines()[1].time == AT + 1_000 * MS


def test_answers_of_other_turns_are_not_joined() -> None:
    """An answer that names another turn stands by itself."""
    talk = Talk()
    talk.call(event=REQUEST, turn="p1", **OF_CELL)
    talk.record("other", "", "a1", event=ANSWER, turn="p2", is_new=True, **OF_CELL)

    assert talk.read == ["a?", "a1"]
    assert [line.call is None for line in talk.lines()] == [False, True]


def test_a_tool_is_told_once_by_a_span_and_a_record() -> None:
    """Spans inside each other, and log records near their end, are one run."""
    talk = Talk()
    talk.call(at=0)
    outer = talk.record("tool", at=20, lasts=100)
    talk.record("tool", "a8", "t8", parent=outer, at=30)
    talk.record("tool", "a8", "t8", event="claude_code.tool_result", at=120, lasts=0)
    talk.record("tool", event="claude_code.tool_result", at=90_000, lasts=0)

    assert talk.read == ["a?", "a8", "t8", "t?"]


def test_messages_of_records_without_facts_are_put_in_by_time() -> None:
    """What was captured of a record that nothing else is known of stands by itself."""
    talk = Talk()
    talk.record("other", event="x", **OF_CELL)
    talk.chains.append(chain(5, "u1", unit=CELL, at=5, is_new=True))
    talk.chains.append(chain(6, "", "a1", unit=CELL, at=6, is_new=True))
    talk.chains.append(chain(7, "u2", "a2", unit=2, at=50))

    assert talk.read == ["u1", "a1", "u2", "a2"]


def test_of_two_records_of_one_event_each_is_a_run() -> None:
    """A span takes one record of an event; another one is another run."""
    talk = Talk()
    talk.record("tool", "", "t1", at=20)
    talk.record("tool", event="claude_code.tool_result", at=30, lasts=0)
    talk.record("tool", event="claude_code.tool_result", at=31, lasts=0)

    assert talk.read == ["t1", "t?"]


def test_copies_without_content_say_nothing() -> None:
    """A record that only repeats the numbers of a call leaves the call as it is."""
    talk = Talk()
    span = talk.call()
    talk.call(counted=False, reason="duplicate", counted_as=span)

    assert talk.read == ["a?"]
