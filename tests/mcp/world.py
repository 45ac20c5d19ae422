"""The sessions that questions are about: one that cost much, one that failed, one of tools, one without words, and others."""

from __future__ import annotations

import time
from typing import Any, Final

from tests.server.conversing import AT, SECOND, Talks, call, record, said, span, turns

TROUBLE: Final = "permission denied: /etc/shadow"
LOGGED: Final = "the sandbox refused the path"
FAILED_TRACE: Final = 0xFA11
TOOL_SPAN: Final = 2
SWITCH: Final = "OTEL_LOG_USER_PROMPTS=1"


def fill(talks: Talks) -> None:
    """Send all sessions."""
    talks.send(*turns("cheap", 3, about="cat"))
    talks.send(*_dear())
    talks.send(*_broken())
    talks.send_logs(
        record({"session.id": "broken"}, body={"stringValue": LOGGED}, severityNumber=17, severityText="ERROR")
    )
    talks.send(*_tools())
    talks.send(_call(0x51, 1, {"session.id": "quiet"}), scope="com.anthropic.claude_code", service="claude-code")
    talks.send(_call(0x52, 1, {"session.id": "a/b ?#%&=+:@", "session.key.ticket": "T-1"}))
    talks.send(_call(0x53, 1, {"session.id": "running"}, at=time.time_ns()))
    judged = {"session.id": "cheap", "gen_ai.evaluation.name": "tone", "gen_ai.evaluation.score.value": 1}
    talks.send_logs(record(judged, event="gen_ai.evaluation.result", at=AT + 9 * SECOND))
    talks.backend.settle()


def _call(trace: int, id_: int, attributes: dict[str, Any], *, at: int = AT, **more: Any) -> dict[str, Any]:
    used = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o", "gen_ai.usage.output_tokens": 7}
    return span(trace, id_, {**used, "gen_ai.usage.input_tokens": 11, **attributes}, at=at, **more)


def _dear() -> list[dict[str, Any]]:
    """Two calls: the first took longest, the second cost more and had the larger context."""
    of = {"session.id": "dear", "user.id": "mia"}
    return [
        _call(0xDEA, 1, {**of, "gen_ai.usage.input_tokens": 1_000}, endTimeUnixNano=str(AT + 90 * SECOND)),
        _call(0xDEB, 2, {**of, "gen_ai.usage.input_tokens": 90_000}, at=AT + 100 * SECOND),
    ]


def _broken() -> list[dict[str, Any]]:
    of = {"session.id": "broken"}
    failed = {"code": 2, "message": TROUBLE}
    agent = span(
        FAILED_TRACE, 1, {**of, "gen_ai.operation.name": "invoke_agent"}, name="invoke_agent", status={"code": 2}
    )
    tool = {**of, "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "read_file"}
    arguments = {"gen_ai.tool.call.arguments": '{"path": "/etc/shadow"}'}
    run = span(
        FAILED_TRACE,
        TOOL_SPAN,
        {**tool, **arguments},
        name="execute_tool read_file",
        parentSpanId=f"{1:016x}",
        status=failed,
        at=AT + 1,
    )
    return [agent, run]


def _tools() -> list[dict[str, Any]]:
    asked = {
        "role": "assistant",
        "parts": [{"type": "tool_call", "id": "c1", "name": "grep", "arguments": {"q": "needle"}}],
    }
    result = {
        "role": "tool",
        "parts": [{"type": "tool_call_response", "id": "c1", "response": "3 matches in haystack.txt"}],
    }
    first = call([said("user", "Where is the needle?")], [asked], session_id="tools")
    second = call(
        [said("user", "Where is the needle?"), asked, result],
        [said("assistant", "In haystack.txt")],
        session_id="tools",
    )
    spans = [span(0x700, 1, first), span(0x700, 2, second, at=AT + 10 * SECOND)]
    for number, tool in enumerate(("grep", "grep", "grep", "read_file")):
        of = {"session.id": "tools", "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": tool}
        spans.append(span(0x700, 10 + number, of, name=f"execute_tool {tool}", at=AT + (1 + number) * SECOND))
    return spans
