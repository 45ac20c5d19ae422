"""`score_session`: a number or a label on a session, trace or span, as the event `gen_ai.evaluation.result`.

OpenTelemetry's log API has no public module yet; this file and `logs.py` are the only ones that import `_logs`.
"""

from __future__ import annotations

import math
import time
from typing import Any, Final

from opentelemetry._logs import LogRecord, get_logger_provider
from opentelemetry.context import Context, get_current
from opentelemetry.sdk.trace import SpanLimits
from opentelemetry.trace import NonRecordingSpan, SpanContext, get_current_span, set_span_in_context

from otel_sessions import rules
from otel_sessions.attributes import ID_KEY, USER_ID, attribute_of
from otel_sessions.dialects.evaluation import EVENT_NAME, SCORE_COMMENT, SCORE_LABEL, SCORE_NAME, SCORE_VALUE
from otel_sessions.drops import SessionValueError, drop, drops
from otel_sessions.resolve import Resolver
from otel_sessions.value_limits import fitting

_resolver: Final = Resolver()


def score_session(
    name: str,
    value: float | None = None,
    *,
    label: str | None = None,
    session_id: object = None,
    key: str = ID_KEY,
    span_context: SpanContext | None = None,
    comment: str | None = None,
    strict: bool | None = None,
) -> bool:
    """Score the current session, or the one named, and return True if the score was emitted.

    The score is the event `gen_ai.evaluation.result` of OpenTelemetry's conventions for generative AI: a log event if a
    `LoggerProvider` is set, else an event on the current recording span; without either it is dropped and counted.
    https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-events/

    Args:
        name: the property that is scored, such as `helpful`; up to 200 characters.
        value: a finite number (a bool counts as 1 or 0); a value or a label is needed.
        label: the score in words, such as `pass`; up to 200 characters.
        session_id: the value of the session key; by default the current session is scored.
        key: the session key that `session_id` is a value of.
        span_context: the span or trace that is scored; by default the current span.
        comment: an explanation of any length.
        strict: raise instead of dropping; by default the environment variable `OTEL_SESSIONS_STRICT` decides.

    Raises:
        SessionValueError: in strict mode, for a refused value or a score without a destination.

    Example:
        >>> from opentelemetry.sdk.trace import TracerProvider
        >>> from otel_sessions import propagate_sessions, score_session
        >>> tracer = TracerProvider().get_tracer("app")
        >>> with propagate_sessions("ticket-2611"), tracer.start_as_current_span("judge") as span:
        ...     score_session("helpful", 0.9)
        True
        >>> span.events[0].name
        'gen_ai.evaluation.result'
    """
    try:
        attributes = _attributes(name, value, label, comment)
        attributes.update(_session_attributes(key, session_id))
        limit = SpanLimits().max_attribute_length
        if limit is not None:
            attributes = dict(fitting(attributes, limit))
        _emit(attributes, span_context)
    except SessionValueError as error:
        drop(error, strict=strict)
        return False
    except Exception as error:
        drops.count("score", "raised", f"emitting a score raised {type(error).__name__}")
        return False
    return True


def _attributes(name: object, value: object, label: object, comment: object) -> dict[str, Any]:
    attributes: dict[str, Any] = {SCORE_NAME: rules.score_name(name)}
    if value is None and label is None:
        raise SessionValueError("score", "empty", "score: neither a value nor a label is given; pass one of them")
    if value is not None:
        attributes[SCORE_VALUE] = _number(value)
    if label is not None:
        attributes[SCORE_LABEL] = rules.text(label, field="score_label")
    if comment is not None:
        if not isinstance(comment, str):
            raise rules.wrong_type("score_comment", comment, "a str")
        attributes[SCORE_COMMENT] = comment.encode("utf-8", "replace").decode()
    return attributes


def _number(value: object) -> float:
    try:
        number = float(value) if isinstance(value, int | float) else math.nan
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise SessionValueError(
            "score",
            "value",
            f"score: the value of type {type(value).__name__} is not a finite number that a double holds",
        )
    return number


def _session_attributes(key: str, session_id: object) -> dict[str, str]:
    if session_id is None:
        session = _resolver.session(None)
        attributes = {attribute_of(name): value for name, value in session.values().items()}
        if session.user_id is not None:
            attributes[USER_ID] = session.user_id
        return attributes
    if key == ID_KEY:
        return {attribute_of(key): rules.session_id(session_id)}
    return {attribute_of(rules.key(key)): rules.keyed_value(session_id)}


def _emit(attributes: dict[str, Any], span_context: SpanContext | None) -> None:
    context: Context = get_current()
    if span_context is not None:
        context = set_span_in_context(NonRecordingSpan(span_context), context)
    provider = get_logger_provider()
    # Until the app sets a provider, the API returns placeholders of its own.
    if not type(provider).__module__.startswith("opentelemetry._logs"):
        record = LogRecord(timestamp=time.time_ns(), context=context, event_name=EVENT_NAME, attributes=attributes)
        provider.get_logger("otel_sessions").emit(record)
        return
    span = get_current_span()
    if span.is_recording() and span_context in (None, span.get_span_context()):
        span.add_event(EVENT_NAME, attributes)
        return
    raise SessionValueError(
        "score", "no_destination", "score: no LoggerProvider is set and no span to score is open; set up one of them"
    )
