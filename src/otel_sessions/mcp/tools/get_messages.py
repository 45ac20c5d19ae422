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
from otel_sessions.mcp.parts import PAGE, page_of
from otel_sessions.mcp.refs import FORMS, LogRef, MessageRef, SessionRef, SpanRef, TurnRef, ref_of
from otel_sessions.mcp.rooms import Call, Room
from otel_sessions.mcp.session_shown import NO_WORDS
from otel_sessions.mcp.tool import Made, Tool
from otel_sessions.mcp.turns import trace_of_turn

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

_MOST_LOOKED_AT: Final = 20_000
"""How many messages are looked through to find those of a turn or a role."""


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
    notes: list[str] = []
    if isinstance(ref, MessageRef):
        messages: Sequence[Mapping[str, Any]] = [of_session(ask, ref.session, f"messages/{ref.number}")["data"]]
        total, before = 1, 0
    elif isinstance(ref, SessionRef) and arguments["role"] is None:
        messages, total, before = page_of(ask, ref, "messages", {}, limit=limit, offset=offset)
    else:
        wanted, is_cut = _wanted(ask, ref, arguments["role"])
        total = len(wanted)
        before = max(0, total + offset) if offset < 0 else offset
        messages = wanted[before : before + limit]
        if is_cut:
            notes.append(f"Only the first {_MOST_LOOKED_AT:,} messages of the session were looked through.")
    session = ref if isinstance(ref, SessionRef) else ref.session
    notes += _missing(messages)

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


def _wanted(ask: Ask, ref: SessionRef | TurnRef, role: str | None) -> tuple[list[Mapping[str, Any]], bool]:
    """The messages of a turn and a role, and whether not all messages were looked through."""
    session = ref if isinstance(ref, SessionRef) else ref.session
    trace = None if isinstance(ref, SessionRef) or ref.number is not None else trace_of_turn(ask, ref)
    query: dict[str, str] = {}
    found: list[Mapping[str, Any]] = []
    offset = 0
    while offset < _MOST_LOOKED_AT:
        page = of_session(ask, session, "messages", {**query, "limit": str(PAGE), "offset": str(offset)})
        found += (one for one in page["data"] if role in (None, one["role"]) and _is_of(one, ref, trace))
        offset += len(page["data"])
        if not page["data"] or offset >= page["pagination"]["total"]:
            return found, False
    return found, True


def _is_of(message: Mapping[str, Any], ref: SessionRef | TurnRef, trace: Mapping[str, Any] | None) -> bool:
    if isinstance(ref, SessionRef):
        return True
    if trace is None:
        return bool(message["turn"] == ref.number)
    if trace["trace_id"] is not None:
        return bool(message["trace_id"] == trace["trace_id"])
    return message["trace_id"] is None and trace["start"] <= message["time"] <= trace["end"]


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
