"""`record_facts`: from a log record to the facts of what it tells of: a call, a turn, a tool, a session, or an activity."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from otel_sessions.counting.facts import Call, SpanFacts
from otel_sessions.counting.reading import OF_RESOURCE, span_facts
from otel_sessions.dialects import emitters, kinds, values
from otel_sessions.dialects.emitters import Event
from otel_sessions.dialects.events import told_by
from otel_sessions.dialects.read import plan_by

_TIMESTAMP: Final = "event.timestamp"
_DURATION: Final = "duration_ms"
_SUCCESS: Final = "success"
_ERRORS: Final[tuple[str, ...]] = ("error.message", "error.type", "error", "error_type", "exception.type")
_STATUS: Final[tuple[str, ...]] = ("http.response.status_code", "status_code", "error_status_code")
_FIRST_FAILURE: Final = 400
_TELL_OF_FAILURE: Final = frozenset({_SUCCESS, *_ERRORS, *_STATUS})
_MAY_FAIL: Final = frozenset({emitters.CALL, emitters.REQUEST, emitters.TOOL})
_KINDS: Final[Mapping[str, str]] = {
    emitters.CALL: kinds.LLM,
    emitters.FAILED_CALL: kinds.LLM,
    emitters.TOOL: kinds.TOOL,
    emitters.AGENT: kinds.AGENT,
}
_DEEPEST: Final = 64
_LATEST: Final = 2**32 * 10**9 - 1
"""The latest time of a log record, in February 2106: the Collector's table of log records holds no later one."""


def record_facts(
    attributes: Mapping[str, Any],
    *,
    event_name: str,
    body: Any,
    time: int,
    observed: int,
    trace_id: int,
    span_id: int,
    scope: str,
    service: str | None = None,
    environment: str | None = None,
    session_id: str | None = None,
) -> SpanFacts | None:
    """The facts of a log record; `service`, `environment` and `session_id` are those of its resource.

    They end when the record was made, and their id is computed from what the record says, so that a copy has the same. Attributes
    are read by the same names as those of spans. `None` for a record that is of no known emitter and event, or has neither a trace nor a session.
    Ids and times are 0 if the record has none. Never raises for any value of an attribute.
    """
    told = told_by(scope, service, event_name, attributes, body)
    if told is None:
        return None
    at = _time(attributes, time, observed)
    meaning = _meaning(told.event, attributes)
    failed = meaning == emitters.FAILED_CALL or (meaning in _MAY_FAIL and _says_it_failed(attributes))
    if meaning == emitters.REQUEST:
        meaning = emitters.FAILED_CALL if failed else emitters.ACTIVITY
    kind = _KINDS.get(meaning, kinds.OTHER)
    facts = span_facts(
        attributes,
        span_id=_identity(told.name, at, scope, attributes),
        parent_id=span_id or None,
        start=max(at - (values.milliseconds(attributes.get(_DURATION)) or 0), 0),
        end=at,
        failed=failed,
        scope=scope,
        name=told.name,
        service=service,
        environment=environment,
        session_id=session_id,
        plan=plan_by(told.emitter, attributes),
        kind=kind,
    )
    if not (facts.values and (told.is_named or facts.rank < OF_RESOURCE)) and not (told.is_named and trace_id):
        return None
    call = None
    if kind == kinds.LLM:
        if facts.kind in kinds.CALLS:
            call = (facts.call or Call())._replace(is_request=True)
        kind = facts.kind
    return facts._replace(kind=kind, call=call, event=facts.name)


def _time(attributes: Mapping[str, Any], time: int, observed: int) -> int:
    """When the record was made, nanoseconds UTC; some emitters leave that field empty and write an attribute."""
    return min(time or values.moment(attributes.get(_TIMESTAMP)) or observed, _LATEST)


def _meaning(event: Event, attributes: Mapping[str, Any]) -> str:
    if event.only is None:
        return event.meaning
    name, texts = event.only
    value = attributes.get(name)
    return event.meaning if isinstance(value, str) and value in texts else emitters.ACTIVITY


def _says_it_failed(attributes: Mapping[str, Any]) -> bool:
    if _TELL_OF_FAILURE.isdisjoint(attributes):
        return False
    if _SUCCESS in attributes:
        success = values.flag(attributes[_SUCCESS])
        if success is not None:
            return not success
    if any(values.text(attributes.get(name)) for name in _ERRORS):
        return True
    statuses = (values.tokens(attributes.get(name)) for name in _STATUS)
    return any(status is not None and status >= _FIRST_FAILURE for status in statuses)


def _identity(event: str, at: int, scope: str, attributes: Mapping[str, Any]) -> int:
    """64 bits of what a record says, the same for every encoding it comes in and every order of its attributes."""
    told = {name: value for name, value in attributes.items() if value is not None}
    try:
        written = _ENCODER.encode([event, at, scope, told])
    except (TypeError, ValueError, RecursionError):
        written = _ENCODER.encode([event, at, scope, _bounded(told, _DEEPEST)])
    digest = hashlib.blake2b(written.encode(), digest_size=8).digest()
    return int.from_bytes(digest) or 1


def _plain(value: Any) -> Any:
    """What JSON has no form for, in one that it has."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return list(value)
    return {"bytes": value.hex()} if isinstance(value, bytes) else type(value).__name__


_ENCODER: Final = json.JSONEncoder(sort_keys=True, default=_plain)


def _bounded(value: Any, levels: int) -> Any:
    """A value that JSON can express, whatever is in it; only its upper levels count."""
    if levels == 0:
        return None
    if isinstance(value, Mapping):
        members = {name: member for name, member in value.items() if isinstance(name, str)}
        return {name: _bounded(members[name], levels - 1) for name in sorted(members)}
    if isinstance(value, str | bool | float) or value is None:
        return value
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return [_bounded(member, levels - 1) for member in value]
    return hex(value) if isinstance(value, int) else _plain(value)
