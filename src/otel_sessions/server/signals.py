"""The kinds of OTLP data that are stored, by the names that OTLP's paths have for them."""

from __future__ import annotations

from typing import Final

TRACES: Final = "traces"
LOGS: Final = "logs"
SIGNALS: Final = (TRACES, LOGS)
