"""What real instrumentations sent for one script is one transcript, plain and streaming, with tools."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.content.telling import fixture, span_content

from otel_sessions.content.message import ToolCall, ToolResponse
from otel_sessions.content.names import without_content
from otel_sessions.content.read import read_span

CAPTURES = sorted(Path(__file__).with_name("captures").glob("*.json"))
"""The calls of one session per instrumentation; a file is a script that several of them recorded."""


def transcripts(spans: list[dict[str, object]]) -> set[tuple[int, ...]]:
    """The messages of each call, as their likenesses: ids, and blanks at the ends of texts, are those of the run."""
    found = set()
    for span in spans:
        content = span_content(span)
        assert content is not None
        assert content.input
        assert content.output
        found.add(tuple(message.likeness for message in (*content.input, *content.output)))
    return found


@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: path.stem)
def test_one_script_is_one_transcript(path: Path) -> None:
    """All instrumentations of a script tell the same calls with the same messages."""
    captures = fixture(path)["captures"]
    told = {name: transcripts(spans) for name, spans in captures.items()}
    expected = next(iter(told.values()))
    assert len(expected) > 1
    assert told == dict.fromkeys(captures, expected)


@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: path.stem)
def test_answers_are_what_the_next_call_repeats(path: Path) -> None:
    """The input of a call goes on from the answer of the call before, where it is of the same conversation."""
    for spans in fixture(path)["captures"].values():
        contents = [content for span in spans if (content := span_content(span)) is not None]
        repeated = {message.likeness for content in contents for message in content.input}
        calls = [
            one
            for content in contents
            for one in content.output
            if any(isinstance(part, ToolCall) for part in one.parts)
        ]
        answered = [
            content for content in contents if any(isinstance(one.parts[0], ToolResponse) for one in content.input)
        ]
        assert answered
        assert [call for call in calls[:1] if call.likeness not in repeated] == []


@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: path.stem)
def test_no_capture_keeps_a_word(path: Path) -> None:
    """Without content, none of what was said is left."""
    for spans in fixture(path)["captures"].values():
        for span in spans:
            left = [without_content(span["attributes"]), *(without_content(told) for _, told in span["events"])]
            assert read_span(left[0]) is None
            assert "weather" not in json.dumps(left)
