"""Attributes without content, of which every number stays."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.content.telling import DIALECTS, attribute_sets, fixture

from otel_sessions.content.names import is_content, is_content_body, without_content
from otel_sessions.content.read import may_hold_content, read_record, read_span
from otel_sessions.dialects.events import told_by

WORDS = ("Weather?", "Rainy, 14 C.", "rainy 14", "Paris", "Be brief.")


@pytest.mark.parametrize("path", DIALECTS, ids=lambda path: path.stem)
def test_no_dialect_keeps_a_word(path: Path) -> None:
    """What is left of a span, its events and a record tells nothing of the conversation, and holds none of its words."""
    loaded = fixture(path)
    for attributes in attribute_sets(loaded):
        left = without_content(attributes)
        assert [word for word in WORDS if word in json.dumps(left, ensure_ascii=False)] == []
    if "span" in loaded:
        assert read_span(without_content(loaded["span"]["attributes"])) is None
    for record in loaded.get("records", ()):
        name, body = record["event_name"], record["body"]
        attributes = without_content(record["attributes"], name)
        body = None if is_content_body(name, attributes) else body
        told = told_by("", loaded.get("service"), name, attributes, body)
        assert read_record(attributes, event_name=name, body=body, told=told) is None


def test_numbers_and_names_stay() -> None:
    """Usage, models, sessions and names of tools are no content."""
    kept: dict[str, Any] = {
        "session.id": "s",
        "gen_ai.usage.input_tokens": 3,
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.tool.name": "f",
        "gen_ai.tool.call.id": "c",
        "gen_ai.prompt.name": "greeting",
        "langfuse.observation.usage_details": "{}",
        "mlflow.chat.tokenUsage": "{}",
        "ai.response.providerMetadata": "{}",
        "llm.invocation_parameters": '{"temperature": 1}',
    }
    assert without_content({**kept, "input.value": "Hi", "gen_ai.prompt.0.content": "Hi"}) == kept


@pytest.mark.parametrize("as_text", [True, False])
def test_content_among_settings(*, as_text: bool) -> None:
    """The settings of a call stay, what it was told goes."""
    settings = {"model": "gpt-4o", "temperature": 1, "instructions": "Be brief.", "tools": [{"name": "f"}]}
    left = {"model": "gpt-4o", "temperature": 1}
    given, expected = (json.dumps(settings), json.dumps(left)) if as_text else (settings, left)
    assert without_content({"llm.invocation_parameters": given}) == {"llm.invocation_parameters": expected}


@pytest.mark.parametrize(
    ("given", "left"), [("{cut", "{cut"), ('{"system": "Be bri', ""), ("{'n': 1, 'instructions': 'Be brief.'}", "")]
)
def test_settings_that_are_no_object(given: str, left: str) -> None:
    """What cannot be read stays if it has no member that holds content, and goes as a whole if it has."""
    assert without_content({"llm.invocation_parameters": given}) == {"llm.invocation_parameters": left}


def test_members_of_messages() -> None:
    """An event or log record that is one message may hold it in attributes of common names, which are no content elsewhere."""
    told = {"parts": ["Hi"], "reasoning_content": "Hm", "index": 0}
    assert without_content(told, "gen_ai.assistant.message") == {"index": 0}
    assert without_content(told, "done") == told


def test_names_with_a_number() -> None:
    """A numbered message is content, whatever its number."""
    assert is_content("llm.input_messages.17.message.content")
    assert is_content("retrieval.documents.0.document.content")
    assert not is_content("llm.token_count.prompt")


def test_bodies_of_records() -> None:
    """The body of an event of one message is content, that of a coding agent's event is its name."""
    assert is_content_body("gen_ai.choice", {})
    assert is_content_body("", {"event.name": "gen_ai.user.message"})
    assert not is_content_body("", {"event.name": "user_prompt"})
    assert not is_content_body("", {"event.name": 3})


def test_the_cheap_check_never_misses() -> None:
    """Every fixture is found by the names of its attributes and events, and an ordinary span is not."""
    for path in DIALECTS:
        loaded = fixture(path)
        if "span" in loaded:
            assert may_hold_content([*loaded["span"]["attributes"], *(name for name, _ in loaded["span"]["events"])])
    assert not may_hold_content(["http.url", "session.id", "gen_ai.usage.input_tokens", "x" * 300])
