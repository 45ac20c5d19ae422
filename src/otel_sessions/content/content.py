"""`Content`: the messages that one span or log record holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

from otel_sessions.content.message import ASSISTANT, USER, Message
from otel_sessions.long_texts import cut

EXCERPT: Final = 300
"""How many characters the first input and the last output of a session have at most."""


@dataclass(frozen=True, slots=True)
class Content:
    """What one record holds of a conversation.

    Attributes:
        input: what the model, the agent or the tool was given, the oldest message first; system instructions lead.
        output: what came back.
        is_new: all of the input is new: the record never repeats what was said before, as most log records of coding agents.
        compacted: the record says that what was said before was summed up.
    """

    input: tuple[Message, ...] = ()
    output: tuple[Message, ...] = ()
    is_new: bool = False
    compacted: bool = False

    @property
    def said(self) -> Said:
        """What a list of sessions shows of it."""
        return Said(_first_text(self.input), _last_text(self.output))


class Said(NamedTuple):
    """Excerpts of a conversation; `None` where there are no words.

    Attributes:
        input: the first words of a user.
        output: the last words of a model.
    """

    input: str | None = None
    output: str | None = None


def excerpt(text: str) -> str | None:
    """The beginning of a text on one line, at most `EXCERPT` characters; `None` if it is blank."""
    line = " ".join(text[: 8 * EXCERPT].split())
    return cut(line, EXCERPT) if line else None


def _first_text(messages: tuple[Message, ...]) -> str | None:
    return next((text for one in messages if one.role == USER and (text := excerpt(one.text))), None)


def _last_text(messages: tuple[Message, ...]) -> str | None:
    return next((text for one in reversed(messages) if one.role == ASSISTANT and (text := excerpt(one.text))), None)
