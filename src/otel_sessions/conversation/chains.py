"""`Chain`: the messages of one record as ids, which is all that is needed to put a conversation together.

Most records repeat a whole history, so ids are kept as bytes: two histories are then compared as fast as memory is.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from otel_sessions.content.content import Content
from otel_sessions.content.message import ASSISTANT, SYSTEM, TOOL, USER, Message

WIDTH: Final = 8
"""The bytes of an id."""

_LETTERS: Final = {SYSTEM: "s", USER: "u", ASSISTANT: "a", TOOL: "t"}
_ROLES: Final = {ord(letter): role for role, letter in _LETTERS.items()}


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
        return cls(*message.ids, message.role)


@dataclass(frozen=True, slots=True)
class Links:
    """Messages in their order; iterate it for one `Link` after the other.

    Attributes:
        digests: `Link.digest` of each, eight bytes little-endian.
        likenesses: `Link.likeness` of each, in the same form.
        roles: the first letter of the role of each.

    Example:
        >>> links = Links.of([Link(1, 2, "user"), Link(3, 4, "assistant")])
        >>> links.roles, len(links), list(links)[1]
        (b'ua', 2, Link(digest=3, likeness=4, role='assistant'))
    """

    digests: bytes = b""
    likenesses: bytes = b""
    roles: bytes = b""

    @classmethod
    def of(cls, links: Iterable[Link]) -> Links:
        """The same links in this form."""
        given = list(links)
        return cls.of_columns(
            [one.digest for one in given], [one.likeness for one in given], [one.role for one in given]
        )

    @classmethod
    def of_columns(cls, digests: Sequence[int], likenesses: Sequence[int], roles: Sequence[str]) -> Links:
        """The links with these digests, likenesses and roles."""
        return cls(_packed(digests), _packed(likenesses), "".join([_LETTERS[role] for role in roles]).encode())

    def __len__(self) -> int:
        return len(self.roles)

    def __iter__(self) -> Iterator[Link]:
        return map(Link, unpacked(self.digests), unpacked(self.likenesses), [_ROLES[letter] for letter in self.roles])

    def until(self, count: int) -> Links:
        """The first `count` links."""
        return Links(self.digests[: count * WIDTH], self.likenesses[: count * WIDTH], self.roles[:count])

    def after(self, count: int) -> Links:
        """All but the first `count` links."""
        if count == 0:
            return self
        return Links(self.digests[count * WIDTH :], self.likenesses[count * WIDTH :], self.roles[count:])


NO_LINKS: Final = Links()


def unpacked(ids: bytes) -> Sequence[int]:
    """The ids in bytes."""
    found = array("Q", ids)
    if sys.byteorder == "big":  # pragma: no cover
        found.byteswap()
    return found


def _packed(ids: Sequence[int]) -> bytes:
    written = array("Q", ids)
    if sys.byteorder == "big":  # pragma: no cover
        written.byteswap()
    return written.tobytes()


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
    input: Links
    output: Links
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
            Links.of(map(Link.of, content.input)),
            Links.of(map(Link.of, content.output)),
            content.is_new,
            content.compacted,
        )
