"""`read_span` and `read_record`: the messages that a span or a log record holds, whatever its dialect."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from otel_sessions.content import agent_records, message_events, tools
from otel_sessions.content.content import Content
from otel_sessions.content.indexed import indexed
from otel_sessions.content.json_values import is_object
from otel_sessions.content.message import Message, Other
from otel_sessions.content.places import PLACES, is_held
from otel_sessions.content.sources import EVENTS, SOURCES, Place, Source
from otel_sessions.content.spoken import Spoken, answered, canonical
from otel_sessions.dialects import kinds
from otel_sessions.dialects.emitters import ANY, Emitter
from otel_sessions.dialects.events import EVENT_NAME, Told

Event = tuple[str, Mapping[str, Any]]
"""The name of a span event, and its attributes."""

COMPACTED: Final = "gen_ai.conversation.compacted"
_COMPACTING_EVENTS: Final = ("compaction_complete", "conversation.compacted")
"""Endings of the names of span events that tell that what was said before was summed up."""


def may_hold_content(names: Collection[str]) -> bool:
    """False if no attribute, and no span event, of these names holds messages: a cheap check before `read_span`."""
    return is_held(names)


def read_span(
    attributes: Mapping[str, Any], *, events: Sequence[Event] = (), kind: str = "", emitter: Emitter = ANY
) -> Content | None:
    """The messages in the attributes and events of a span; `None` without any.

    Never raises for any value of an attribute.

    Args:
        attributes: of the span.
        events: of the span, in their order.
        kind: of the span, one of `otel_sessions.dialects.kinds`.
        emitter: the program that made the span.
    """
    del emitter
    places = {place for name in attributes if (place := PLACES[name])}
    named = [event for event in events if PLACES[event[0]]]
    if not places and not named:
        return None
    compacted = attributes.get(COMPACTED) is True or any(name.endswith(_COMPACTING_EVENTS) for name, _ in named)
    for name, told in named:
        if name == message_events.INFERENCE:
            # The attributes of the span are read before those of its event.
            attributes = {**told, **attributes}
            places |= {place for one in told if (place := PLACES[one])}
    is_tool = kind == kinds.TOOL if kind else _names_a_tool(attributes)
    if kind and not is_tool:
        # What only tools have is read last on a span that is known to be of another kind.
        return _exchange(attributes, named, places, compacted=compacted) or tools.of_tool(attributes, (), is_tool=False)
    tool = tools.of_tool(attributes, named, is_tool=is_tool)
    return tool or _exchange(attributes, named, places, compacted=compacted)


def _exchange(
    attributes: Mapping[str, Any], events: Sequence[Event], places: set[int], *, compacted: bool
) -> Content | None:
    """What was asked, and what came back, each of the first source that holds any of it."""
    said: list[Spoken] = []
    input_: tuple[Message, ...] = ()
    output: tuple[Message, ...] = ()
    is_new = False
    for number, source in enumerate(SOURCES, 1):
        if source is EVENTS:
            told = message_events.exchange(events)
            input_ = input_ or (canonical([*said, *told.input]) if told.input else ())
            output = output or canonical(told.output)
        elif number in places:
            whole = _whole(source, attributes)
            said = said or _of_places(source.instructions, attributes)
            if not input_ and (found := whole.input or _first(source.input, attributes)):
                input_, is_new = canonical([*said, *found]), source.is_new
            output = output or answered(canonical(whole.output or _output(source, attributes)))
        if input_ and output:
            break
    input_ = input_ or canonical(said)
    compacted = compacted or _tells_of_compaction((*input_, *output))
    return Content(input_, output, is_new=is_new, compacted=compacted) if input_ or output or compacted else None


def _whole(source: Source, attributes: Mapping[str, Any]) -> message_events.Exchange:
    """The first whole conversation that a source holds."""
    for name, read in source.whole:
        if name in attributes and any(found := read(attributes[name])):
            return found
    return message_events.Exchange([], [])


def _names_a_tool(attributes: Mapping[str, Any]) -> bool:
    """True if the first attribute that gives the kind of the span says that it is a tool's."""
    for name, meanings in kinds.KINDS:
        value = attributes.get(name)
        kind = meanings.get(value) or meanings.get(value.strip('"').lower()) if isinstance(value, str) else None
        if kind is not None:
            return kind == kinds.TOOL
    return False


def _first(places: Sequence[Place], attributes: Mapping[str, Any]) -> list[Spoken]:
    """What the first place holds that holds any."""
    return next((found for place in places if (found := _of_places((place,), attributes))), [])


def _output(source: Source, attributes: Mapping[str, Any]) -> list[Spoken]:
    return _of_places(source.output, attributes) if source.is_in_parts else _first(source.output, attributes)


def _of_places(places: Sequence[Place], attributes: Mapping[str, Any]) -> list[Spoken]:
    """What all of these places hold; messages without parts are left out."""
    found: list[Spoken] = []
    for name, read, role in places:
        if name.endswith("."):
            found += indexed(attributes, name, role)
        elif name in attributes:
            found += read(attributes[name], role)
    return [spoken for spoken in found if spoken.parts]


def _tells_of_compaction(messages: Sequence[Message]) -> bool:
    others = [part.content for message in messages for part in message.parts if isinstance(part, Other)]
    return any(is_object(other) and other.get("type") == "compaction" for other in others)


def read_record(attributes: Mapping[str, Any], *, event_name: str, body: Any, told: Told | None) -> Content | None:
    """The messages in a log record; `None` without any.

    Never raises for any value of an attribute or of the body.

    Args:
        attributes: of the record.
        event_name: of the record; empty if it has none.
        body: a text, a number, a mapping, a list or nothing.
        told: the event that it tells of, as `otel_sessions.dialects.events.told_by` says.
    """
    if told is not None:
        content = agent_records.of_agent(told.name, attributes)
        if content is not None:
            return content
    for name in (event_name, attributes.get(EVENT_NAME)):
        if isinstance(name, str) and name in message_events.ROLES:
            return _message(name, attributes if body is None else body)
    return read_span(attributes) if may_hold_content(attributes) else None


def _message(name: str, body: Any) -> Content | None:
    found = canonical(message_events.of_event(name, body))
    if not found:
        return None
    return Content(output=found) if name in message_events.OUTPUTS else Content(found)
