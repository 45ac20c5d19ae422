"""Reads the sessions that other SDKs keep in the OpenTelemetry Context.

OpenInference keeps plain attribute names, Langfuse a key per field, Traceloop one dictionary. The first of these SDKs
that has a session or a user decides.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from opentelemetry.context import Context

from otel_sessions.attributes import SESSION_ID, USER_ID
from otel_sessions.given import check
from otel_sessions.rules import DEFAULT_LIMITS, Limits
from otel_sessions.session import EMPTY, Session, inner_session

_TRACELOOP: Final = "association_properties"
_LANGFUSE: Final = "langfuse.propagated."

AMBIENT_KEYS: Final = frozenset({SESSION_ID, USER_ID, _TRACELOOP, _LANGFUSE + "session_id", _LANGFUSE + "user_id"})
"""If a context has none of these keys, no other SDK has a session in it."""


def read_ambient(context: Context, *, limits: Limits = DEFAULT_LIMITS) -> Session:
    """The session that another SDK has put into the context, checked by the rules; the empty one without any."""
    for reader in (_openinference, _langfuse, _traceloop):
        given = check(**reader(context), strict=False, limits=limits)
        session = inner_session(EMPTY, given._replace(cut=()), strict=False, limits=limits)
        if session.id is not None or session.user_id is not None:
            return session
    return EMPTY


def _openinference(context: Context) -> dict[str, Any]:
    if SESSION_ID not in context and USER_ID not in context:
        return {}
    return {
        "session_id": context.get(SESSION_ID),
        "user_id": context.get(USER_ID),
        "tags": context.get("tag.tags"),
        "metadata": _scalars(_from_json(context.get("metadata"))),
    }


def _langfuse(context: Context) -> dict[str, Any]:
    if _LANGFUSE + "session_id" not in context and _LANGFUSE + "user_id" not in context:
        return {}
    return {
        "session_id": context.get(_LANGFUSE + "session_id"),
        "user_id": context.get(_LANGFUSE + "user_id"),
        "tags": context.get(_LANGFUSE + "tags"),
        "metadata": _scalars(context.get(_LANGFUSE + "metadata")),
    }


def _traceloop(context: Context) -> dict[str, Any]:
    properties = context.get(_TRACELOOP)
    if not isinstance(properties, Mapping):
        return {}
    known = ("session_id", "user_id")
    return {
        **{name: properties.get(name) for name in known},
        "metadata": _scalars({name: value for name, value in properties.items() if name not in known}),
    }


def _from_json(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return None


def _scalars(metadata: object) -> dict[Any, Any] | None:
    """The metadata that a scope accepts; nested values are left out."""
    if not isinstance(metadata, Mapping):
        return None
    return {name: value for name, value in metadata.items() if isinstance(value, str | bool | int | float)}
