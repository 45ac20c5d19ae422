"""Programs that send spans and log records in names of their own, as data: coding agents, and OpenTelemetry's own events.

An emitter is recognised by the scope of its instrumentation or by the name of its service, and a log record also by the
name of its event. A new one is an entry in `EMITTERS` and a file of samples in `tests/dialects/records`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from otel_sessions import attributes
from otel_sessions.dialects import families, kinds, names
from otel_sessions.dialects.families import Family

CALL: Final = "call"
"""A call of a model; a failed one where the record says so."""
FAILED_CALL: Final = "failed_call"
REQUEST: Final = "request"
"""A request that another event tells of when it succeeds: a failed call where it failed, else an activity."""
PROMPT: Final = "prompt"
"""The message of a user that starts a turn."""
TOOL: Final = "tool"
AGENT: Final = "agent"
"""The start or the end of a sub-agent; its sums repeat its calls and are never counted."""
SESSION_START: Final = "session_start"
SESSION_END: Final = "session_end"
ACTIVITY: Final = "activity"
"""Anything else: it shows that the session was active."""


class Event(NamedTuple):
    """What an event means.

    Attributes:
        meaning: one of the meanings above.
        only: an attribute, and its values for which the event has this meaning; with others it is an activity.
    """

    meaning: str = ACTIVITY
    only: tuple[str, tuple[str, ...]] | None = None


class Emitter(NamedTuple):
    """One program.

    Attributes:
        prefix: what the names of its events start with; it may leave that out.
        scopes: beginnings of the names of its instrumentation scopes.
        services: the names of its service; one that ends in `*` is a beginning.
        sessions: the names of its session, as in `names.SESSION_ID`.
        unknown_is_none: it writes `unknown` where it withholds the session.
        families: its own names of tokens and costs, read only from its spans and records, as all that follows.
        model, response_id, call_id, speed, turn, agent: names of these fields, after the general ones; of the agent before them.
        source: names of what asked for a call, which may be a sub-agent.
        time_to_first_token: in milliseconds.
        kinds: the attribute that names the kind of a span, and the kinds.
        provider: the provider of its calls that name none.
        main_agents: how it names the agent that is not a sub-agent.
        events: by name, without the prefix.
    """

    prefix: str = ""
    scopes: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    sessions: tuple[str, ...] = names.SESSION_ID
    unknown_is_none: bool = False
    families: tuple[Family, ...] = ()
    model: tuple[str, ...] = ()
    response_id: tuple[str, ...] = ()
    call_id: tuple[str, ...] = ()
    speed: tuple[str, ...] = ()
    turn: tuple[str, ...] = ()
    agent: tuple[str, ...] = ()
    source: tuple[str, ...] = ()
    time_to_first_token: tuple[str, ...] = ()
    kinds: tuple[str, Mapping[str, str]] | None = None
    provider: str | None = None
    main_agents: frozenset[str] = frozenset()
    events: Mapping[str, Event] = MappingProxyType({})

    @property
    def has_own_names(self) -> bool:
        """True if its spans and records are read by more than the names that all share."""
        return self._replace(prefix="", scopes=(), services=(), events=ANY.events) != ANY


def _activities(*events: str) -> dict[str, Event]:
    return dict.fromkeys(events, Event())


ANY: Final = Emitter()
"""A program that is not in the list."""

CLAUDE_CODE: Final = Emitter(
    prefix="claude_code.",
    scopes=("com.anthropic.claude_code",),
    services=("claude-code",),
    # Its conversations are those of sub-agents, which are a part of the session.
    sessions=(attributes.SESSION_ID,),
    families=(families.CLAUDE_CODE,),
    model=("model",),
    # Its spans have the id of the response beside that of the request, its records only the latter.
    call_id=("request_id",),
    speed=("speed",),
    turn=("prompt.id",),
    agent=("agent_id", "gen_ai.conversation.id", "agent.name"),
    source=("query_source",),
    time_to_first_token=("ttft_ms",),
    kinds=(
        "span.type",
        {
            "llm_request": kinds.LLM,
            "tool": kinds.TOOL,
            "interaction": kinds.AGENT,
            "tool.blocked_on_user": kinds.HUMAN,
            "claude_code.llm_request": kinds.LLM,
            "claude_code.tool": kinds.TOOL,
            "claude_code.interaction": kinds.AGENT,
            "claude_code.tool.blocked_on_user": kinds.HUMAN,
        },
    ),
    provider="anthropic",
    events={
        "api_request": Event(CALL),
        "api_error": Event(FAILED_CALL),
        "user_prompt": Event(PROMPT),
        "tool_result": Event(TOOL),
        "subagent_completed": Event(AGENT),
        **_activities("api_retries_exhausted", "api_refusal", "assistant_response", "tool_decision", "compaction"),
        **_activities("api_request_body", "api_response_body", "permission_mode_changed", "auth", "internal_error"),
        **_activities("mcp_server_connection", "plugin_installed", "plugin_loaded", "skill_activated", "at_mention"),
        **_activities("hook_registered", "hook_execution_start", "hook_execution_complete", "hook_plugin_metrics"),
        **_activities("feedback_survey", "retention_sweep", "safety_event", "managed_settings_resolved"),
    },
)

CODEX: Final = Emitter(
    prefix="codex.",
    scopes=("codex",),
    services=("codex*",),
    # Its `gen_ai.conversation.id` is a turn of the thread.
    sessions=(attributes.SESSION_ID, "conversation.id", "thread.id"),
    families=(families.CODEX_RECORDS,),
    model=("model", "slug"),
    turn=("turn.id", "turn_id"),
    time_to_first_token=("ttft_ms",),
    provider="openai",
    events={
        "sse_event": Event(CALL, only=("event.kind", ("response.completed", "response.failed"))),
        "api_request": Event(REQUEST),
        "websocket_request": Event(REQUEST),
        "user_prompt": Event(PROMPT),
        "tool_result": Event(TOOL),
        "conversation_starts": Event(SESSION_START),
        **_activities("tool_decision", "websocket_connect", "websocket_event", "sandbox_outcome", "startup_phase"),
        **_activities("turn_ttft", "auth_recovery"),
    },
)

_OF_GEMINI: Final[Mapping[str, Event]] = MappingProxyType(
    {
        "api_response": Event(CALL),
        "api_error": Event(FAILED_CALL),
        "user_prompt": Event(PROMPT),
        "tool_call": Event(TOOL),
        "agent.start": Event(AGENT),
        "agent.finish": Event(AGENT),
        **_activities("api_request", "config", "chat_compression", "conversation_finished", "slash_command"),
        **_activities("model_routing", "file_operation", "next_speaker_check", "flash_fallback", "ide_connection"),
    }
)

GEMINI_CLI: Final = Emitter(
    prefix="gemini_cli.",
    scopes=("gemini-cli",),
    services=("gemini-cli",),
    families=(families.GEMINI_CLI,),
    model=("model",),
    turn=("prompt_id",),
    source=("role",),
    provider="gcp.gen_ai",
    main_agents=frozenset({"gemini-cli"}),
    events=_OF_GEMINI,
)

QWEN_CODE: Final = Emitter(
    prefix="qwen-code.",
    scopes=("qwen-code",),
    services=("qwen-code",),
    families=(families.QWEN_CODE,),
    model=("model",),
    response_id=("response_id",),
    turn=("qwen-code.prompt_id", "prompt_id"),
    agent=("subagent_name",),
    time_to_first_token=("ttft_ms",),
    main_agents=frozenset({"qwen-code"}),
    events={
        **_OF_GEMINI,
        "subagent_execution": Event(AGENT),
        **_activities("api_cancel", "api_retry", "user_retry", "skill_launch", "workflow_run"),
    },
)

COPILOT: Final = Emitter(
    prefix="copilot_chat.",
    scopes=("copilot-chat", "github.copilot"),
    services=("copilot-chat", "github-copilot"),
    turn=("github.copilot.interaction_id",),
    provider="github",
    main_agents=frozenset({"copilot", "copilotcli", "agent", "GitHub Copilot", "GitHub Copilot Chat"}),
    events={
        "session.start": Event(SESSION_START),
        "tool.call": Event(TOOL),
        # It repeats the usage of the turn's calls.
        "agent.turn": Event(),
    },
)

GOOSE: Final = Emitter(prefix="goose.", scopes=("goose",), services=("goose",))

OPENCODE: Final = Emitter(prefix="opencode.", services=("opencode",))

OPENCLAW: Final = Emitter(
    prefix="openclaw.",
    scopes=("openclaw",),
    services=("openclaw",),
    sessions=(*names.SESSION_ID, "openclaw.sessionId", "openclaw.sessionKey"),
    unknown_is_none=True,
    turn=("openclaw.runId",),
    agent=("openclaw.agent",),
    main_agents=frozenset({"main"}),
)

OPENTELEMETRY: Final = Emitter(
    events={
        "gen_ai.client.inference.operation.details": Event(CALL),
        "session.start": Event(SESSION_START),
        "session.end": Event(SESSION_END),
    },
)
"""Events of OpenTelemetry's conventions, which any program may send."""

EMITTERS: Final = (CLAUDE_CODE, CODEX, GEMINI_CLI, QWEN_CODE, COPILOT, GOOSE, OPENCODE, OPENCLAW)
