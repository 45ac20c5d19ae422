"""The event `gen_ai.evaluation.result` of OpenTelemetry's conventions for generative AI, by the names of its attributes.

https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-events/
"""

from __future__ import annotations

from typing import Final

EVENT_NAME: Final = "gen_ai.evaluation.result"
EVENT_NAME_ATTRIBUTE: Final = "event.name"
"""Where the name of an event stands in records of SDKs that cannot set the field."""

SCORE_NAME: Final = "gen_ai.evaluation.name"
SCORE_VALUE: Final = "gen_ai.evaluation.score.value"
SCORE_LABEL: Final = "gen_ai.evaluation.score.label"
SCORE_COMMENT: Final = "gen_ai.evaluation.explanation"
