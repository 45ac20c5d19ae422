"""`PARTS`: the lists that a session or a turn is made of, each as a page of rows."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from otel_sessions.mcp.answers import Answer
from otel_sessions.mcp.asking import Ask
from otel_sessions.mcp.logs_shown import log_rows
from otel_sessions.mcp.nearby import of_session
from otel_sessions.mcp.refs import SessionRef, SpanRef, TurnRef
from otel_sessions.mcp.rooms import Call, Room
from otel_sessions.mcp.session_shown import reading
from otel_sessions.mcp.written import beginning

PAGE: Final = 1_000
"""The largest page that the API gives."""

MOST_CALLS: Final = 50_000
"""How many calls are looked through to sort them."""

LAST_CALLS: Final = 50


@dataclass(frozen=True)
class Asked:
    """What a part is asked of.

    Attributes:
        tool: the tool that is called.
        ref: the session or turn.
        session: the session.
        trace: the turn, as REST tells of it; `None` for a whole session.
        arguments: of the call.
    """

    tool: str
    ref: SessionRef | TurnRef
    session: SessionRef
    trace: Mapping[str, Any] | None
    arguments: Mapping[str, Any]


@dataclass(frozen=True)
class Part:
    """A page of a list.

    Attributes:
        name: what its items are.
        rows: makes the rows for a room.
        count: how many rows.
        total: how many items there are in all.
        before: how many come before these.
        asked: what was asked.
        notes: what a reader has to know about them.
    """

    name: str
    rows: Callable[[Room], Sequence[Any]]
    count: int
    total: int
    before: int
    asked: Asked
    notes: Sequence[str] = ()

    def answer(self, room: Room, *, head: Mapping[str, Any], notes: Sequence[str], link: str | None) -> Answer:
        """The answer with this page."""
        return Answer(
            head=head,
            rows=self.rows(room),
            name=self.name,
            total=self.total,
            before=self.before,
            following=self._following,
            notes=notes,
            link=link,
        )

    def _following(self, count: int) -> Call | None:
        after = self.before + count
        if after >= self.total or not self.count:
            return None
        asked = self.asked
        kept = {name: value for name, value in asked.arguments.items() if name in _KEPT and value is not None}
        return Call(asked.tool, {**kept, "id": str(asked.ref), "part": self.name, "offset": after})


_KEPT: Final = ("sort", "order", "kind", "failed", "q", "limit", "budget")


def page_of(
    ask: Ask, session: SessionRef, sub: str, parameters: Mapping[str, str], *, limit: int, offset: int
) -> tuple[Sequence[Mapping[str, Any]], int, int]:
    """The items of a page, how many there are in all, and how many come before it.

    Args:
        ask: the server.
        session: whose list.
        sub: which list.
        parameters: its conditions.
        limit: how many items at most.
        offset: how many to skip; below 0 counts from the end.
    """
    if offset < 0:
        first = of_session(ask, session, sub, {**parameters, "limit": "1"})
        offset = max(0, int(first["pagination"]["total"]) + offset)
    page = of_session(ask, session, sub, {**parameters, "limit": str(min(limit, PAGE)), "offset": str(offset)})
    return page["data"], int(page["pagination"]["total"]), offset


def _turns(ask: Ask, asked: Asked) -> Part:
    limit, offset = asked.arguments["limit"], asked.arguments["offset"]
    traces, total, before = page_of(ask, asked.session, "traces", {}, limit=limit, offset=offset)

    def rows(room: Room) -> Sequence[Any]:
        return [turn_shown(trace, asked.session, room) for trace in traces]

    return Part("turns", rows, len(traces), total, before, asked)


def turn_shown(trace: Mapping[str, Any], session: SessionRef, room: Room) -> dict[str, Any]:
    """A turn of a list."""
    ref = TurnRef(session, trace["trace_id"] or trace["start"])
    told: dict[str, Any] = {"id": str(ref)}
    told |= {
        name: trace[name]
        for name in (
            "status",
            "start",
            "duration_ms",
            "span_count",
            "call_count",
            "total_tokens",
            "total_cost",
            "cost_exact",
        )
    }
    if trace["trace_id"] is None:
        told["turn_count"] = trace["turn_count"]
    told["operations"] = room.list(
        [room.text(one, reading(ref, "operations")) for one in trace["operations"]], reading(ref, "operations")
    )
    return told


def _calls(ask: Ask, asked: Asked) -> Part:
    sort, limit, offset = asked.arguments["sort"], asked.arguments["limit"], asked.arguments["offset"]
    notes: list[str] = []
    trace_id = None if asked.trace is None else asked.trace["trace_id"]
    if sort == "start" and asked.trace is None:
        calls, total, before = page_of(ask, asked.session, "calls", {}, limit=limit, offset=offset)
    else:
        every = _Every(ask, asked.session)
        wanted = [call for call in every if asked.trace is None or call["trace_id"] == trace_id]
        total = len(wanted)
        before = max(0, total + offset) if offset < 0 else offset
        greatest = asked.arguments["order"] == "desc"
        pick = heapq.nlargest if greatest else heapq.nsmallest
        calls = pick(before + limit, wanted, key=_BY[sort])[before:]
        if every.is_cut:
            notes.append(f"Only the first {MOST_CALLS:,} calls were looked through.")

    shown = [call_shown(call) for call in calls]
    return Part("calls", lambda _: shown, len(calls), total, before, asked, notes)


class _Every:
    """Every call of a session, as far as they are looked through."""

    def __init__(self, ask: Ask, session: SessionRef) -> None:
        self._ask, self._session = ask, session
        self.is_cut = False

    def __iter__(self) -> Iterator[Mapping[str, Any]]:
        offset = 0
        while True:
            calls, total, _ = page_of(self._ask, self._session, "calls", {}, limit=PAGE, offset=offset)
            yield from calls
            offset += PAGE
            if offset >= total:
                return
            if offset >= MOST_CALLS:
                self.is_cut = True
                return


_BY: Final[Mapping[str, Callable[[Mapping[str, Any]], Any]]] = {
    "start": lambda call: call["start"],
    "duration": lambda call: call["duration_ms"],
    "cost": lambda call: Decimal(call["total_cost"] or -1),
    "tokens": lambda call: -1 if call["total_tokens"] is None else call["total_tokens"],
}

_OF_CALL: Final = (
    "start",
    "duration_ms",
    "time_to_first_token_ms",
    "provider",
    "model",
    "lane",
    "counted",
    "reason",
    "counted_as",
    "evidence",
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "total_tokens",
    "total_cost",
    "cost_source",
    "cost_exact",
    "cost_note",
    "failed",
    "cache",
)


def call_shown(call: Mapping[str, Any]) -> dict[str, Any]:
    """A model call; what is not known or says nothing is left out, but for its tokens and cost."""
    told: dict[str, Any] = {"id": _span_id(call, "span" in (call.get("evidence") or ()))}
    for name in _OF_CALL:
        value = call.get(name)
        if value not in (None, False, []) or name in ("total_tokens", "total_cost", "counted"):
            told[name] = value
    if call.get("cost_exact") is False:
        told["cost_exact"] = False
    return told


def _span_id(told: Mapping[str, Any], is_span: bool) -> str | None:
    return str(SpanRef(told["trace_id"], told["span_id"])) if is_span and told["trace_id"] else None


def last_call(ask: Ask, session: SessionRef) -> Mapping[str, Any] | None:
    """The last counted call of the main agent that tells its input: how full the context is."""
    calls, _, _ = page_of(ask, session, "calls", {}, limit=LAST_CALLS, offset=-LAST_CALLS)
    known = [call for call in calls if call["counted"] and call["input_tokens"] is not None]
    main = [call for call in known if call["lane"] is None] or known
    if not main:
        return None
    last = main[-1]
    names = ("model", "lane", "start", "input_tokens", "output_tokens", "cache_read_tokens", "total_cost")
    return {"id": _span_id(last, "span" in last["evidence"]), **{name: last[name] for name in names}}


def _steps(ask: Ask, asked: Asked) -> Part:
    given = asked.arguments
    query = {"order": given["order"], "sort": "duration" if given["sort"] == "duration" else "start"}
    query |= {name: str(given[name]) for name in ("kind", "q") if given[name]}
    if given["failed"] is not None:
        query["failed"] = str(given["failed"]).lower()
    notes = []
    if asked.trace is not None and asked.trace["trace_id"] is not None:
        query["trace_id"] = asked.trace["trace_id"]
    elif asked.trace is not None:
        notes.append("Steps of log records in no trace are listed for the whole session.")
    steps, total, before = page_of(ask, asked.session, "steps", query, limit=given["limit"], offset=given["offset"])

    def rows(room: Room) -> Sequence[Any]:
        return [step_shown(step, room) for step in steps]

    return Part("steps", rows, len(steps), total, before, asked, notes)


def step_shown(step: Mapping[str, Any], room: Room) -> dict[str, Any]:
    """A step of a list: what it is, how it went, and how much it holds."""
    ref = _span_id(step, step["evidence"] == "span")
    told: dict[str, Any] = {"id": ref, "name": _named(step, room)}
    told |= {name: step[name] for name in ("kind", "start", "duration_ms")}
    told |= {
        name: step[name] for name in ("tool", "model", "lane") if step[name] is not None and step[name] != step["name"]
    }
    if step["failed"]:
        told["failed"] = True
    if step["message"] is not None:
        told["error"] = _error_shown(step, ref, room)
    if step["size"]:
        told["content_bytes"] = step["size"]
    return told


def _error_shown(step: Mapping[str, Any], ref: str | None, room: Room) -> Any:
    message, length = step["message"], step["message_length"]
    if ref is None:
        return beginning(message, room.longest)
    if length == len(message):
        return room.text(message, reading(ref, "error"))
    return {"begins": beginning(message, room.longest), "length": length, "read": reading(ref, "error").shown()}


def _named(step: Mapping[str, Any], room: Room) -> Any:
    ref = _span_id(step, step["evidence"] == "span")
    return step["name"] if ref is None else room.text(step["name"], reading(ref, "name"))


def _tools(ask: Ask, asked: Asked) -> Part:
    query = {"limit": "1"}
    if asked.trace is not None and asked.trace["trace_id"] is not None:
        query["trace_id"] = asked.trace["trace_id"]
    tools = of_session(ask, asked.session, "steps", query)["tools"]
    before = asked.arguments["offset"]
    before = max(0, len(tools) + before) if before < 0 else before
    page = tools[before : before + asked.arguments["limit"]]
    return Part("tools", lambda _: page, len(page), len(tools), before, asked)


def _logs(ask: Ask, asked: Asked) -> Part:
    given = asked.arguments
    query = {"order": given["order"]} | ({"q": given["q"]} if given["q"] else {})
    if asked.trace is not None and asked.trace["trace_id"] is not None:
        query["trace_id"] = asked.trace["trace_id"]
    logs, total, before = page_of(ask, asked.session, "logs", query, limit=given["limit"], offset=given["offset"])
    return Part("logs", lambda room: log_rows(logs, asked.session, room), len(logs), total, before, asked)


def _given(sub: str) -> Callable[[Ask, Asked], Part]:
    def part(ask: Ask, asked: Asked) -> Part:
        limit, offset = asked.arguments["limit"], asked.arguments["offset"]
        found, total, before = page_of(ask, asked.session, sub, {}, limit=limit, offset=offset)

        def rows(room: Room) -> Sequence[Any]:
            read = Call("get_payload", {"id": str(asked.session), "field": sub})
            return [{name: room.text(value, read) for name, value in one.items() if value is not None} for one in found]

        return Part(sub, rows, len(found), total, before, asked)

    return part


PARTS: Final[Mapping[str, Callable[[Ask, Asked], Part]]] = {
    "turns": _turns,
    "calls": _calls,
    "steps": _steps,
    "tools": _tools,
    "logs": _logs,
    "scores": _given("scores"),
    "annotations": _given("annotations"),
}
"""By name."""
