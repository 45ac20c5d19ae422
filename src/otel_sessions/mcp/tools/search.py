"""`search`: a text in ids, names and messages of sessions; within one session in its messages, steps and logs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from otel_sessions.attributes import ID_KEY
from otel_sessions.mcp.answers import Answer
from otel_sessions.mcp.asking import SESSIONS, Ask, AskError, session_link
from otel_sessions.mcp.excerpts import excerpt_of
from otel_sessions.mcp.logs_shown import log_ref
from otel_sessions.mcp.moments import ABOUT, moment_of
from otel_sessions.mcp.nearby import of_session
from otel_sessions.mcp.parameters import BUDGET_PARAMETER, Parameter
from otel_sessions.mcp.parts import step_shown
from otel_sessions.mcp.refs import FORMS, LogRef, MessageRef, SessionRef, TurnRef, ref_of
from otel_sessions.mcp.rooms import Call, Room, json_text
from otel_sessions.mcp.session_shown import listed, reading
from otel_sessions.mcp.tool import Made, Tool
from otel_sessions.mcp.written import beginning
from otel_sessions.timestamps import format_time

NAME: Final = "search"

PARAMETERS: Final = (
    Parameter("query", "string", "The text to look for; upper and lower case are the same.", required=True),
    Parameter("id", "string", f"Look only in this session, in its messages, steps and log records. {FORMS}."),
    Parameter("since", "string", f"Only sessions active since then: {ABOUT}."),
    Parameter("key", "string", "The session key.", default=ID_KEY),
    Parameter("limit", "integer", "How many results at most.", default=10, least=1, greatest=100),
    Parameter("offset", "integer", "How many results to skip.", default=0, least=0),
    BUDGET_PARAMETER,
)

SESSIONS_LOOKED_INTO: Final = 5


def run(ask: Ask, arguments: Mapping[str, Any], now: int) -> Made:
    """Look for a text."""
    if not arguments["query"].strip():
        raise AskError("query is empty: give a text to look for", [Call("list_sessions", {})])
    if arguments["id"] is None:
        return _sessions(ask, arguments, now)
    ref = ref_of(arguments["id"], key=arguments["key"])
    if isinstance(ref, SessionRef):
        return _within(ask, ref, arguments)
    if isinstance(ref, TurnRef | MessageRef):
        return _within(ask, ref.session, arguments)
    raise AskError(f"{NAME} looks in a session, or in all of them", [Call("get_payload", {"id": str(ref)})])


def _sessions(ask: Ask, arguments: Mapping[str, Any], now: int) -> Made:
    query, key = arguments["query"], arguments["key"]
    asked = {"q": query, "key": key, **{name: str(arguments[name]) for name in ("limit", "offset")}}
    if arguments["since"]:
        asked["since"] = moment_of("since", arguments["since"], now=now)
    page = ask.get(SESSIONS, asked)
    sessions, total = page["data"], page["pagination"]["total"]
    refs = [SessionRef(key, str(session["id"])) for session in sessions]
    hits = {ref: _first_hit(ask, ref, query) for ref in refs[:SESSIONS_LOOKED_INTO]}
    before = arguments["offset"]

    def following(count: int) -> Call | None:
        after = before + count
        if after >= total or not sessions:
            return None
        kept = {name: arguments[name] for name in ("query", "since", "key", "limit", "budget")}
        return Call(NAME, {**kept, "offset": after})

    def made(room: Room) -> Answer:
        rows = []
        for session, ref in zip(sessions, refs, strict=True):
            row = listed(session, room)
            if hit := hits.get(ref):
                row["found"] = _hit_shown(hit, query, room, ref)
            row["look_inside"] = Call(NAME, {"query": query, "id": str(ref)}).shown()
            rows.append(row)
        return Answer(
            head={"now": format_time(now), "query": beginning(query, min(200, room.longest))},
            rows=rows,
            name="sessions",
            total=total,
            before=before,
            following=following,
            notes=[]
            if total
            else [f"No session of the key {key[:128]!r} has this text in its id, its name or its messages."],
            link=None if ask.pages is None else f"{ask.pages}/",
        )

    return made


Hit = tuple[str, Mapping[str, Any]]
"""What was found: `message`, `step` or `log`, and what REST tells of it."""


def _first_hit(ask: Ask, ref: SessionRef, query: str) -> Hit | None:
    """The first message of a session with the text."""
    page = of_session(ask, ref, "messages", {"q": query, "limit": "1"})
    return next((("message", one) for one in page["data"]), None)


def _within(ask: Ask, ref: SessionRef, arguments: Mapping[str, Any]) -> Made:
    query, limit, before = arguments["query"], arguments["limit"], arguments["offset"]
    hits: list[Hit] = []
    total = 0
    for kind, sub in (("message", "messages"), ("step", "steps"), ("log", "logs")):
        asked = {"limit": str(max(1, limit - len(hits))), "offset": str(max(0, before - total))}
        page = of_session(ask, ref, sub, {"q": query, **asked})
        hits += [(kind, one) for one in page["data"]] if len(hits) < limit else []
        total += page["pagination"]["total"]

    def following(count: int) -> Call | None:
        after = before + count
        if after >= total or not hits:
            return None
        return Call(
            NAME, {"query": query, "id": str(ref), "limit": limit, "budget": arguments["budget"], "offset": after}
        )

    def made(room: Room) -> Answer:
        return Answer(
            head={"session": str(ref), "query": beginning(query, min(200, room.longest))},
            rows=[_hit_shown(hit, query, room, ref) for hit in hits],
            name="found",
            total=total,
            before=before,
            following=following,
            notes=[]
            if total
            else ["Nothing in this session has this text; content that was not captured cannot be searched."],
            link=session_link(ask, ref),
        )

    return made


def _place(message: Mapping[str, Any], query: str) -> tuple[int, str, str] | None:
    """The part of a message that has the text, its field, and its whole text."""
    for place, part in enumerate(message["parts"]):
        for name, value in part.items():
            text = json_text(value)
            if name != "type" and query.lower() in text.lower():
                return place, name, text
    return None


def _hit_shown(hit: Hit, query: str, room: Room, session: SessionRef) -> dict[str, Any]:
    kind, told = hit
    if kind == "step":
        shown = step_shown(told, room)
        return {**shown, "kind": kind, "step_kind": shown["kind"]}
    if kind == "log":
        ref: LogRef | MessageRef = log_ref(told, session)
        told_of = {"time": told["time"], "event_name": told["event_name"], "severity": told["severity_text"]}
        field, text = "body", json_text(told["body"])
    else:
        ref = MessageRef(session, told["index"])
        told_of = {name: told[name] for name in ("turn", "role", "time")}
        found = _place(told, query)
        # REST searches the whole message, and shows the beginning of each part; the text may come later.
        place, name, text = found or (0, "content", "")
        field = f"parts.{place}.{name}"
    return {"kind": kind, "id": str(ref), **told_of, **excerpt_of(text, query, reading(ref, field), room)}


TOOL: Final = Tool(
    NAME,
    "Search",
    (
        "Which sessions have a text in their id, name or messages, with an excerpt; with id, where in that session it is: messages, steps (spans) "
        "by name, log records by body."
    ),
    PARAMETERS,
    run,
)
