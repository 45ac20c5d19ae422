"""`insert_contents`: what spans and log records hold of a conversation, into `message_chains` and `messages`.

A message has an owner: the session that its record names itself, else the unit of the record. What the records of an owner repeat is
stored once. Rows that come again change nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from struct import Struct
from typing import Any, Final, NamedTuple

from otel_sessions.attributes import ID_KEY
from otel_sessions.content.json_values import clean_text
from otel_sessions.content.message import Message, Other, Part, Reasoning, Text, ToolCall, ToolResponse
from otel_sessions.conversation.chains import Chain
from otel_sessions.counting.facts import SpanFacts
from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.clickhouse.columns import CHAINS, COLUMNS, MESSAGES
from otel_sessions.server.clickhouse.insert import insert_written
from otel_sessions.server.clickhouse.row_binary import raw_string, string
from otel_sessions.server.clickhouse.times import LATEST_PARTITION
from otel_sessions.server.otlp.contents import HeldContent
from otel_sessions.server.projections.seen_messages import SeenMessage, SeenMessages
from otel_sessions.server.projections.session_row import id_hash
from otel_sessions.timestamps import DAY_NS

OF_UNIT: Final = ""
"""Stands for the session key of an owner that is a unit."""

_MOST: Final = 2**64 - 1
_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=str)
_RECORD: Final = Struct("<QQq")
_DIGEST_AND_TIME: Final = Struct("<Qq")


def _id(number: int) -> bytes:
    return number.to_bytes(16, "little")


class Owner(NamedTuple):
    """Whose messages a record holds.

    Attributes:
        key: the session key; `OF_UNIT` if the record names no session.
        id: half of the hash of the session's id, or the unit.
    """

    key: str
    id: int


def owner_of(unit: int, facts: SpanFacts) -> Owner:
    """The owner of the messages of a record of a unit."""
    if not facts.values or facts.cut:
        return Owner(OF_UNIT, unit)
    key, value = min(facts.values, key=lambda pair: (pair[0] != ID_KEY, pair))
    return Owner(key, id_hash(value))


class _Rows:
    """Rows of one of the tables in RowBinary, and their times."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.times: list[int] = []

    def add(self, time: int, *columns: bytes) -> None:
        self.written.append(b"".join(columns))
        self.times.append(time)


def insert_contents(store: Store, held: Iterable[HeldContent], seen: SeenMessages, *, suffix: str = "") -> None:
    """Add the messages of records; the same may come again.

    Args:
        store: where the tables are.
        held: the records.
        seen: messages that need not be added.
        suffix: of the names of the tables.
    """
    chains, messages = _Rows(), _Rows()
    added: dict[SeenMessage, None] = {}
    for unit, facts, content, is_counted in held:
        owner = owner_of(unit, facts)
        time = min(facts.start, LATEST_PARTITION)
        written_owner = string(owner.key) + _id(owner.id)
        chain = Chain.of(content, unit=unit, record=facts.span_id, time=time, parent=_parent(facts))
        chains.add(time, written_owner, _chain_row(chain, facts, is_counted=is_counted))
        links = (*chain.input, *chain.output)
        for message, (digest, _, _) in zip((*content.input, *content.output), links, strict=True):
            mark = SeenMessage(owner.key, owner.id, digest, time // DAY_NS)
            if mark not in seen and mark not in added:
                added[mark] = None
                messages.add(
                    time,
                    written_owner,
                    _DIGEST_AND_TIME.pack(digest, time),
                    string(written_message(message)),
                    string(searched_text(message)),
                )
    # Messages first: a chain that is stored leads to nothing that is not.
    for table, rows in ((MESSAGES, messages), (CHAINS, chains)):
        if rows.written:
            insert_written(store, table + suffix, list(COLUMNS[table]), rows.written, rows.times)
    seen.add(added)


def _parent(facts: SpanFacts) -> int:
    return (facts.parent_id or 0) if facts.event else 0


def _chain_row(chain: Chain, facts: SpanFacts, *, is_counted: bool) -> bytes:
    """The columns of a chain after those of its owner."""
    state = facts.end << 64 | (_MOST - facts.start)
    return b"".join(
        (
            _id(chain.unit),
            _RECORD.pack(chain.record, chain.parent, chain.time),
            _id(state),
            *map(raw_string, (chain.input.digests, chain.input.likenesses, chain.input.roles)),
            *map(raw_string, (chain.output.digests, chain.output.likenesses, chain.output.roles)),
            bytes((chain.is_new, chain.compacted, is_counted)),
        )
    )


def written_message(message: Message) -> str:
    """A message as JSON."""
    return clean_text(_ENCODER.encode(message.to_dict()))


def searched_text(message: Message) -> str:
    """What a search looks at: all that was said, thought, asked of tools and answered by them, in lower case."""
    return clean_text("\n".join([one for part in message.parts for one in _texts(part)]).lower())


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
    """The texts in a JSON value, without the names of members."""
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
