"""Sessions for OpenTelemetry: they tie the traces of one conversation, ticket or import together.

`propagate_sessions` sets the session once, `SessionSpanProcessor` writes it on every span, and `SessionExporter` adds
spans up to traces and sessions, with tokens and cost, while it forwards them to any OTLP backend.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from otel_sessions.counting.cache_use import CacheUse
    from otel_sessions.counting.calls import Skipped
    from otel_sessions.counting.model_call import ModelCall
    from otel_sessions.counting.prices.chain import default_pricer
    from otel_sessions.counting.prices.custom import PriceFile
    from otel_sessions.counting.prices.genai import GenAIPrices
    from otel_sessions.counting.prices.pricer import Cost, Pricer
    from otel_sessions.counting.session import LaneRollup, ModelRollup, SessionRollup
    from otel_sessions.counting.time_spent import TimeSpent
    from otel_sessions.counting.tokens import Usage
    from otel_sessions.counting.totals import Totals
    from otel_sessions.counting.trace import TraceGroup, TraceRollup
    from otel_sessions.drops import SessionValueError, dropped_values
    from otel_sessions.exporter import SessionExporter
    from otel_sessions.log_exporter import SessionLogExporter
    from otel_sessions.logs import SessionLogFilter, SessionLogRecordProcessor
    from otel_sessions.processor import SessionSpanProcessor
    from otel_sessions.propagation import (
        bind_session,
        current_session,
        no_session,
        propagate_sessions,
        update_session,
    )
    from otel_sessions.rollups import RollupLimits
    from otel_sessions.rules import Limits, MetadataValue
    from otel_sessions.sampler import SessionRatioSampler
    from otel_sessions.scores import score_session
    from otel_sessions.session import AttributeValue, Session
    from otel_sessions.session_scope import SessionScope
    from otel_sessions.span_copies import Redact
    from otel_sessions.zero_code import default_exporter

__all__ = [
    "AttributeValue",
    "CacheUse",
    "Cost",
    "GenAIPrices",
    "LaneRollup",
    "Limits",
    "MetadataValue",
    "ModelCall",
    "ModelRollup",
    "PriceFile",
    "Pricer",
    "Redact",
    "RollupLimits",
    "Session",
    "SessionExporter",
    "SessionLogExporter",
    "SessionLogFilter",
    "SessionLogRecordProcessor",
    "SessionRatioSampler",
    "SessionRollup",
    "SessionScope",
    "SessionSpanProcessor",
    "SessionValueError",
    "Skipped",
    "TimeSpent",
    "Totals",
    "TraceGroup",
    "TraceRollup",
    "Usage",
    "bind_session",
    "current_session",
    "default_exporter",
    "default_pricer",
    "dropped_values",
    "no_session",
    "propagate_sessions",
    "score_session",
    "update_session",
]

_NAMES: Final = {
    "counting.cache_use": ("CacheUse",),
    "counting.calls": ("Skipped",),
    "counting.model_call": ("ModelCall",),
    "counting.prices.chain": ("default_pricer",),
    "counting.prices.custom": ("PriceFile",),
    "counting.prices.genai": ("GenAIPrices",),
    "counting.prices.pricer": (
        "Cost",
        "Pricer",
    ),
    "counting.session": (
        "LaneRollup",
        "ModelRollup",
        "SessionRollup",
    ),
    "counting.time_spent": ("TimeSpent",),
    "counting.tokens": ("Usage",),
    "counting.totals": ("Totals",),
    "counting.trace": (
        "TraceGroup",
        "TraceRollup",
    ),
    "drops": (
        "SessionValueError",
        "dropped_values",
    ),
    "exporter": ("SessionExporter",),
    "log_exporter": ("SessionLogExporter",),
    "logs": (
        "SessionLogFilter",
        "SessionLogRecordProcessor",
    ),
    "processor": ("SessionSpanProcessor",),
    "propagation": (
        "bind_session",
        "current_session",
        "no_session",
        "propagate_sessions",
        "update_session",
    ),
    "rollups": ("RollupLimits",),
    "rules": (
        "Limits",
        "MetadataValue",
    ),
    "sampler": ("SessionRatioSampler",),
    "scores": ("score_session",),
    "session": (
        "AttributeValue",
        "Session",
    ),
    "session_scope": ("SessionScope",),
    "span_copies": ("Redact",),
    "zero_code": ("default_exporter",),
}
"""The names of each module. A name is imported when it is first used: all modules together take a fifth of a second, and a command
needs few of them."""

_MODULES: Final = {name: module for module, names in _NAMES.items() for name in names}


def __getattr__(name: str) -> Any:
    """The public name, imported from its module."""
    module = _MODULES.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{module}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """The public names, and what every module has."""
    return sorted({*globals(), *__all__})
