"""Events that hold one message each, on spans or as log records: OpenTelemetry's older form, and older forms of others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from otel_sessions.content.blocks import blocks_in, parts_of
from otel_sessions.content.json_values import first, is_object, is_withheld, parsed
from otel_sessions.content.message import ASSISTANT, SYSTEM, TOOL, USER
from otel_sessions.content.messages import message_of
from otel_sessions.content.shapes import told
from otel_sessions.content.spoken import Spoken

INFERENCE: Final = "gen_ai.client.inference.operation.details"
"""The event that has all messages of a call, under the names that spans have for them."""

CHOICE: Final = "gen_ai.choice"
ROLES: Final = {
    "gen_ai.system.message": SYSTEM,
    "gen_ai.user.message": USER,
    "gen_ai.assistant.message": ASSISTANT,
    "gen_ai.tool.message": TOOL,
    "gen_ai.prompt": USER,
    "gen_ai.content.prompt": USER,
    CHOICE: ASSISTANT,
    "gen_ai.content.completion": ASSISTANT,
}
"""Whose message an event holds, by its name."""

OUTPUTS: Final = frozenset({CHOICE, "gen_ai.content.completion"})
"""Events that hold what came back."""

BODY: Final = ("gen_ai.event.content", "event_body", "body")
"""Attributes of an event that hold the whole body."""

_WHOLE: Final = ("gen_ai.prompt", "gen_ai.completion")
"""Attributes of an event that hold a request or a response."""

RESULT: Final = "tool.result"


class Exchange(NamedTuple):
    """What was asked, and what came back."""

    input: list[Spoken]
    output: list[Spoken]


def exchange(events: Iterable[tuple[str, Mapping[str, Any]]]) -> Exchange:
    """The messages of events, in their order; other events are left out."""
    found = Exchange([], [])
    for name, body in events:
        if name in ROLES:
            (found.output if name in OUTPUTS else found.input).extend(of_event(name, body))
    return found


def of_event(name: str, given: Any) -> list[Spoken]:
    """The messages that an event with one of the names of `ROLES` holds: one, or none where it was withheld.

    Args:
        name: of the event.
        given: its body, or the attributes that stand for it.
    """
    role = ROLES[name]
    given = parsed(given)
    if not is_object(given):
        return told(given, role)
    whole = first(given, BODY)
    body = parsed(whole) if whole is not None else given
    if not is_object(body):
        return told(body, role)
    asked = first(body, _WHOLE)
    if asked is not None:
        return told(asked, role)
    if name == CHOICE:
        return _choice(body)
    content = body.get("content")
    return (
        []
        if is_withheld(content) and not body.get("tool_calls")
        else [message_of({**body, "role": body.get("role", role)}, role)]
    )


def _choice(body: Mapping[str, Any]) -> list[Spoken]:
    message = parsed(body["message"]) if "message" in body else body
    if not is_object(message):
        spoken = [Spoken(ASSISTANT, parts_of(blocks_in(message)))]
    elif is_withheld(message.get("content")) and not message.get("tool_calls"):
        spoken = []
    else:
        spoken = [message_of({**message, "role": message.get("role", ASSISTANT)}, ASSISTANT)]
    # Strands puts the answers of the tools beside the calls.
    return [*spoken, Spoken(TOOL, parts_of(blocks_in(body.get(RESULT))))] if body.get(RESULT) is not None else spoken


def of_list(given: Any) -> Exchange:
    """The messages in a list of such events, each with its name as `event.name`, as Pydantic AI and Logfire wrote them."""
    found = parsed(given)
    named = [one for one in found if is_object(one)] if isinstance(found, (list, tuple)) else []
    return exchange((name, one) for one in named if isinstance(name := one.get("event.name"), str))
