"""Blocks of content, of every provider, as parts."""

from __future__ import annotations

from typing import Any

import pytest

from otel_sessions.content.blocks import blocks_in, is_blocks, parts_of
from otel_sessions.content.message import Media, Other, Reasoning, Text, ToolCall, ToolResponse

PIXEL = "iVBORw0KGgo="


@pytest.mark.parametrize(
    "block",
    [
        "Hi",
        {"type": "text", "text": "Hi"},
        {"type": "text", "content": "Hi"},
        {"type": "text", "text": {"value": "Hi", "annotations": []}},
        {"type": "input_text", "text": "Hi"},
        {"type": "output_text", "text": "Hi", "annotations": []},
        {"type": "refusal", "refusal": "Hi"},
        {"text": "Hi"},
        {"content": "Hi"},
        {"block_type": "text", "text": "Hi"},
        {"type": "custom", "text": "Hi"},
        {"message_content": {"type": "text", "text": "Hi"}},
    ],
)
def test_texts(block: Any) -> None:
    """Every provider's block of text is a text."""
    assert parts_of([block]) == [Text("Hi")]


@pytest.mark.parametrize(
    "nothing", [None, "", "  \n", "<REDACTED>", {}, [], {"type": "text"}, {"cachePoint": {"type": "x"}}]
)
def test_nothing(nothing: Any) -> None:
    """Blank texts, placeholders for withheld ones, and marks of a cache are no parts."""
    assert parts_of(nothing) == []


@pytest.mark.parametrize(
    "block",
    [
        {"type": "reasoning", "content": "hm"},
        {"type": "reasoning", "text": "hm"},
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}], "encrypted_content": "x"},
        {"type": "thinking", "thinking": "hm", "signature": "x"},
        {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "x"}}},
        {"text": "hm", "thought": True},
    ],
)
def test_reasoning(block: Any) -> None:
    """What a model thought is apart from what it said."""
    assert parts_of([block]) == [Reasoning("hm")]


@pytest.mark.parametrize(
    "block",
    [
        {"type": "tool_call", "id": "c", "name": "f", "arguments": '{"a": 1}'},
        {"type": "tool_call", "id": "c", "name": "f", "args": {"a": 1}},
        {"type": "tool-call", "toolCallId": "c", "toolName": "f", "input": {"a": 1}},
        {"type": "tool_use", "id": "c", "name": "f", "input": {"a": 1}},
        {"type": "server_tool_use", "id": "c", "name": "f", "input": {"a": 1}},
        {"type": "function_call", "id": "fc", "call_id": "c", "name": "f", "arguments": '{"a":1}'},
        {"type": "function", "id": "c", "function": {"name": "f", "arguments": '{"a":1}'}},
        {"toolUse": {"toolUseId": "c", "name": "f", "input": {"a": 1}}},
        {"function_call": {"id": "c", "name": "f", "args": {"a": 1}}},
        {"functionCall": {"id": "c", "name": "f", "args": {"a": 1}}},
        {"tool_call": {"id": "c", "tool_name": "f", "arguments": {"a": 1}}},
        {"type": "server_tool_call", "id": "c", "name": "f", "server_tool_call": {"type": "f", "a": 1}},
        {"type": "server_tool_call", "id": "c", "server_tool_call": {"type": "f", "a": 1}},
        {"type": "server_tool_call", "id": "c", "name": "f", "arguments": {"a": 1}},
        {"block_type": "tool_call", "tool_call_id": "c", "tool_name": "f", "tool_kwargs": '{"a": 1}'},
    ],
)
def test_calls(block: Any) -> None:
    """The arguments of a call are JSON, as an object or as a text."""
    assert parts_of([block]) == [ToolCall("c", "f", {"a": 1})]


@pytest.mark.parametrize(
    ("call", "arguments"),
    [
        ({"type": "tool_call", "name": "f"}, None),
        ({"type": "tool_call", "name": "f", "arguments": ""}, {}),
        ({"functionCall": {"name": "f"}}, {}),
        ({"type": "tool_call", "name": "f", "arguments": '{"cut'}, '{"cut'),
    ],
)
def test_arguments_that_are_no_object(call: Any, arguments: Any) -> None:
    """Unknown arguments stay unknown, none are an empty object, and cut ones are the text."""
    assert parts_of(call) == [ToolCall(None, "f", arguments)]


@pytest.mark.parametrize(
    "block",
    [
        {"type": "tool_call_response", "id": "c", "response": "ok"},
        {"type": "tool_call_response", "id": "c", "result": "ok"},
        {"type": "tool_result", "tool_use_id": "c", "content": "ok"},
        {"type": "tool_result", "tool_use_id": "c", "content": [{"type": "text", "text": "ok"}]},
        {"type": "tool-result", "toolCallId": "c", "toolName": "f", "result": "ok"},
        {"type": "tool-result", "toolCallId": "c", "output": {"type": "text", "value": "ok"}},
        {
            "type": "tool-result",
            "toolCallId": "c",
            "output": {"type": "content", "value": [{"type": "text", "text": "ok"}]},
        },
        {"type": "function_call_output", "id": "x", "call_id": "c", "output": "ok"},
        {"toolResult": {"toolUseId": "c", "content": [{"text": "ok"}]}},
        {"function_response": {"id": "c", "name": "f", "response": {"result": "ok"}}},
        {"functionResponse": {"id": "c", "name": "f", "response": {"output": "ok"}}},
        {"tool_call_result": {"result": "ok", "origin": {"id": "c", "tool_name": "f"}}},
        {"tool_call_result": {"result": "ok", "id": "c"}},
        {"type": "server_tool_call_response", "id": "c", "server_tool_call_response": "ok"},
    ],
)
def test_answers(block: Any) -> None:
    """The answer of a tool is a text, however it is wrapped."""
    assert parts_of([block]) == [ToolResponse("c", "ok")]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ('{"a": 1}', {"a": 1}),
        ([{"json": {"a": 1}}], {"a": 1}),
        ({"type": "json", "value": [1]}, [1]),
        ([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}], "a\nb"),
        ([{"type": "missing", "loc": ["x"]}], [{"type": "missing", "loc": ["x"]}]),
        ([1, "x"], [1, "x"]),
        ("<elided>", None),
        (
            [
                {"type": "text", "text": "see"},
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}},
            ],
            [
                {"type": "text", "content": "see"},
                {"type": "media", "modality": "image", "mime_type": "image/png", "uri": None, "size": 8},
            ],
        ),
    ],
)
def test_answers_that_are_no_text(content: Any, expected: Any) -> None:
    """JSON is parsed, texts are put together, and bytes are never kept."""
    assert parts_of({"type": "tool_result", "tool_use_id": "c", "content": content}) == [ToolResponse("c", expected)]


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        ({"type": "image_url", "image_url": {"url": "https://e.x/a.png"}}, Media("image", uri="https://e.x/a.png")),
        ({"type": "image_url", "image_url": f"data:image/png;base64,{PIXEL}"}, Media("image", "image/png", size=8)),
        ({"type": "input_image", "file_id": "file-1"}, Media("image", uri="file-1")),
        ({"type": "image", "image": PIXEL, "mediaType": "image/jpeg"}, Media("image", "image/jpeg", size=8)),
        ({"type": "image", "source": {"type": "url", "url": "https://e.x/a"}}, Media("image", uri="https://e.x/a")),
        (
            {"type": "document", "source": {"media_type": "application/pdf", "data": PIXEL}},
            Media("document", "application/pdf", size=8),
        ),
        ({"type": "file", "file": {"file_id": "file-2", "filename": "a.pdf"}}, Media("file", uri="file-2")),
        (
            {"type": "file", "data": "gs://b/o", "mediaType": "text/plain"},
            Media("document", "text/plain", uri="gs://b/o"),
        ),
        (
            {"type": "blob", "modality": "video", "mime_type": "video/mp4", "content": PIXEL},
            Media("video", "video/mp4", size=8),
        ),
        ({"type": "uri", "modality": "audio", "mime_type": None, "uri": "s3://b/a"}, Media("audio", uri="s3://b/a")),
        ({"type": "file", "modality": "image", "file_id": "file-3"}, Media("image", uri="file-3")),
        ({"type": "file", "data": PIXEL, "mime_type": "application/zip"}, Media("file", "application/zip", size=8)),
        ({"type": "file", "data": PIXEL, "mime_type": "application/pdf"}, Media("document", "application/pdf", size=8)),
        ({"type": "input_audio", "input_audio": {"data": PIXEL, "format": "wav"}}, Media("audio", "audio/wav", size=8)),
        ({"inline_data": {"mime_type": "image/png", "data": PIXEL}}, Media("image", "image/png", size=8)),
        ({"fileData": {"mimeType": "video/mp4", "fileUri": "gs://b/v"}}, Media("video", "video/mp4", uri="gs://b/v")),
        ({"image": {"format": "png", "source": {"bytes": PIXEL}}}, Media("image", "image/png", size=8)),
        ({"image": {"format": "png", "source": {"bytes": b"12345678"}}}, Media("image", "image/png", size=8)),
        ({"image": {"source": {"bytes": [1, 2, 3]}}}, Media("image", size=3)),
        ({"document": {"format": "pdf", "source": {"bytes": PIXEL}}}, Media("document", "application/pdf", size=8)),
        ({"type": "media", "url": "data:,hello"}, Media("file", size=5)),
        (
            {"type": "input_file", "file_data": "data:application/pdf;base64," + PIXEL},
            Media("document", "application/pdf", size=8),
        ),
        ({"type": "media", "media_type": "pdf", "data": PIXEL}, Media("document", "application/pdf", size=8)),
        ({"type": "image", "source": {"type": "base64"}}, Media("image")),
        ({"type": "image", "a": {"b": {"c": {"d": {"e": {"url": "https://deep"}}}}}}, Media("image")),
        ({"type": "image", "data": PIXEL, "bytes": "AAAA"}, Media("image", size=8)),
    ],
)
def test_media(block: Any, expected: Media) -> None:
    """A placeholder says what it is and where it is or how large, and never has its bytes."""
    assert parts_of(block) == [expected]


def test_answers_of_google() -> None:
    """An object with other members is the answer itself."""
    block = {"function_response": {"name": "f", "response": {"w": "sunny"}}}
    assert parts_of(block) == [ToolResponse(None, {"w": "sunny"})]


def test_audio_with_words() -> None:
    """What was said in an answer of audio is a text beside it."""
    block = {"type": "output_audio", "data": PIXEL, "transcript": "Hi"}
    assert parts_of(block) == [Media("audio", size=8), Text("Hi")]


@pytest.mark.parametrize(
    "block",
    [
        {"type": "compaction", "content": "Summary"},
        {"type": "redacted_thinking", "data": "x"},
        {"executable_code": {"language": "PYTHON"}},
        {"text": 3},
        {"type": "text", "text": [1]},
        {"toolUse": 3},
        {"function_response": "x"},
        {"toolResult": "x"},
        {"tool_call_result": "x"},
        7,
        True,
    ],
)
def test_anything_else_is_kept(block: Any) -> None:
    """A block of a kind that is not known is there as it came."""
    assert parts_of([block]) == [Other(block)]


def test_bytes_of_unknown_blocks_are_not_kept() -> None:
    """A `data:` URI is cut to its beginning wherever it is."""
    uri = "data:image/png;base64," + "A" * 400
    assert parts_of({"type": "new", "thing": {"url": uri}}) == [
        Other({"type": "new", "thing": {"url": "data:image/png;base64,(300 bytes)"}})
    ]
    long = "data:text/plain," + "a" * 80
    assert parts_of({"type": "new", "url": long}) == [Other({"type": "new", "url": long})]


def test_blocks_in_a_text() -> None:
    """Only a list of blocks in a text is read as blocks: an object may be what a model answered."""
    assert blocks_in('[{"text": "Hi"}]') == [{"text": "Hi"}]
    assert blocks_in('{"text": "Hi"}') == '{"text": "Hi"}'
    assert blocks_in("[1] see") == "[1] see"
    assert blocks_in("[1, 2]") == "[1, 2]"
    assert blocks_in(None) is None
    assert not is_blocks(3)


def test_deep_blocks_are_kept_as_they_are() -> None:
    """Lists in lists are not searched without end."""
    deep: Any = "Hi"
    for _ in range(40):
        deep = [deep]
    (part,) = parts_of(deep)
    assert isinstance(part, Other)
    thought: Any = {"type": "reasoning", "content": deep}
    assert parts_of(thought) == []
    wrapped: Any = {"type": "text", "text": "Hi"}
    for _ in range(40):
        wrapped = {"message_content": wrapped}
    (part,) = parts_of(wrapped)
    assert isinstance(part, Other)


def test_media_beside_a_name_that_is_no_text() -> None:
    """A mapping may have names of any type."""
    assert parts_of([{0: 1, "file_data": {"file_uri": "https://ex.org/a"}}]) == [Media("file", uri="https://ex.org/a")]
