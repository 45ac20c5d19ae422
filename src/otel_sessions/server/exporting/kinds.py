"""How a line of `jsonl` says what it is, and what sessions were given, in OTLP."""

from __future__ import annotations

from typing import Final

KIND: Final = "Record"
"""The first member of a line."""

SPAN_LINE: Final = "span"
LOG_LINE: Final = "log"

SCORE_LINE: Final = "score"
ANNOTATION_LINE: Final = "annotation"
NAME_LINE: Final = "name"

SCOPE: Final = "otel_sessions.given"
"""The scope of the log records that stand for what sessions were given."""

EVENTS: Final = {line: f"otel_sessions.{line}" for line in (SCORE_LINE, ANNOTATION_LINE, NAME_LINE)}
"""The event name of each."""
