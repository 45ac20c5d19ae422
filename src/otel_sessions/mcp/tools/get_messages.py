"""`get_messages`: the conversation of a session or of a turn, or one message of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from otel_sessions.attributes import ID_KEY
from otel_sessions.mcp.answers import Answer
from otel_sessions.mcp.asking import Ask, AskError, session_link
from otel_sessions.mcp.messages_shown import message_shown
from otel_sessions.mcp.nearby import of_session
from otel_sessions.mcp.parameters import BUDGET_PARAMETER, Parameter
from otel_sessions.mcp.parts import page_of
from otel_sessions.mcp.refs import FORMS, LogRef, MessageRef, SessionRef, SpanRef, TurnRef, ref_of
from otel_sessions.mcp.rooms import Call, Room
from otel_sessions.mcp.session_shown import NO_WORDS
from otel_sessions.mcp.tool import Made, Tool
from otel_sessions.mcp.turns import trace_of_turn
from otel_sessions.timestamps import format_time, parse_time

NAME: Final = "get_messages"

PARAMETERS: Final = (
    Parameter("id", "string", f"Whose messages: a session, a turn, or one message. {FORMS}.", required=True),
    Parameter("role", "string", "Only messages of this role.", choices=("system", "user", "assistant", "tool")),
    Parameter("limit", "integer", "How many messages at most.", default=20, least=1, greatest=500),
    Parameter(
        "offset", "integer", "How many messages to skip; below 0 counts from the end: -5 is the last five.", default=0
    ),
    Parameter("key", "string", "The session key of an id that does not name one.", default=ID_KEY),
    BUDGET_PARAMETER,
)


def run(ask: Ask, arguments: Mapping[str, Any], now: int) -> Made:
    """Ask for messages."""
    del now
    ref = ref_of(arguments["id"], key=arguments["key"])
    if isinstance(ref, SpanRef | LogRef):
        raise AskError(
            f"{NAME} takes a session, a turn or a message",
            [Call("get_session" if isinstance(ref, SpanRef) else "get_payload", {"id": str(ref)})],
        )
    limit, offset = arguments["limit"], arguments["offset"]
    if isinstance(ref, MessageRef):
        messages: Sequence[Mapping[str, Any]] = [of_session(ask, ref.session, f"messages/{ref.number}")["data"]]
        total, before = 1, 0
    else:
        query = _conditions(ask, ref) | ({"role": arguments["role"]} if arguments["role"] else {})
        of = ref if isinstance(ref, SessionRef) else ref.session
        messages, total, before = page_of(ask, of, "messages", query, limit=limit, offset=offset)
    session = ref if isinstance(ref, SessionRef) else ref.session
    notes = _missing(messages)

    def following(count: int) -> Call | None:
        after = before + count
        if after >= total or not messages:
            return None
        kept = {name: arguments[name] for name in ("role", "limit", "budget")}
        return Call(NAME, {"id": str(ref), **kept, "offset": after})

    def made(room: Room) -> Answer:
        return Answer(
            head={"session": str(session)} if ref == session else {"of": str(ref), "session": str(session)},
            rows=[message_shown(message, session, room) for message in messages],
            name="messages",
            total=total,
            before=before,
            following=following,
            notes=notes,
            link=session_link(ask, session),
        )

    return made


def _conditions(ask: Ask, ref: SessionRef | TurnRef) -> dict[str, str]:
    """What REST has to look for to find the messages of a turn."""
    if isinstance(ref, SessionRef):
        return {}
    if ref.number is not None:
        return {"turn": str(ref.number)}
    if ref.trace_id is not None:
        return {"trace_id": ref.trace_id}
    cell = trace_of_turn(ask, ref)
    end = parse_time(cell["end"])
    return {"since": cell["start"], **({} if end is None else {"until": format_time(end + 1)})}


def _missing(messages: Sequence[Mapping[str, Any]]) -> list[str]:
    silent = [message for message in messages if message["content"] is not None]
    if not silent:
        if not messages:
            return ["There are no messages here: what sent this session tells of no conversation: do not infer one."]
        return []
    switches = dict.fromkeys(message["switch"] for message in silent if message["switch"])
    how = f" To capture content: {'; '.join(switches)}." if switches else ""
    return [f"The content of {len(silent):,} of these messages is not stored: {NO_WORDS}{how}"]


TOOL: Final = Tool(
    NAME,
    "Get messages",
    (
        "What was said in a session, each message once, in order: the words of user and assistant, tool calls with arguments and results, and "
        "for each answer of a model its tokens, cost and time. role=user gives what the user asked; offset=-5 the last five. Long texts "
        "are cut and name the get_payload call that reads them whole."
    ),
    PARAMETERS,
    run,
)
