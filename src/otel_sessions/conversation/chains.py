"""`Chain`: the messages of one record as ids, which is all that is needed to put a conversation together."""

from __future__ import annotations

from typing import NamedTuple

from otel_sessions.content.content import Content
from otel_sessions.content.message import Message


class Link(NamedTuple):
    """One message of a chain.

    Attributes:
        digest: which message it is: `Message.digest`.
        likeness: what it says however it is told: `Message.likeness`.
        role: its role.
    """

    digest: int
    likeness: int
    role: str

    @classmethod
    def of(cls, message: Message) -> Link:
        """The link of a message."""
        return cls(message.digest, message.likeness, message.role)


class Chain(NamedTuple):
    """The messages of one span or log record.

    Attributes:
        unit: the trace or cell, as in counting.
        record: the id of the span, or of the log record as `SpanFacts.span_id` has it.
        parent: the span that a log record was written in; 0 for a span, and for a record in none.
        time: nanoseconds UTC when the record was made; the start of a span.
        input: as `Content.input`.
        output: as `Content.output`.
        is_new: as `Content.is_new`.
        compacted: as `Content.compacted`.
    """

    unit: int
    record: int
    parent: int
    time: int
    input: tuple[Link, ...]
    output: tuple[Link, ...]
    is_new: bool = False
    compacted: bool = False

    @classmethod
    def of(cls, content: Content, *, unit: int, record: int, time: int, parent: int = 0) -> Chain:
        """The chain of what a record holds."""
        return cls(
            unit,
            record,
            parent,
            time,
            tuple(map(Link.of, content.input)),
            tuple(map(Link.of, content.output)),
            content.is_new,
            content.compacted,
        )
