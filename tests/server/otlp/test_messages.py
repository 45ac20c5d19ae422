"""The message classes read what the official ones write, and more."""

from __future__ import annotations

import tracemalloc
from typing import Any

import pytest
from hypothesis import given, settings
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from tests.server.otlp.building import span_requests

from otel_sessions.server.otlp.errors import MalformedError
from otel_sessions.server.otlp.messages import message_class, messages, parse


@settings(deadline=None)
@given(span_requests())
def test_same_bytes(request: Any) -> None:
    """A request that is read and written again is the same request."""
    again = parse(messages().traces.request, request.SerializeToString()).SerializeToString()
    assert type(request).FromString(again) == request


def test_text_is_bytes() -> None:
    """A name that is not UTF-8, for which the official class refuses the request, is read."""
    raw = Span(name="ab").SerializeToString().replace(b"ab", b"\xff\xfe")
    assert parse(messages().traces.record, raw).name == b"\xff\xfe"


def test_apart_from_the_official_classes() -> None:
    """The classes are made once, and leave the official ones of the same name as they are."""
    assert messages() is messages()
    assert message_class("opentelemetry.proto.trace.v1.Span") is messages().traces.record
    assert Span().name == ""


def test_malformed() -> None:
    """Bytes that are not a valid message are refused with the name of the message."""
    with pytest.raises(MalformedError, match=r"opentelemetry\.proto\.trace\.v1\.Span$"):
        parse(messages().traces.record, b"\x0a\x10short")


def test_empty_messages_stay_small() -> None:
    """A million empty spans take less than 10 MB."""
    tracemalloc.start()
    scope_spans = parse(messages().traces.scope_group, b"\x12\x00" * 1_000_000)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(scope_spans.spans) == 1_000_000
    assert peak < 10_000_000
