"""What would give the records of a service a session, by the names of the instrumentation scopes that made them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

_PYTHON: Final = "add SessionSpanProcessor() to the TracerProvider and enter `with propagate_sessions(id):` around a conversation or job"
_OTHERS: Final = "set the attribute `session.id` in the app, or send it as baggage with a baggage span processor"

HINTS: Final = (
    ("com.anthropic.claude_code", "unset OTEL_METRICS_INCLUDE_SESSION_ID=false, so that Claude Code sends session.id"),
    ("openinference.", f"enter OpenInference's `with using_session(id):`, or {_PYTHON}"),
    ("opentelemetry.instrumentation.", _PYTHON),
    ("langfuse", "enter Langfuse's `with propagate_attributes(session_id=id):` in the app"),
    ("ai", "pass `experimental_telemetry: {isEnabled: true, metadata: {sessionId: id}}` to the call of the AI SDK"),
    ("@opentelemetry/", _OTHERS),
    ("io.opentelemetry.", _OTHERS),
    ("go.opentelemetry.io/", _OTHERS),
)
"""The beginnings of names of scopes, the first that fits counts; a name without a dot or slash at its end is whole."""

ANY_SPAN: Final = f"set the attribute `session.id` on a span of each trace; in Python {_PYTHON}"
ANY_LOG: Final = (
    "set the attribute `session.id` on the log records, or send them inside a span of a session; in Python add "
    "SessionLogRecordProcessor() to the LoggerProvider and enter `with propagate_sessions(id):`"
)


def hint(scopes: Iterable[str], *, has_spans: bool) -> str:
    """What to do for the records of these scopes."""
    names = list(scopes)
    for beginning, text in HINTS:
        if any(_fits(name, beginning) for name in names):
            return text
    return ANY_SPAN if has_spans else ANY_LOG


def _fits(name: str, beginning: str) -> bool:
    return (
        name.startswith(beginning) if beginning[-1] in "./" else name == beginning or name.startswith(beginning + ".")
    )
