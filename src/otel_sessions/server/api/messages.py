"""The conversation of a session: its messages by page, and one of them whole."""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal

from anyio import to_thread
from fastapi import APIRouter, Depends, Path, Query
from starlette.responses import Response

from otel_sessions.server.api.dependencies import BackendDep
from otel_sessions.server.api.endpoints import SessionEndpoint, answer
from otel_sessions.server.api.errors import ApiError, error_responses, invalid_parameter
from otel_sessions.server.api.message_models import Message
from otel_sessions.server.api.models import One, Page
from otel_sessions.server.api.named_sessions import NamedSession, no_such
from otel_sessions.server.api.pagination import PageQuery, page_query
from otel_sessions.server.api.parameters import MAX_LENGTH, MAX_OFFSET, moment, time_parameter
from otel_sessions.server.api.session_paths import SESSION
from otel_sessions.server.api.sessions import SpanPages
from otel_sessions.server.queries.message_filters import MessageFilters

MESSAGES_A_PAGE: Final = 100

_TRACE_ID: Final = re.compile("[0-9A-Fa-f]{32}")

router: Final = APIRouter(
    route_class=SessionEndpoint, tags=["sessions"], responses=error_responses(400, 401, 404, 421, 503)
)


async def message_filters(
    *,
    role: Annotated[
        Literal["system", "user", "assistant", "tool"] | None, Query(description="Only messages of this role.")
    ] = None,
    turn: Annotated[
        int | None, Query(description="Only messages of the turn of this number.", ge=0, le=MAX_OFFSET)
    ] = None,
    trace_id: Annotated[
        str | None,
        Query(
            description="Only messages that a record of this trace told first, 32 hexadecimal digits.",
            max_length=MAX_LENGTH,
        ),
    ] = None,
    since: Annotated[str | None, time_parameter("Only messages that were new at this time or later.")] = None,
    until: Annotated[str | None, time_parameter("Only messages that were new before this time.")] = None,
    q: Annotated[
        str | None,
        Query(description="Only messages with this text; upper and lower case are the same.", max_length=MAX_LENGTH),
    ] = None,
) -> MessageFilters:
    """The conditions of a request. An empty text is no condition, since that is how forms send a field left empty.

    Raises:
        ApiError: a value is invalid.
    """
    if trace_id and not _TRACE_ID.fullmatch(trace_id):
        raise invalid_parameter("trace_id", trace_id, "32 hexadecimal digits")
    return MessageFilters(
        role=role,
        turn=turn,
        trace_id=int(trace_id, 16) if trace_id else None,
        since=moment("since", since),
        until=moment("until", until),
        q=q or None,
    )


@router.get(
    f"{SESSION}/messages",
    operation_id="listMessagesOfSession",
    summary="List a session's messages",
    response_model=Page[Message],
    response_description="A page of the session's messages.",
)
async def list_messages(
    backend: BackendDep,
    limiter: SpanPages,
    session: NamedSession,
    filters: Annotated[MessageFilters, Depends(message_filters)],
    query: Annotated[PageQuery, Depends(page_query(MESSAGES_A_PAGE))],
) -> Response:
    """Read the conversation of a session: each message once, when it was new, in the order in which they were said.

    A page has about 16 MiB of messages at most, so a page of large ones may have fewer than `limit`. Of a part of more than 20,000
    characters only the beginning is shown. Calls and tools whose content was not captured are there with empty `parts`.
    """
    page = query.counted("messages", *session, *filters)

    def made() -> Response:
        reader = backend.reader
        with reader.answering():
            found = reader.messages(session.id, filters, key=session.key, limit=page.limit, offset=page.offset)
            if found is None:
                raise no_such(session)
            shown = (Message.of(line, message) for line, message in found.messages)
            return answer(page.of(shown, total=found.total, next_offset=found.next))

    return await to_thread.run_sync(made, limiter=limiter)


@router.get(
    f"{SESSION}/messages/{{index}}",
    operation_id="getMessageOfSession",
    summary="Get a message",
    response_model=One[Message],
    response_description="The whole message.",
)
async def get_message(
    backend: BackendDep,
    limiter: SpanPages,
    session: NamedSession,
    index: Annotated[int, Path(description="The `index` of the message.", ge=0, le=MAX_OFFSET)],
) -> Response:
    """Get one message of a session, whatever its size."""

    def made() -> Response:
        reader = backend.reader
        with reader.answering():
            found = reader.messages(session.id, key=session.key, limit=1, offset=index)
            if found is None:
                raise no_such(session)
            if not found.messages:
                raise ApiError(404, "not_found", f"the session has {found.total} messages, none with the index {index}")
            line, message = found.messages[0]
            return answer(One[Message](data=Message.of(line, message, longest=None)))

    return await to_thread.run_sync(made, limiter=limiter)
