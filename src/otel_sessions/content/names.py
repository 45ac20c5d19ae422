"""All attributes that hold content, and attributes without it: what to delete where the numbers stay."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from otel_sessions.content import agent_records, message_events, messages, tools
from otel_sessions.content.json_values import first, is_object
from otel_sessions.content.shapes import REQUEST, RESPONSE, SYSTEM_MEMBERS
from otel_sessions.content.sources import SOURCES, names_of
from otel_sessions.dialects.documents import of_raw_spans
from otel_sessions.dialects.events import EVENT_NAME

_PLACES: Final = tuple(name for source in SOURCES for name in names_of(source))

PREFIXES: Final[tuple[str, ...]] = (
    *(name for name in _PLACES if name.endswith(".")),
    *("llm.request.functions.", "llm.tools.", "retrieval.documents.", "embedding.embeddings."),
    *("reranker.input_documents.", "reranker.output_documents."),
)
"""What the names of attributes that hold content start with; a number follows."""

STARTS: Final = ("llm.prompt_template.", "mcp.request.argument", "llm.function_call")
"""What the names of others start with; anything may follow."""

_OF_AGENTS: Final = (
    *(how.name for how in agent_records.EVENTS.values() if isinstance(how, agent_records.Words)),
    *(
        name
        for how in agent_records.EVENTS.values()
        if isinstance(how, agent_records.Tool)
        for name in (*how.arguments, *how.result)
    ),
    *(
        "full_command",
        "bash_command",
        "file_path",
        "diff",
        "tool.output",
        "tool.response",
        "system_prompt",
        "error_text",
    ),
)
_BESIDE: Final = (
    *("gen_ai.tool.definitions", "gen_ai.tool.definitions_ref", "gen_ai.memory.query.text", "gen_ai.memory.records"),
    *("gen_ai.retrieval.query.text", "gen_ai.retrieval.documents", "gen_ai.tool.json_schema", "tool.parameters"),
    *("ai.prompt.tools", "ai.value", "ai.values", "ai.embedding", "ai.embeddings", "ai.response.files"),
    *("ai.toolCall.args", "ai.toolCall.result", "mlflow.chat.tools", "mlflow.chunk.value", "mlflow.chat.messages"),
    *("crew_agents", "crew_tasks", "crew_inputs", "smolagents.task", "reranker.query", "input.audio", "output.audio"),
    *("content", "message", "tool_calls", "gen_ai.event.content", "event_body", "gen_ai.prompt.variables"),
    *of_raw_spans("tools", "system", "systemInstruction", "system_instruction", "input", "output", "prompt"),
)
NAMES: Final[frozenset[str]] = frozenset(
    {
        *(name for name in _PLACES if not name.endswith(".")),
        *(name for place in (*tools.OWN, *tools.ANY) for name in (place.arguments, place.result) if name),
        *message_events.BODY,
        message_events.RESULT,
        *_OF_AGENTS,
        *_BESIDE,
    }
)
"""The names of the attributes of spans, span events and log records that hold content."""

MESSAGES: Final = frozenset(message_events.ROLES)
"""The names of events that are one message. The body of such a log record is content."""

OF_MESSAGES: Final = frozenset(messages.MEMBERS)
"""The names of more attributes that hold content in such events, where nothing else holds the message."""

EVENTS: Final = MESSAGES | {tools.OUTPUT_EVENT}
"""The names of span events all of whose attributes are content."""

PARTLY: Final = frozenset({"llm.invocation_parameters", "langfuse.observation.model.parameters", "model_parameters"})
"""Attributes whose object holds content among settings."""

MEMBERS: Final = frozenset({*SYSTEM_MEMBERS, *REQUEST, *RESPONSE, "tools", "functions", "response_format"})
"""The members of such an object that hold content."""


def is_content(name: str, event_name: str = "") -> bool:
    """True if an attribute of this name holds content: of a span, or of an event or log record with the name of its event."""
    if name in NAMES or name.startswith(STARTS) or (name in OF_MESSAGES and event_name in MESSAGES):
        return True
    return name.startswith(PREFIXES) and any(
        name.startswith(prefix) and name[len(prefix) : len(prefix) + 1].isdigit() for prefix in PREFIXES
    )


def without_content(attributes: Mapping[str, Any], event_name: str = "") -> dict[str, Any]:
    """The attributes of a span, a span event or a log record without those that hold content; every number stays.

    Example:
        >>> without_content({"gen_ai.input.messages": "[]", "gen_ai.usage.input_tokens": 3})
        {'gen_ai.usage.input_tokens': 3}
    """
    return {
        name: _settings(value) if name in PARTLY else value
        for name, value in attributes.items()
        if not is_content(name, event_name)
    }


def is_content_body(event_name: str, attributes: Mapping[str, Any]) -> bool:
    """True if the body of a log record of this event is content."""
    names = (event_name, first(attributes, (EVENT_NAME,)))
    return any(isinstance(name, str) and name in MESSAGES for name in names)


def _settings(value: Any) -> Any:
    """The settings in an object, as a text if it was one; empty if they cannot be told from content."""
    settings = _of_json(value)
    if isinstance(settings, str):
        return "" if any(f"{mark}{name}{mark}" in settings for name in MEMBERS for mark in "\"'") else settings
    if not is_object(settings) or MEMBERS.isdisjoint(settings):
        return value
    kept = {name: one for name, one in settings.items() if name not in MEMBERS}
    return json.dumps(kept, ensure_ascii=False) if isinstance(value, str) else kept


def _of_json(value: Any) -> Any:
    """The value that a text of JSON holds; of Python's notation nothing is taken apart, as in the statements of a store."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value
