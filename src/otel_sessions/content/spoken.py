"""Messages as programs write them, and their canonical form.

In a record, messages of the assistant that follow each other are one message, every answer of a tool is a message of its
own, and system instructions are one message before all others.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from otel_sessions.content.message import ASSISTANT, SYSTEM, TOOL, USER, Message, Other, Part, Text, ToolResponse, shown


class Spoken(NamedTuple):
    """A message as it was read: any role may have any parts."""

    role: str
    parts: list[Part]


def canonical(spoken: Iterable[Spoken]) -> tuple[Message, ...]:
    """The messages in their canonical form; those without parts are left out."""
    leading: list[Part] = []
    known: set[str] = set()
    found: list[tuple[str, list[Part]]] = []
    for role, parts in _apart(spoken):
        if role == SYSTEM and not found:
            # Many programs send the same instructions twice.
            leading.extend(part for part in parts if not isinstance(part, Text) or part.content not in known)
            known.update(part.content for part in parts if isinstance(part, Text))
        elif role == ASSISTANT and found and found[-1][0] == ASSISTANT:
            found[-1][1].extend(parts)
        else:
            found.append((role, parts))
    first = [(SYSTEM, leading)] if leading else []
    return tuple(Message(role, tuple(parts)) for role, parts in (*first, *found))


def answered(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    """What came back: what follows the last message that a user or the program wrote, if a whole conversation was told."""
    asked = max((place for place, one in enumerate(messages) if one.role in (USER, SYSTEM)), default=-1)
    return messages[asked + 1 :] or messages


def _apart(spoken: Iterable[Spoken]) -> Iterator[tuple[str, list[Part]]]:
    """The messages, with every answer of a tool in one of its own."""
    for role, parts in spoken:
        others: list[Part] = []
        for part in parts:
            if isinstance(part, ToolResponse):
                if others:
                    yield _whole(role, others)
                    others = []
                yield TOOL, [part]
            else:
                others.append(part)
        if others:
            yield _whole(role, others)


def _whole(role: str, parts: list[Part]) -> tuple[str, list[Part]]:
    return role, [ToolResponse(None, content_of(parts))] if role == TOOL else parts


def content_of(parts: list[Part]) -> object:
    """Parts as the content of an answer of a tool."""
    if all(isinstance(part, Text) for part in parts):
        return "\n".join(part.content for part in parts if isinstance(part, Text))
    if len(parts) == 1 and isinstance(parts[0], Other):
        return parts[0].content
    return [shown(part) for part in parts]
