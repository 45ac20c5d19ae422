"""The conversation of a session, by page: each message once, when it was new."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from otel_sessions.attributes import ID_KEY
from otel_sessions.content.capture import capture_switch
from otel_sessions.content.message import Message
from otel_sessions.conversation.conversation import conversation
from otel_sessions.conversation.lines import Line
from otel_sessions.counting.membership import Pair
from otel_sessions.counting.prices.pricer import Pricer
from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.projections.contents import Owner
from otel_sessions.server.projections.session_row import id_hash
from otel_sessions.server.projections.stored_units import adopted_cells
from otel_sessions.server.queries.filters import said_pattern
from otel_sessions.server.queries.kept_conversations import Conversation, KeptConversations
from otel_sessions.server.queries.message_filters import ALL_MESSAGES, MessageFilters
from otel_sessions.server.queries.resolved_sessions import ResolvedSession, ResolvedSessions
from otel_sessions.server.queries.resolving import resolved_units
from otel_sessions.server.queries.session_records import owner_parameters, session_records
from otel_sessions.server.queries.statements import statement

PAGE_BYTES: Final = 16 << 20
"""A page is cut at this size, since each message may be as large as a request."""


class Told(NamedTuple):
    """A line of a conversation, and its message; `None` where its content was not captured, or is deleted."""

    line: Line
    message: Message | None


class MessagePage(NamedTuple):
    """Some messages of a session, how many it has in all, and the offset of the first one after these."""

    messages: list[Told]
    total: int
    next: int


class Kept(NamedTuple):
    """What earlier pages were made of."""

    resolved: ResolvedSessions
    conversations: KeptConversations


def session_messages(
    store: Store,
    session_id: str,
    filters: MessageFilters = ALL_MESSAGES,
    *,
    key: str = ID_KEY,
    limit: int = 100,
    offset: int = 0,
    pricer: Pricer | None = None,
    kept: Kept | None = None,
    max_bytes: int = PAGE_BYTES,
) -> MessagePage | None:
    """A page of a session's conversation, in the order in which it was said; `None` if there is no such session.

    Args:
        store: where everything is.
        session_id: the id of the session.
        filters: the conditions; by default all messages.
        key: its session key.
        limit: how many messages at most.
        offset: how many to skip.
        pricer: the cost of calls that do not report one, as when they were stored.
        kept: what earlier pages were made of.
        max_bytes: how many bytes of messages at most; the page has one message whatever its size.
    """
    found = _conversation(store, (key, session_id), pricer, kept)
    if found is None:
        return None
    wanted = _wanted(store, found, filters)
    lines = wanted[offset : offset + limit]
    page = _fitting(store, found.owners, lines, max_bytes) if len(lines) > 1 else lines
    texts = _messages(store, found.owners, page)
    told = [Told(line, texts.get(line.digest) if line.digest is not None else None) for line in page]
    return MessagePage(told, len(wanted), offset + (len(page) if len(page) < len(lines) else limit))


def _wanted(store: Store, found: Conversation, filters: MessageFilters) -> Sequence[Line]:
    """The messages of a conversation that meet all conditions."""
    if filters == ALL_MESSAGES:
        return found.lines
    lines = filter(filters.matches, found.lines)
    if filters.q is None:
        return list(lines)
    parameters = {**owner_parameters(found.owners), "said": said_pattern(filters.q)}
    with store.reading() as client:
        rows = client.query(statement("digests_with_text"), parameters=parameters).result_rows
    digests = {digest for (digest,) in rows}
    return [line for line in lines if line.digest in digests]


def _conversation(store: Store, session: Pair, pricer: Pricer | None, kept: Kept | None) -> Conversation | None:
    parameters = {"key": session[0], "hash": id_hash(session[1])}
    finished = None if kept is None else kept.resolved.finished_version()
    with store.reading() as client:
        rows = client.query(statement("units_of_session"), parameters=parameters).result_rows
    if not rows:
        return None
    units = [unit for unit, _, _ in rows]
    _, newest, state = rows[0]
    known = None if kept is None else kept.conversations.get(session, state)
    if known is not None:
        return known
    before = ResolvedSession(state, {}, {}) if kept is None else kept.resolved.get(session, state)
    resolved = resolved_units(store, units, session, pricer, before)
    cells = [unit for unit, _ in adopted_cells(store, units)]
    told = session_records(store, units, cells, session, resolved)
    made = Conversation(state, conversation(told.members, told.calls, told.chains, switch=capture_switch), told.owners)
    # A change under way writes trace groups before facts and messages, so what was read may be older than the state.
    if kept is not None and finished is not None and newest <= finished:
        if resolved is not before:
            kept.resolved.keep(session, resolved)
        kept.conversations.keep(session, made)
    return made


def _fitting(store: Store, owners: Sequence[Owner], lines: Sequence[Line], max_bytes: int) -> Sequence[Line]:
    """The first of these lines, as many as have at most `max_bytes` of messages together."""
    sizes = _of_digests(store, "message_sizes", owners, lines)
    for place, line in enumerate(lines):
        max_bytes -= 0 if line.digest is None else sizes.get(line.digest, 0)
        if max_bytes < 0 and place:
            return lines[:place]
    return lines


def _messages(store: Store, owners: Sequence[Owner], lines: Iterable[Line]) -> dict[int, Message]:
    found = _of_digests(store, "messages_by_digest", owners, lines)
    return {digest: Message.from_dict(json.loads(written)) for digest, written in found.items()}


def _of_digests(store: Store, name: str, owners: Sequence[Owner], lines: Iterable[Line]) -> dict[int, Any]:
    """What a statement returns of the messages of these lines, by digest."""
    digests = sorted({line.digest for line in lines if line.digest is not None})
    if not digests:
        return {}
    with store.reading() as client:
        rows = client.query(statement(name), parameters={**owner_parameters(owners), "digests": digests}).result_rows
    return dict(map(tuple, rows))
