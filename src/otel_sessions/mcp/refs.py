"""Typed ids: `session:`, `turn:`, `span:`, `message:` and `log:` name what an answer tells of, and are read back as they are.

An id of a session may hold any character, so it always comes last and is never quoted. Another session key than `id` stands behind an
`@`: `session:abc`, `session@ticket:abc`.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from otel_sessions.attributes import ID_KEY
from otel_sessions.rules import KEY_CHARACTERS

_KEY: Final = f"(?:@(?P<key>[{KEY_CHARACTERS}]+))?"
_SESSION: Final = re.compile(rf"session{_KEY}:(?P<id>.+)", re.DOTALL)
_TURN: Final = re.compile(
    rf"turn{_KEY}:(?P<which>[0-9a-fA-F]{{32}}|[0-9]{{1,10}}|[0-9-]{{10}}T[0-9:.]+Z):(?P<id>.+)", re.DOTALL
)
_MESSAGE: Final = re.compile(rf"message{_KEY}:(?P<index>[0-9]{{1,9}}):(?P<id>.+)", re.DOTALL)
_LOG: Final = re.compile(
    rf"log{_KEY}:(?P<time>[0-9-]{{10}}T[0-9:.]+Z)/(?P<digest>[0-9a-f]{{16}}):(?P<id>.+)", re.DOTALL
)
_SPAN: Final = re.compile(r"span:([0-9a-fA-F]{32})/([0-9a-fA-F]{16})")

FORMS: Final = (
    "session:ID, turn:TRACE_ID:ID, span:TRACE_ID/SPAN_ID or message:INDEX:ID, as answers give them; "
    "of another session key than id: session@KEY:ID"
)
"""How ids are written, for messages."""


class SessionRef(NamedTuple):
    """A session."""

    key: str
    id: str

    def __str__(self) -> str:
        return f"session{_at(self.key)}:{self.id}"


class TurnRef(NamedTuple):
    """A turn: a trace by its id, the log records of five minutes by their start, or a number that messages have."""

    session: SessionRef
    which: str

    def __str__(self) -> str:
        return f"turn{_at(self.session.key)}:{self.which}:{self.session.id}"

    @property
    def trace_id(self) -> str | None:
        """The trace id, if that names the turn."""
        return self.which.lower() if len(self.which) == 32 and "T" not in self.which else None

    @property
    def number(self) -> int | None:
        """The number, if that names the turn."""
        return int(self.which) if self.trace_id is None and self.which.isdigit() else None


class SpanRef(NamedTuple):
    """A span."""

    trace_id: str
    span_id: str

    def __str__(self) -> str:
        return f"span:{self.trace_id}/{self.span_id}"


class MessageRef(NamedTuple):
    """A message of a session, by its place in the conversation."""

    session: SessionRef
    number: int

    def __str__(self) -> str:
        return f"message{_at(self.session.key)}:{self.number}:{self.session.id}"


class LogRef(NamedTuple):
    """A log record of a session: its time, and a digest of what it says, since several may have the same time."""

    session: SessionRef
    time: str
    digest: str

    def __str__(self) -> str:
        return f"log{_at(self.session.key)}:{self.time}/{self.digest}:{self.session.id}"


Ref = SessionRef | TurnRef | SpanRef | MessageRef | LogRef


def ref_of(text: str, *, key: str = ID_KEY) -> Ref:
    """What a text names; a text without a type is the id of a session.

    Args:
        text: a typed id, or the bare id of a session.
        key: the session key, where the text does not name one.
    """
    if found := _SESSION.fullmatch(text):
        return SessionRef(found["key"] or key, found["id"])
    if found := _TURN.fullmatch(text):
        return TurnRef(SessionRef(found["key"] or key, found["id"]), found["which"])
    if found := _SPAN.fullmatch(text):
        return SpanRef(found[1].lower(), found[2].lower())
    if found := _MESSAGE.fullmatch(text):
        return MessageRef(SessionRef(found["key"] or key, found["id"]), int(found["index"]))
    if found := _LOG.fullmatch(text):
        return LogRef(SessionRef(found["key"] or key, found["id"]), found["time"], found["digest"])
    return SessionRef(key, text)


def _at(key: str) -> str:
    return "" if key == ID_KEY else f"@{key}"
