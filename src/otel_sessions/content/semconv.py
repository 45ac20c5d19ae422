"""Messages in the form of OpenTelemetry's conventions for generative AI."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from otel_sessions.content.message import ROLES, SYSTEM, USER, Message, Other, Part, Text

INPUT: Final = "gen_ai.input.messages"
OUTPUT: Final = "gen_ai.output.messages"
INSTRUCTIONS: Final = "gen_ai.system_instructions"


def messages_of(given: Any, *, instructions: Any = None) -> tuple[Message, ...]:
    """The messages of an attribute, after those of the system instructions; what is no message is kept as it is."""
    parts = tuple(_parts(_parsed(instructions)))
    leading = (Message(SYSTEM, parts),) if parts else ()
    return (*leading, *_messages(_parsed(given)))


def _parsed(given: Any) -> Any:
    if not isinstance(given, str):
        return given
    try:
        return json.loads(given)
    except (ValueError, RecursionError):
        return given


def _messages(given: Any) -> Iterable[Message]:
    if given is None:
        return
    for one in given if isinstance(given, Sequence) and not isinstance(given, str) else (given,):
        if isinstance(one, Mapping) and one.get("role") in ROLES:
            yield Message(one["role"], tuple(_parts(one.get("parts"))))
        else:
            yield Message(USER, tuple(_parts([one])))


def _parts(given: Any) -> Iterable[Part]:
    for one in given if isinstance(given, Sequence) and not isinstance(given, str) else ():
        if isinstance(one, Mapping) and isinstance(one.get("content"), str):
            yield Text(one["content"])
        elif isinstance(one, str):
            yield Text(one)
        else:
            yield Other(one)
