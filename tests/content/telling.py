"""The one conversation of the fixtures, and how they are read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from otel_sessions.content.content import Content
from otel_sessions.content.message import Media, Message, Text, ToolCall, ToolResponse
from otel_sessions.content.read import read_record, read_span
from otel_sessions.dialects.events import told_by

DIALECTS = sorted(Path(__file__).with_name("dialects").glob("*.json"))
"""One conversation, told in each dialect: what its last call was given, and what came back."""

INPUT = (
    Message("system", (Text("Be brief."),)),
    Message("user", (Text("Weather?"), Media("image", uri="https://ex.org/a.png"))),
    Message("assistant", (ToolCall("call_1", "get_weather", {"city": "Paris"}),)),
    Message("tool", (ToolResponse("call_1", "rainy 14"),)),
)
OUTPUT = (Message("assistant", (Text("Rainy, 14 C."),)),)


def fixture(path: Path) -> dict[str, Any]:
    """What a file holds."""
    loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


def span_content(span: Mapping[str, Any]) -> Content | None:
    """The content of a span of a fixture."""
    return read_span(
        span["attributes"], events=[(name, told) for name, told in span["events"]], kind=span.get("kind", "")
    )


def record_content(record: Mapping[str, Any], service: str | None = None) -> Content | None:
    """The content of a log record of a fixture."""
    name, attributes, body = record["event_name"], record["attributes"], record["body"]
    told = told_by("", service, name, attributes, body)
    return read_record(attributes, event_name=name, body=body, told=told)


def contents(loaded: Mapping[str, Any]) -> Iterator[Content]:
    """What the span, or each log record, of a fixture holds."""
    found = (
        [span_content(loaded["span"])]
        if "span" in loaded
        else [record_content(record, loaded.get("service")) for record in loaded["records"]]
    )
    for content in found:
        assert content is not None
        yield content


def attribute_sets(loaded: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The attributes of the span, of its events and of the log records of a fixture."""
    if "span" in loaded:
        yield loaded["span"]["attributes"]
        yield from (told for _, told in loaded["span"]["events"])
    else:
        yield from (record["attributes"] for record in loaded["records"])


def plain(message: Message) -> Message:
    """The message without the types of its media, which some dialects tell and others do not."""
    return Message(
        message.role,
        tuple(replace(part, mime_type=None) if isinstance(part, Media) else part for part in message.parts),
    )
