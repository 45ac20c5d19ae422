"""`demo_requests`: made-up sessions as OTLP requests in JSON: a support agent with tools, a failure, a coding agent."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Final

from otel_sessions import attributes
from otel_sessions.timestamps import SECOND_NS

Values = Mapping[str, Any]

MODEL: Final = "gpt-4o-mini"
CODING_MODEL: Final = "claude-sonnet-4-5"
_LONG_AGO: Final = 600 * SECOND_NS
_INTERNAL: Final = 1
_CLIENT: Final = 3
_FAILED: Final = 2
_TOOL: Final = "look_up_order"
_PROMPT: Final = "You are the support agent of a small shop. Look orders up before you answer."


@dataclass(frozen=True, slots=True)
class Turn:
    """What a customer asks, what the agent looks up, and what it answers; without an answer the model fails."""

    asked: str
    order: str
    found: Values
    answered: str | None


@dataclass(frozen=True, slots=True)
class Talk:
    """A session of the support agent."""

    id: str
    name: str
    user: str
    turns: Sequence[Turn]
    metadata: Values = field(default_factory=dict)


TALKS: Final = (
    Talk(
        "support",
        "Parcel of order 1042",
        "ann",
        (
            Turn(
                "Where is my order 1042?",
                "1042",
                {"state": "shipped", "carrier": "DHL", "expected": "tomorrow"},
                "It was shipped with DHL and should be there tomorrow.",
            ),
            Turn(
                "Can I still change the address?",
                "1042",
                {"state": "shipped", "can_change": False},
                "It is on its way, so not any more. DHL lets you choose a shop to pick it up from.",
            ),
        ),
        {"plan": "pro"},
    ),
    Talk(
        "refund",
        "Refund of order 977",
        "ben",
        (Turn("I want my money back for order 977.", "977", {"state": "returned"}, None),),
        {"plan": "free"},
    ),
)


def demo_requests(now: int, run: str) -> tuple[list[str], list[tuple[str, dict[str, Any]]]]:
    """The ids of the sessions, and the requests that send them: paths and JSON bodies.

    Args:
        now: nanoseconds UTC; everything happened in the ten minutes before.
        run: the end of all ids, so that each run has sessions of its own.
    """
    spans = [span for talk in TALKS for span in _spans(talk, now - _LONG_AGO, run)]
    coding = f"coding-{run}"
    bodies = [
        ("/v1/traces", _grouped("resourceSpans", "scopeSpans", "spans", "demo-shop", "otel-sessions.demo", spans)),
        (
            "/v1/logs",
            _grouped(
                "resourceLogs",
                "scopeLogs",
                "logRecords",
                "claude-code",
                "com.anthropic.claude_code.events",
                list(_records(coding, now - _LONG_AGO)),
            ),
        ),
    ]
    return [*(f"{talk.id}-{run}" for talk in TALKS), coding], bodies


@dataclass(frozen=True, slots=True)
class _Trace:
    """A trace that spans are made for: its place among all, when it began, and what every span of it has."""

    place: str
    start: int
    stamped: Values

    def span(
        self, name: str, second: float, seconds: float, values: Values, *, parent: str = "", failed: str = ""
    ) -> dict[str, Any]:
        """A span that began some time after the trace; `parent` is the id of another one."""
        begin = self.start + int(second * SECOND_NS)
        return {
            "traceId": _hex(self.place, 16),
            "spanId": _hex(f"{self.place} {name} {second}", 8),
            "parentSpanId": parent,
            "name": name,
            "kind": _CLIENT if name.startswith("chat ") else _INTERNAL,
            "startTimeUnixNano": str(begin),
            "endTimeUnixNano": str(begin + int(seconds * SECOND_NS)),
            "attributes": _attributes({**self.stamped, **values}),
            "status": {"code": _FAILED, "message": failed} if failed else {},
        }


def _spans(talk: Talk, start: int, run: str) -> Iterator[dict[str, Any]]:
    said: list[dict[str, Any]] = []
    stamped = {
        attributes.SESSION_ID: f"{talk.id}-{run}",
        attributes.SESSION_NAME: talk.name,
        attributes.USER_ID: talk.user,
        **{f"{attributes.SESSION_METADATA_PREFIX}{name}": value for name, value in talk.metadata.items()},
    }
    for number, turn in enumerate(talk.turns):
        trace = _Trace(f"{talk.id}-{run}-{number}", start + number * 120 * SECOND_NS, stamped)
        call = f"call_{number}"
        failed = "" if turn.answered else "the model is overloaded"
        agent = trace.span("invoke_agent support", 0, 6.5, {"gen_ai.operation.name": "invoke_agent"}, failed=failed)
        parent = agent["spanId"]
        yield agent
        said.append(_message("user", {"type": "text", "content": turn.asked}))
        arguments = {"order": turn.order}
        asks = _message("assistant", {"type": "tool_call", "id": call, "name": _TOOL, "arguments": arguments})
        yield trace.span(f"chat {MODEL}", 0.5, 1.5, _chat(said, [asks], 310 + 90 * number, 24), parent=parent)
        tool = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": _TOOL, "gen_ai.tool.call.id": call}
        yield trace.span(f"execute_tool {_TOOL}", 2, 0.3, tool, parent=parent)
        told = _message("tool", {"type": "tool_call_response", "id": call, "response": dict(turn.found)})
        said += [asks, told]
        answer = [_message("assistant", {"type": "text", "content": turn.answered})] if turn.answered else []
        tokens = (365 + 90 * number, 31) if turn.answered else (None, None)
        yield trace.span(f"chat {MODEL}", 2.5, 4, _chat(said, answer, *tokens), parent=parent, failed=failed)
        said += answer


def _chat(said: Sequence[Any], answer: Sequence[Any], input_tokens: int | None, output_tokens: int | None) -> Values:
    values = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": MODEL,
        "gen_ai.usage.input_tokens": input_tokens,
        "gen_ai.usage.output_tokens": output_tokens,
        "gen_ai.system_instructions": json.dumps([{"type": "text", "content": _PROMPT}]),
        "gen_ai.input.messages": json.dumps(said),
        "gen_ai.output.messages": json.dumps(answer) if answer else None,
    }
    return {name: value for name, value in values.items() if value is not None}


def _message(role: str, part: dict[str, Any]) -> dict[str, Any]:
    return {"role": role, "parts": [part]}


def _records(session: str, start: int) -> Iterator[dict[str, Any]]:
    """The records of a coding agent, as Claude Code sends them: two requests, a tool between them."""
    events: tuple[tuple[str, Values], ...] = (
        ("user_prompt", {"prompt": "Why does the test of the parser fail?", "prompt_length": "38"}),
        ("api_request", _request(0, 12, 0, 18_400, 210, 0.073)),
        ("tool_result", {"tool_name": "Bash", "success": "true", "duration_ms": "900"}),
        ("api_request", _request(1, 8, 18_400, 1_250, 930, 0.0242)),
    )
    for number, (event, values) in enumerate(events):
        said = {"session.id": session, "user.id": "cleo", "event.name": event, "prompt.id": f"{session}-1", **values}
        yield {
            "timeUnixNano": str(start + number * 8 * SECOND_NS),
            "body": {"stringValue": f"claude_code.{event}"},
            "attributes": _attributes(said),
        }


def _request(number: int, uncached: int, read: int, written: int, output: int, cost: float) -> Values:
    return {
        "model": CODING_MODEL,
        "query_source": "repl_main_thread",
        "request_id": f"req_{number}",
        "duration_ms": 4_000,
        "input_tokens": uncached,
        "cache_read_tokens": read,
        "cache_creation_tokens": written,
        "output_tokens": output,
        "cost_usd": cost,
    }


def _grouped(resources: str, scopes: str, items: str, service: str, scope: str, found: Sequence[Any]) -> dict[str, Any]:
    resource = {"attributes": _attributes({"service.name": service, "deployment.environment.name": "demo"})}
    return {resources: [{"resource": resource, scopes: [{"scope": {"name": scope}, items: list(found)}]}]}


def _attributes(values: Values) -> list[dict[str, Any]]:
    kinds = {str: "stringValue", int: "intValue", float: "doubleValue"}
    return [{"key": name, "value": {kinds[type(value)]: value}} for name, value in values.items()]


def _hex(name: str, size: int) -> str:
    return blake2b(name.encode(), digest_size=size).hexdigest()
