"""`insert_contents`: what spans and log records hold of a conversation, into `message_chains` and `messages`.

A message has an owner: the session that its record names itself, else the unit of the record. What the records of an owner repeat is
stored once. Rows that come again change nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from otel_sessions.attributes import ID_KEY
from otel_sessions.content.content import Content
from otel_sessions.content.message import Message, Other, Part, Reasoning, Text, ToolCall, ToolResponse
from otel_sessions.conversation.chains import Chain, Link
from otel_sessions.counting.facts import SpanFacts
from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.clickhouse.columns import CHAINS, COLUMNS, MESSAGES
from otel_sessions.server.clickhouse.insert import insert_rows
from otel_sessions.server.projections.seen_messages import SeenMessage, SeenMessages
from otel_sessions.server.projections.session_row import id_hash
from otel_sessions.timestamps import DAY_NS

OF_UNIT: Final = ""
"""Stands for the session key of an owner that is a unit."""

_MOST: Final = 2**64 - 1


class HeldContent(NamedTuple):
    """What a span or log record holds: the unit that it is in, its facts, and its messages."""

    unit: int
    facts: SpanFacts
    content: Content


class Owner(NamedTuple):
    """Whose messages a record holds.

    Attributes:
        key: the session key; `OF_UNIT` if the record names no session.
        id: half of the hash of the session's id, or the unit.
        is_certain: the record is in this session, whatever spans are above it.
    """

    key: str
    id: int
    is_certain: bool


def owner_of(unit: int, facts: SpanFacts) -> Owner:
    """The owner of the messages of a record of a unit."""
    if not facts.values or facts.cut:
        return Owner(OF_UNIT, unit, is_certain=False)
    key, value = min(facts.values, key=lambda pair: (pair[0] != ID_KEY, pair))
    return Owner(key, id_hash(value), is_certain=key != ID_KEY or facts.rank == 0)


def insert_contents(store: Store, held: Sequence[HeldContent], seen: SeenMessages, *, suffix: str = "") -> None:
    """Add the messages of records; the same may come again.

    Args:
        store: where the tables are.
        held: the records.
        seen: messages that need not be added.
        suffix: of the names of the tables.
    """
    chains: dict[str, list[Any]] = {name: [] for name in COLUMNS[CHAINS]}
    messages: dict[str, list[Any]] = {name: [] for name in COLUMNS[MESSAGES]}
    added: dict[SeenMessage, None] = {}
    for unit, facts, content in held:
        owner = owner_of(unit, facts)
        told = (*content.input, *content.output)
        chain = Chain.of(content, unit=unit, record=facts.span_id, time=facts.start, parent=_parent(facts))
        _add(chains, _chain_row(chain, owner, facts))
        for message, link in zip(told, (*chain.input, *chain.output), strict=True):
            mark = SeenMessage(owner.key, owner.id, link.digest, facts.start // DAY_NS)
            if mark not in seen and mark not in added:
                added[mark] = None
                _add(messages, _message_row(message, link, owner, chain))
    # Messages first: a chain that is stored leads to nothing that is not.
    for table, columns in ((MESSAGES, messages), (CHAINS, chains)):
        if columns["Timestamp"]:
            insert_rows(store, table, columns, into=table + suffix)
    seen.add(added)


def _parent(facts: SpanFacts) -> int:
    return (facts.parent_id or 0) if facts.event else 0


def _add(columns: dict[str, list[Any]], row: Iterable[Any]) -> None:
    for values, value in zip(columns.values(), row, strict=True):
        values.append(value)


def _chain_row(chain: Chain, owner: Owner, facts: SpanFacts) -> Iterable[Any]:
    return (
        owner.key,
        owner.id,
        chain.unit,
        chain.record,
        chain.parent,
        chain.time,
        facts.end << 64 | (_MOST - facts.start),
        [link.digest for link in chain.input],
        [link.digest for link in chain.output],
        chain.is_new,
        chain.compacted,
    )


def _message_row(message: Message, link: Link, owner: Owner, chain: Chain) -> Iterable[Any]:
    return (
        owner.key,
        owner.id,
        link.digest,
        link.likeness,
        link.role,
        chain.time,
        0 if owner.is_certain else chain.unit,
        written_message(message),
        searched_text(message),
    )


def written_message(message: Message) -> str:
    """A message as JSON."""
    written = json.dumps(message.to_dict(), ensure_ascii=False, separators=(",", ":"), default=str)
    return written if written.isascii() else _without_surrogates(written)


def _without_surrogates(text: str) -> str:
    """The text with U+FFFD in place of what UTF-8 cannot express: JSON can name half of a character."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def searched_text(message: Message) -> str:
    """What a search looks at: all that was said, thought, asked of tools and answered by them, in lower case."""
    text = "\n".join(one for part in message.parts for one in _texts(part)).lower()
    return text if text.isascii() else _without_surrogates(text)


def _texts(part: Part) -> Iterable[str]:
    match part:
        case Text() | Reasoning():
            return (part.content,)
        case ToolCall():
            return (part.name, *_strings(part.arguments))
        case ToolResponse() | Other():
            return _strings(part.content)
        case _:
            return (part.uri,) if part.uri else ()


def _strings(value: Any) -> Iterable[str]:
    """The texts in a JSON value; names of members are none."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, dict):
            waiting.extend(reversed(one.values()))
        elif isinstance(one, list | tuple):
            waiting.extend(reversed(one))
        elif isinstance(one, int | float) and not isinstance(one, bool):
            yield str(one)
