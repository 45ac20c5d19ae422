"""`list_sessions`: which sessions there are, by any measure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from otel_sessions.attributes import ID_KEY
from otel_sessions.counting.measures import MEASURES
from otel_sessions.counting.status import CONDITIONS
from otel_sessions.mcp.answers import Answer
from otel_sessions.mcp.asking import SESSIONS, Ask
from otel_sessions.mcp.moments import ABOUT, moment_of
from otel_sessions.mcp.parameters import BUDGET_PARAMETER, Parameter
from otel_sessions.mcp.rooms import Call, Room
from otel_sessions.mcp.session_shown import NO_WORDS, has_no_words, listed
from otel_sessions.mcp.tool import Made, Tool
from otel_sessions.timestamps import format_time

NAME: Final = "list_sessions"

_TEXTS: Final = ("q", "name", "user_id", "environment", "service", "tag", "model", "status", "cursor")
_MAPS: Final = ("metadata", "min_score", "max_score", "label")

PARAMETERS: Final = (
    Parameter(
        "sort",
        "string",
        f"What to sort by: {', '.join(MEASURES)}, or score.NAME. Unknown comes last.",
        default="last_active",
    ),
    Parameter("order", "string", "desc: greatest first; asc: least first.", default="desc", choices=("desc", "asc")),
    Parameter("since", "string", f"Only sessions active since then: {ABOUT}."),
    Parameter("until", "string", f"Only sessions that started before: {ABOUT}."),
    Parameter(
        "status",
        "string",
        "Only sessions with this status; running: active within the last minute.",
        choices=tuple(CONDITIONS),
    ),
    Parameter("failed", "boolean", "true: only sessions with a failed turn; false: only those without."),
    Parameter("q", "string", "Only sessions with this text in their id, name or messages."),
    Parameter("user_id", "string", "Only sessions of this user."),
    Parameter("service", "string", "Only sessions with this service, such as an agent's name."),
    Parameter("environment", "string", "Only sessions of this deployment environment."),
    Parameter("model", "string", "Only sessions with this model."),
    Parameter("tag", "string", "Only sessions with this tag."),
    Parameter("name", "string", "Only sessions with exactly this name."),
    Parameter("metadata", "object", "Only sessions with these metadata, by name."),
    Parameter("unpriced", "boolean", "true: only sessions with a call whose cost is not known."),
    Parameter("min_cost", "string", "Only sessions of at least this cost in USD, such as 0.5."),
    Parameter("min_score", "object", "Only sessions whose score of a name is at least a number: {name: number}."),
    Parameter("max_score", "object", "Only sessions whose score of a name is at most a number: {name: number}."),
    Parameter("label", "object", "Only sessions whose score of a name has a label: {name: label}."),
    Parameter("key", "string", "The session key: what sessions are grouped by.", default=ID_KEY),
    Parameter("limit", "integer", "How many sessions at most.", default=20, least=1, greatest=200),
    Parameter("offset", "integer", "How many to skip, after the cursor if there is one.", default=0, least=0),
    Parameter("cursor", "string", "As `next` of an answer says; repeat the other arguments."),
    BUDGET_PARAMETER,
)


def run(ask: Ask, arguments: Mapping[str, Any], now: int) -> Made:
    """Ask for a page of sessions."""
    page = ask.get(SESSIONS, asked(arguments, now))
    sessions, after = page["data"], page["pagination"]["next"]
    total, offset = page["pagination"]["total"], arguments["offset"]
    given = {parameter.name: arguments[parameter.name] for parameter in PARAMETERS if _differs(parameter, arguments)}
    # A cursor is for exactly the same conditions, so an age is given as the time that it meant.
    given |= {name: moment_of(name, given[name], now=now) for name in ("since", "until") if name in given}

    def following(count: int) -> Call | None:
        if count < len(sessions):
            return Call(NAME, {**given, "offset": offset + count})
        return Call(NAME, {**given, "offset": None, "cursor": after}) if after else None

    def made(room: Room) -> Answer:
        return Answer(
            head={"now": format_time(now)},
            rows=[listed(session, room) for session in sessions],
            name="sessions",
            total=total,
            before=offset,
            following=following,
            notes=list(_notes(sessions, total, arguments)),
            link=None if ask.pages is None else f"{ask.pages}/",
        )

    return made


def asked(arguments: Mapping[str, Any], now: int) -> dict[str, str]:
    """The query parameters of the list that the arguments mean."""
    query = {name: arguments[name] for name in (*_TEXTS, "key", "sort", "order", "min_cost") if arguments[name]}
    query |= {name: str(arguments[name]) for name in ("limit", "offset")}
    query |= {name: str(arguments[name]).lower() for name in ("failed", "unpriced") if arguments[name] is not None}
    query |= {name: moment_of(name, arguments[name], now=now) for name in ("since", "until") if arguments[name]}
    for name in _MAPS:
        query |= {f"{name}.{one}": _text(value) for one, value in (arguments[name] or {}).items()}
    return query


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _differs(parameter: Parameter, arguments: Mapping[str, Any]) -> bool:
    value = arguments[parameter.name]
    return value is not None and value != parameter.default


def _notes(sessions: list[Mapping[str, Any]], total: int, arguments: Mapping[str, Any]) -> Iterator[str]:
    if not total:
        yield (
            f"No session with the key {arguments['key'][:128]!r} meets these conditions. `otel-sessions doctor` and `otel-sessions list` "
            "on the machine of the server tell whether anything arrives."
        )
    if any(session.get("cost_exact") is False for session in sessions):
        yield "Where cost_exact is false, the cost is a lower bound or an estimate; null is unknown, not 0."
    silent = sum(has_no_words(session) for session in sessions)
    if silent:
        yield f"Of {silent:,} of these sessions no words are stored: {NO_WORDS} get_messages names the switch that turns capturing on."


TOOL: Final = Tool(
    NAME,
    "List sessions",
    (
        "Which sessions (conversations, agent runs, tickets) there are, with status, time, tokens, cost in USD, models, first input and last "
        "output. For 'what are my agents doing now' use status=running or the default order; for 'what cost the most today' sort=cost, "
        "since=today. Read one with get_session."
    ),
    PARAMETERS,
    run,
)
