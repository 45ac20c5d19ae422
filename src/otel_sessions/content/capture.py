"""What turns on that a program sends the words of its conversations, as data."""

from __future__ import annotations

from typing import Final, NamedTuple


class Switch(NamedTuple):
    """A switch of some programs.

    Attributes:
        text: what to set, for people.
        scopes: beginnings of the names of their instrumentation scopes.
        services: the names of their services; one that ends in `*` is a beginning.
    """

    text: str
    scopes: tuple[str, ...] = ()
    services: tuple[str, ...] = ()


_OPENTELEMETRY: Final = "set OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=SPAN_ONLY (older versions: true)"
_TRACELOOP: Final = "set TRACELOOP_TRACE_CONTENT=true (it is on unless it was set to false)"

SWITCHES: Final[tuple[Switch, ...]] = (
    Switch(
        "set OTEL_LOG_USER_PROMPTS=1 OTEL_LOG_ASSISTANT_RESPONSES=1 OTEL_LOG_TOOL_DETAILS=1 OTEL_LOG_TOOL_CONTENT=1",
        ("com.anthropic.claude_code",),
        ("claude-code", "claude-code-desktop"),
    ),
    Switch(
        "set `log_user_prompt = true` under `[otel]` in ~/.codex/config.toml; Codex never sends the words of the assistant",
        ("codex",),
        ("codex*",),
    ),
    Switch(
        "set GEMINI_TELEMETRY_LOG_PROMPTS=true (`telemetry.logPrompts` in settings.json)",
        ("gemini-cli",),
        ("gemini-cli",),
    ),
    Switch(
        "set QWEN_TELEMETRY_LOG_PROMPTS=true (`telemetry.logPrompts` in settings.json)", ("qwen-code",), ("qwen-code",)
    ),
    Switch("set COPILOT_OTEL_CAPTURE_CONTENT=true", ("copilot-chat",), ("copilot-chat",)),
    Switch(
        _OPENTELEMETRY.replace("SPAN_ONLY (older versions: true)", "true"), ("github.copilot",), ("github-copilot",)
    ),
    Switch("set OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=true", ("goose",), ("goose",)),
    Switch("turn on `diagnostics.otel.captureContent` in openclaw.json", ("openclaw",), ("openclaw",)),
    Switch(
        "unset OPENINFERENCE_HIDE_INPUTS, OPENINFERENCE_HIDE_OUTPUTS, OPENINFERENCE_HIDE_INPUT_MESSAGES and "
        "OPENINFERENCE_HIDE_OUTPUT_MESSAGES",
        ("openinference.", "@arizeai/openinference"),
    ),
    Switch("pass InstrumentationSettings(include_content=True) to the agent", ("pydantic-ai",)),
    Switch(
        "leave `experimental_telemetry.recordInputs` and `recordOutputs` at true", ("ai", "@ai-sdk/otel"), ("opencode",)
    ),
    Switch("set ADK_CAPTURE_MESSAGE_CONTENT_IN_SPANS=true", ("gcp.vertex.agent",)),
    Switch(
        "Strands sends content in span events: let processors and collectors keep them", ("strands", "strands-agents")
    ),
    Switch("set SEMANTICKERNEL_EXPERIMENTAL_GENAI_ENABLE_OTEL_DIAGNOSTICS_SENSITIVE=true", ("semantic_kernel",)),
    Switch("set ENABLE_SENSITIVE_DATA=true", ("agent_framework", "microsoft.agent_framework")),
    Switch("set HAYSTACK_CONTENT_TRACING_ENABLED=true", ("haystack",)),
    Switch("unset `turn_off_message_logging` in litellm_settings", ("litellm",)),
    Switch("unset LANGSMITH_HIDE_INPUTS and LANGSMITH_HIDE_OUTPUTS", ("langsmith",)),
    Switch("leave capture_input and capture_output at true, and set no mask", ("langfuse",)),
    Switch("AutoGen sends no content; instrument the client of the model as well", ("autogen",)),
    Switch("CrewAI sends no messages itself; instrument it, or the client of the model, as well", ("crewai.",)),
    Switch(
        _OPENTELEMETRY,
        (
            *(
                "opentelemetry.instrumentation.genai",
                "opentelemetry.util.genai",
                "opentelemetry.instrumentation.openai_v2",
            ),
            *("opentelemetry.instrumentation.google_genai", "opentelemetry.instrumentation.vertexai"),
            *("opentelemetry.instrumentation.openai_agents", "opentelemetry.instrumentation.botocore"),
        ),
    ),
    Switch(_TRACELOOP, ("opentelemetry.instrumentation.", "traceloop", "@traceloop/")),
)
"""The first that fits a scope, else the first that fits a service."""

_EXACT: Final = frozenset({"ai"})
"""Names of scopes that are too short to be beginnings."""


def capture_switch(scope: str, service: str | None) -> str | None:
    """What turns capturing on in the program with this instrumentation scope or service; `None` for one that is not known.

    Example:
        >>> capture_switch("gcp.vertex.agent", None)
        'set ADK_CAPTURE_MESSAGE_CONTENT_IN_SPANS=true'
    """
    for switch in SWITCHES:
        if any(scope == one if one in _EXACT else scope.startswith(one) for one in switch.scopes):
            return switch.text
    for switch in SWITCHES:
        if service is not None and any(_is_service(service, one) for one in switch.services):
            return switch.text
    return None


def _is_service(service: str, pattern: str) -> bool:
    return service.startswith(pattern[:-1]) if pattern.endswith("*") else service == pattern
