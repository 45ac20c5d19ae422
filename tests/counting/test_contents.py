"""Reading the words of spans and records beside their facts."""

from __future__ import annotations

import json
from typing import Any

from tests.counting.building import AT, fact, read

from otel_sessions.content.content import Content, Said
from otel_sessions.content.message import ASSISTANT, USER, Message, Text
from otel_sessions.counting.contents import content_of_record, content_of_span, holds_content, with_said
from otel_sessions.counting.record_reading import record_facts
from otel_sessions.dialects.read import plan_of


def messages(role: str, text: str) -> str:
    """One message as OpenTelemetry's conventions have it."""
    return json.dumps([{"role": role, "parts": [{"type": "text", "content": text}]}])


SAID: dict[str, Any] = {
    "session.id": "s1",
    "gen_ai.operation.name": "chat",
    "gen_ai.input.messages": messages("user", "Where is my order?"),
    "gen_ai.output.messages": messages("assistant", "On its way."),
}


def test_facts_keep_what_a_session_is_shown_with() -> None:
    """Of all the messages of a span, its facts have the first words of a user and the last ones of a model."""
    facts = read(SAID)
    told = with_said(facts, content_of_span(SAID, [], facts, None))
    assert told == facts._replace(said=Said("Where is my order?", "On its way."))


def test_nothing_is_kept_of_what_has_no_words() -> None:
    """Without messages, or with messages without words, facts stay as they are."""
    facts = read({"session.id": "s1"})
    assert with_said(facts, None) is facts
    assert with_said(facts, Content((Message(USER, ()),))) is facts


def test_half_a_character_is_replaced() -> None:
    """JSON can have halves of characters, which no store could write."""
    content = Content((Message(USER, (Text("a\ud800b"),)),), (Message(ASSISTANT, (Text("c\udfffd"),)),))
    assert with_said(fact(1), content).said == Said("a?b", "c?d")


def test_an_exception_holds_no_messages() -> None:
    """Events of exceptions are not looked through; others are."""
    facts = fact(1)
    assert content_of_span({}, [("exception", {"exception.type": "E"})], facts, None) is None
    assert content_of_span(SAID, [("other", {})], facts, None) is not None


def test_the_check_is_by_the_names_of_the_attributes() -> None:
    """Whether a span may have messages is told by its plan, kept or not."""
    assert holds_content(plan_of(SAID))
    assert not holds_content(plan_of({"session.id": "s1"}))
    many = {f"{'x' * 500}{place}": 1 for place in range(20)}
    assert not holds_content(plan_of(many))
    assert holds_content(plan_of({**many, **SAID}))


def test_a_record_has_words_too() -> None:
    """OpenTelemetry's event of an inference has the messages that a span has."""
    event = "gen_ai.client.inference.operation.details"
    facts = record_facts(SAID, event_name=event, body=None, time=AT, observed=0, trace_id=0, span_id=0, scope="")
    assert facts is not None
    content = content_of_record(SAID, event_name=event, body=None, scope="", service=None)
    assert with_said(facts, content).said == Said("Where is my order?", "On its way.")
