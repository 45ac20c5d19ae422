"""The signals of OTLP, and the HTTP paths that they are sent to."""

from __future__ import annotations

from typing import Final

TRACES: Final = "traces"
LOGS: Final = "logs"
METRICS: Final = "metrics"
"""Taken and not kept."""

SIGNALS: Final = (TRACES, LOGS)
"""The signals that are stored."""

OTLP_PATHS: Final = {signal: f"/v1/{signal}" for signal in (*SIGNALS, METRICS)}
"""By signal, the path that OTLP over HTTP has for it."""
