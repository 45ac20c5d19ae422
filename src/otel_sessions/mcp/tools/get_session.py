"""`get_session`: what one session, turn or span came to, and what it is made of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from otel_sessions.attributes import ID_KEY
from otel_sessions.mcp.answers import Answer
from otel_sessions.mcp.asking import Ask, AskError, session_link
from otel_sessions.mcp.nearby import of_session
from otel_sessions.mcp.parameters import BUDGET_PARAMETER, Parameter
from otel_sessions.mcp.parts import PARTS, Asked, last_call, step_shown
from otel_sessions.mcp.refs import FORMS, MessageRef, SessionRef, SpanRef, TurnRef, ref_of
from otel_sessions.mcp.rooms import Call, Room
from otel_sessions.mcp.session_shown import NO_WORDS, cautions, has_no_words, reading, whole
from otel_sessions.mcp.span_shown import span_answer
from otel_sessions.mcp.switches import switches
from otel_sessions.mcp.tool import Made, Tool
from otel_sessions.mcp.turns import trace_of_turn
from otel_sessions.timestamps import format_time

NAME: Final = "get_session"

FAILURES: Final = 5
"""How many failed steps a session tells of itself."""

PARAMETERS: Final = (
    Parameter("id", "string", f"What to get: {FORMS}.", required=True),
    Parameter(
        "part",
        "string",
        (
            "What to list of it: turns; calls (model calls with tokens and cost, and what was not counted); steps (spans without their "
            "content); tools (how often each was run); logs; scores; annotations."
        ),
        choices=tuple(PARTS),
    ),
    Parameter(
        "sort",
        "string",
        "For steps: start or duration; for calls also cost or tokens.",
        default="start",
        choices=("start", "duration", "cost", "tokens"),
    ),
    Parameter(
        "order",
        "string",
        "For steps and logs: asc or desc, the latest or longest first.",
        default="asc",
        choices=("asc", "desc"),
    ),
    Parameter(
        "kind",
        "string",
        "For steps: only those of a kind.",
        choices=("llm", "embedding", "rerank", "tool", "agent", "workflow", "human", "other"),
    ),
    Parameter("failed", "boolean", "For steps: true for those that failed."),
    Parameter("q", "string", "For steps and logs: only those with this text in their name or body."),
    Parameter("key", "string", "The session key of an id that does not name one.", default=ID_KEY),
    Parameter("limit", "integer", "How many items at most.", default=20, least=1, greatest=500),
    Parameter("offset", "integer", "How many items to skip; below 0 counts from the end.", default=0),
    BUDGET_PARAMETER,
)


def run(ask: Ask, arguments: Mapping[str, Any], now: int) -> Made:
    """Ask about a session, a turn or a span."""
    ref = ref_of(arguments["id"], key=arguments["key"])
    if isinstance(ref, SpanRef):
        return span_answer(ask, ref, arguments)
    if isinstance(ref, TurnRef):
        return _turn(ask, ref, arguments, now)
    if isinstance(ref, SessionRef):
        return _session(ask, ref, arguments, now)
    reader = "get_messages" if isinstance(ref, MessageRef) else "get_payload"
    raise AskError(f"{NAME} takes a session, a turn or a span", [Call(reader, {"id": str(ref)})])


def _session(ask: Ask, ref: SessionRef, arguments: Mapping[str, Any], now: int) -> Made:
    session = of_session(ask, ref)["data"]
    part = PARTS[arguments["part"] or "turns"](ask, Asked(NAME, ref, ref, None, arguments))
    only_part = arguments["part"] is not None
    failures = [] if only_part else _failures(ask, ref)
    tools = [] if only_part else _tools(ask, ref)
    last = None if only_part else last_call(ask, ref)
    notes = list(cautions(session)) + list(part.notes)
    if has_no_words(session):
        notes.append(f"No words of this session are stored: {NO_WORDS}{switches(ask, ref)}")

    def made(room: Room) -> Answer:
        head: dict[str, Any] = {"now": format_time(now)}
        if only_part:
            head["session"] = {
                name: session.get(name) for name in ("status", "trace_count", "span_count", "call_count")
            }
            head["session"]["id"] = str(ref)
        else:
            head["session"] = whole(session, ref, room)
            head["last_call"] = last
            if failures:
                head["failed_steps"] = [step_shown(step, room) for step in failures[: max(1, room.most)]]
            if tools:
                head["tools"] = room.list(tools, Call(NAME, {"id": str(ref), "part": "tools"}))
            head["read_more"] = [
                Call("get_messages", {"id": str(ref)}).shown(),
                Call(NAME, {"id": str(ref), "part": "steps", "sort": "duration", "order": "desc"}).shown(),
            ]
        return part.answer(room, head=head, notes=notes, link=session_link(ask, ref))

    return made


def _failures(ask: Ask, ref: SessionRef) -> Sequence[Mapping[str, Any]]:
    """The last steps that failed."""
    page = of_session(ask, ref, "steps", {"failed": "true", "order": "desc", "limit": str(FAILURES)})
    steps: Sequence[Mapping[str, Any]] = page["data"]
    return steps


def _tools(ask: Ask, ref: SessionRef) -> Sequence[Mapping[str, Any]]:
    tools: Sequence[Mapping[str, Any]] = of_session(ask, ref, "steps", {"limit": "1"})["tools"]
    return tools


def _turn(ask: Ask, ref: TurnRef, arguments: Mapping[str, Any], now: int) -> Made:
    trace = trace_of_turn(ask, ref)
    trace_id = trace["trace_id"]
    name = arguments["part"] or "steps"
    if name == "turns":
        raise AskError("a turn has no turns", [Call(NAME, {"id": str(ref.session), "part": "turns"})])
    part = PARTS[name](ask, Asked(NAME, ref, ref.session, trace, arguments))
    notes = [*_of_cell(trace_id), *cautions(trace), *part.notes]

    def made(room: Room) -> Answer:
        told = {"id": str(ref), "session": str(ref.session)}
        for field, value in trace.items():
            if isinstance(value, list):
                told[field] = room.list(value, reading(ref, field))
            elif isinstance(value, Mapping):
                told[field] = room.map(value, reading(ref, field))
            else:
                told[field] = value
        head = {"now": format_time(now), "turn": told, "read_more": [Call("get_messages", {"id": str(ref)}).shown()]}
        return part.answer(room, head=head, notes=notes, link=session_link(ask, ref.session))

    return made


def _of_cell(trace_id: str | None) -> Iterator[str]:
    if trace_id is None:
        yield "These are log records that are in no trace: five minutes of the session, which may hold several turns."


TOOL: Final = Tool(
    NAME,
    "Get a session",
    (
        "What one session came to: status, time, tokens, cost, models, tools, context size of its last call, last failures and why, and its "
        "turns. Also one turn (turn:…, with its steps) or one span (span:…, with its attributes). Use part for calls, steps, tools, logs, "
        "scores or annotations; for 'which call was slowest' part=steps, kind=llm, sort=duration, order=desc."
    ),
    PARAMETERS,
    run,
)
