"""What turns capturing on is known for each program that can hold content back."""

from __future__ import annotations

import pytest

from otel_sessions.content.capture import SWITCHES, capture_switch
from otel_sessions.dialects.emitters import EMITTERS


@pytest.mark.parametrize(
    ("scope", "service", "part"),
    [
        ("opentelemetry.instrumentation.genai.openai", None, "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"),
        ("opentelemetry.instrumentation.openai.v1", None, "TRACELOOP_TRACE_CONTENT=true"),
        ("com.anthropic.claude_code.events", "claude-code", "OTEL_LOG_USER_PROMPTS=1 OTEL_LOG_ASSISTANT_RESPONSES=1"),
        ("", "codex_cli_rs", "never sends the words of the assistant"),
        ("gemini-cli", None, "logPrompts"),
        ("openinference.instrumentation.openai", None, "OPENINFERENCE_HIDE_INPUTS"),
        ("pydantic-ai", "app", "include_content"),
        ("strands.telemetry.tracer", None, "Strands"),
        ("gcp.vertex.agent", None, "ADK_CAPTURE_MESSAGE_CONTENT_IN_SPANS"),
        ("copilot-chat", None, "COPILOT_OTEL_CAPTURE_CONTENT=true"),
        ("ai", None, "recordInputs"),
    ],
)
def test_a_program_has_its_switch(scope: str, service: str | None, part: str) -> None:
    """The scope decides, and the service where the scope is not known."""
    assert part in (capture_switch(scope, service) or "")


@pytest.mark.parametrize(("scope", "service"), [("", None), ("aiohttp", "shop")])
def test_an_unknown_program_has_no_switch(scope: str, service: str | None) -> None:
    """The name of a scope that is short is not taken for the beginning of others."""
    assert capture_switch(scope, service) is None


def test_every_coding_agent_has_a_switch() -> None:
    """No program of `EMITTERS` is left out."""
    services = [service.rstrip("*") for emitter in EMITTERS for service in emitter.services]
    assert [service for service in services if capture_switch("", service) is None] == []


def test_texts_are_short() -> None:
    """A switch fits into a line or two of a message."""
    assert [switch for switch in SWITCHES if not 20 < len(switch.text) < 160] == []
