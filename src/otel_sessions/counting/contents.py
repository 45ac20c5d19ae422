"""`content_of_span` and `content_of_record`: the messages that are read beside facts, and `with_said`, what facts keep of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from otel_sessions.content.content import Content, Said
from otel_sessions.content.read import Event, may_hold_content, read_record, read_span
from otel_sessions.counting.facts import SpanFacts
from otel_sessions.dialects.events import emitter_of, told_by
from otel_sessions.dialects.read import Plan

_EXCEPTION: Final = "exception"
"""The usual event of a span, which never has messages."""


def holds_content(plan: Plan) -> bool:
    """False if no attribute of a span with this plan holds messages."""
    return _holds(plan) if plan.is_kept else may_hold_content(plan.names)


def content_of_span(
    attributes: Mapping[str, Any], events: Sequence[Event], facts: SpanFacts, service: str | None
) -> Content | None:
    """The messages of a span with these attributes, events and facts; `service` is the name of its resource."""
    if events and all(name == _EXCEPTION for name, _ in events):
        events = ()
    return read_span(attributes, events=events, kind=facts.kind, emitter=emitter_of(facts.scope, service))


def content_of_record(
    attributes: Mapping[str, Any], *, event_name: str, body: Any, scope: str, service: str | None
) -> Content | None:
    """The messages of a log record; `service` is the name of its resource."""
    told = told_by(scope, service, event_name, attributes, body)
    return read_record(attributes, event_name=event_name, body=body, told=told)


def with_said(facts: SpanFacts, content: Content | None) -> SpanFacts:
    """The facts with the words of these messages that a session is shown with."""
    if content is None:
        return facts
    input_, output = content.said
    if input_ is None and output is None:
        return facts
    return facts._replace(said=Said(_storable(input_), _storable(output)))


def _storable(text: str | None) -> str | None:
    """The text without halves of characters, which JSON can have and UTF-8 cannot."""
    return None if text is None else text.encode(errors="replace").decode()


@lru_cache(maxsize=4_096)
def _holds(plan: Plan) -> bool:
    return may_hold_content(plan.names)
