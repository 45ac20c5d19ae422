"""The words in the log records of coding agents."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.content.telling import record_content

from otel_sessions.content.content import Content
from otel_sessions.content.message import Message, Text, ToolCall, ToolResponse


def read(service: str, name: str, body: Any = None, **attributes: Any) -> Content | None:
    """What a record of this program with this event holds."""
    told = {"event.name": name, **attributes}
    return record_content({"event_name": "", "attributes": told, "body": body}, service)


@pytest.mark.parametrize(
    ("service", "name"),
    [
        ("claude-code", "user_prompt"),
        ("codex_cli_rs", "codex.user_prompt"),
        ("gemini-cli", "gemini_cli.user_prompt"),
        ("qwen-code", "qwen-code.user_prompt"),
    ],
)
def test_a_prompt_is_a_new_message_of_a_user(service: str, name: str) -> None:
    """It never repeats what was said before; also where it looks like JSON, it is the user's text."""
    said = Content((Message("user", (Text('{"a": 1}'),)),), is_new=True)
    assert read(service, name, prompt='{"a": 1}', prompt_length="8") == said


@pytest.mark.parametrize("withheld", ["<REDACTED>", "[REDACTED]", "", None])
def test_what_was_withheld_is_no_content(withheld: str | None) -> None:
    """A placeholder for a text is not shown as the text."""
    assert read("claude-code", "user_prompt", prompt=withheld) is None
    assert read("codex_exec", "codex.tool_result", arguments=withheld, output=withheld, tool_name="shell") is None


def test_an_answer_of_claude_code() -> None:
    """The words of the assistant are the output of their record."""
    assert read("claude-code", "assistant_response", response="Done.") == Content(
        (), (Message("assistant", (Text("Done."),)),), is_new=True
    )


def test_tools_of_claude_code_have_arguments_only() -> None:
    """Its record of a tool has no answer, so none is made up."""
    found = read("claude-code", "tool_result", tool_name="Bash", tool_use_id="t1", tool_input='{"command": "ls"}')
    assert found == Content((Message("assistant", (ToolCall("t1", "Bash", {"command": "ls"}),)),), is_new=True)


def test_tools_of_codex_have_an_answer() -> None:
    """Arguments and output are one call and one answer with the same id."""
    found = read("codex_cli_rs", "codex.tool_result", tool_name="shell", call_id="c1", arguments='{"a":1}', output="ok")
    assert found == Content(
        (Message("assistant", (ToolCall("c1", "shell", {"a": 1}),)),),
        (Message("tool", (ToolResponse("c1", "ok"),)),),
        is_new=True,
    )


def test_tools_of_gemini_cli() -> None:
    """The name of the function is the name of the tool."""
    found = read("gemini-cli", "gemini_cli.tool_call", function_name="read", function_args='{"p":"a"}')
    assert found is not None
    assert found.input == (Message("assistant", (ToolCall(None, "read", {"p": "a"}),)),)


def test_the_body_of_a_request_repeats_what_was_said() -> None:
    """It is not new; the body of a response is the answer alone."""
    asked = json.dumps({"system": "S", "messages": [{"role": "user", "content": "Hi"}]})
    found = read("claude-code", "api_request_body", body="claude_code.api_request_body")
    assert found is None
    request = read("claude-code", "api_request_body", None, body_length="9")
    assert request is None
    told = {"event.name": "api_request_body", "body": asked}
    whole = record_content({"event_name": "", "attributes": told, "body": None}, "claude-code")
    assert whole == Content((Message("system", (Text("S"),)), Message("user", (Text("Hi"),))))


def test_a_body_that_was_cut_is_kept_as_text() -> None:
    """Nothing of it is lost, though it is no JSON."""
    told = {"event.name": "api_response_body", "body": '{"content": [{"type": "te'}
    found = record_content({"event_name": "", "attributes": told, "body": None}, "claude-code")
    assert found is not None
    assert found.output == (Message("assistant", (Text('{"content": [{"type": "te'),)),)


def test_a_body_without_words_is_no_content() -> None:
    """An empty response holds nothing."""
    told = {"event.name": "api_response_body", "body": "{}"}
    assert record_content({"event_name": "", "attributes": told, "body": None}, "claude-code") is None


@pytest.mark.parametrize(
    ("service", "name"),
    [
        ("claude-code", "compaction"),
        ("gemini-cli", "gemini_cli.chat_compression"),
        ("qwen-code", "qwen-code.chat_compression"),
    ],
)
def test_a_compaction_is_told(service: str, name: str) -> None:
    """The record says that what was said before was summed up; one that failed does not."""
    assert read(service, name, success="true") == Content(compacted=True)
    assert read(service, name) == Content(compacted=True)
    assert read(service, name, success="false") is None


def test_events_without_words_are_no_content() -> None:
    """A record of a cost, and one of an event that is not known, hold nothing."""
    assert read("claude-code", "api_request", model="m", input_tokens=3) is None
    assert read("claude-code", "news", text="x") is None


def test_other_records_are_read_by_their_attributes() -> None:
    """A record of no known event holds messages if its attributes do."""
    told = {"gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": "Hi"}]}]}
    found = record_content({"event_name": "", "attributes": told, "body": "text"})
    assert found == Content((Message("user", (Text("Hi"),)),))
    assert record_content({"event_name": "", "attributes": {"a": 1}, "body": "text"}) is None
