"""Which program a span or a log record comes from, and which event a record tells of."""

from __future__ import annotations

from typing import Any

import pytest

from otel_sessions.dialects import emitters
from otel_sessions.dialects.emitters import (
    ANY,
    CLAUDE_CODE,
    CODEX,
    COPILOT,
    GEMINI_CLI,
    OPENTELEMETRY,
    QWEN_CODE,
    Emitter,
)
from otel_sessions.dialects.events import emitter_of, told_by


@pytest.mark.parametrize(
    ("scope", "service", "emitter"),
    [
        ("com.anthropic.claude_code.events", None, CLAUDE_CODE),
        ("com.anthropic.claude_code.tracing", "shop", CLAUDE_CODE),
        ("", "claude-code", CLAUDE_CODE),
        ("codex_otel.log_only", None, CODEX),
        ("app", "codex_exec", CODEX),
        ("app", "codex-app-server", CODEX),
        ("gemini-cli", "qwen-code", GEMINI_CLI),
        ("github.copilot", None, COPILOT),
        ("ai", "opencode", emitters.OPENCODE),
        ("goose::agents", None, emitters.GOOSE),
        ("ai", "my-opencode-clone", ANY),
        ("com.anthropic", "claude-code-proxy", ANY),
        ("", None, ANY),
    ],
)
def test_an_emitter_by_its_scope_else_by_its_service(scope: str, service: str | None, emitter: Emitter) -> None:
    """The beginning of a scope, or the whole name of a service, unless any ending of it is known."""
    assert emitter_of(scope, service) is emitter


def event(scope: str, name: Any, **more: Any) -> tuple[Emitter, str, str] | None:
    """The emitter, the full name and the meaning of the event of a record."""
    told = told_by(scope, None, "", {"event.name": name}, more.get("body"))
    return None if told is None else (told.emitter, told.name, told.event.meaning)


def test_events_of_opentelemetry_are_read_by_the_names_of_who_sends_them() -> None:
    """The session of Gemini CLI's inference event is found as that of its other records."""
    name = "gen_ai.client.inference.operation.details"
    assert event("gemini-cli", name) == (GEMINI_CLI, name, emitters.CALL)
    assert event("app", name) == (OPENTELEMETRY, name, emitters.CALL)
    assert event("copilot-chat", "session.start") == (COPILOT, "session.start", emitters.SESSION_START)


def test_full_names_of_another_emitter() -> None:
    """A fork that still writes the names that it came with is read as what it came from."""
    assert event("qwen-code", "gemini_cli.api_response") == (GEMINI_CLI, "gemini_cli.api_response", emitters.CALL)
    assert event("qwen-code", "api_response") == (QWEN_CODE, "qwen-code.api_response", emitters.CALL)


@pytest.mark.parametrize("name", ["api_request", "GET /", "x" * 5_000, "", None, 5, ["session.start"], {"a": 1}])
def test_no_event(name: Any) -> None:
    """A name that needs its emitter, or that is none, is nothing in another scope, nor is a body."""
    assert event("app", name) is None
    assert event("app", None, body=name) is None


def test_full_names_are_all_different() -> None:
    """No emitter's event has the name of another one's."""
    named = [emitter.prefix + name for emitter in (*emitters.EMITTERS, OPENTELEMETRY) for name in emitter.events]
    assert len(set(named)) == len(named)
