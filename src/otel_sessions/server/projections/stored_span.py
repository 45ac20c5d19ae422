"""`read_span`: the facts of a span from its row in `otel_traces`, the same as when it was received."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from otel_sessions.counting.facts import SpanFacts
from otel_sessions.counting.reading import span_facts
from otel_sessions.server.clickhouse.span_rows import Row
from otel_sessions.server.otlp.values import attributes_from_text, from_text

_FAILED: Final = frozenset({"Error", "STATUS_CODE_ERROR"})
"""The second is what Collectors wrote before 2024."""

_SERVICE: Final = "service.name"
_ENVIRONMENT: Final = "deployment.environment.name"
_OLDER_ENVIRONMENT: Final = "deployment.environment"
_EMPTY: Final = "n"
_SPAN_ID_DIGITS: Final = 16


def read_span(row: Row) -> SpanFacts:
    """The facts of a span; of a row that a Collector wrote, where all attributes are strings, as far as they tell."""
    start, end = _times(row)
    parent = row["ParentSpanId"]
    resource, types = row["ResourceAttributes"], row["ResourceAttributeTypes"]
    environment = _ENVIRONMENT if _is_there(_ENVIRONMENT, resource, types) else _OLDER_ENVIRONMENT
    values = attributes_from_text(row["SpanAttributes"].items(), row["SpanAttributeTypes"])
    return span_facts(
        {name: value for name, value in values.items() if value is not None},
        span_id=int(row["SpanId"], 16),
        # A parent whose id is none cannot be found.
        parent_id=(int(parent, 16) or None) if len(parent) == _SPAN_ID_DIGITS else None,
        start=start,
        end=end,
        failed=row["StatusCode"] in _FAILED,
        scope=row["ScopeName"],
        name=row["SpanName"],
        service=_string(_SERVICE, resource, types),
        environment=_string(environment, resource, types),
    )


def _times(row: Row) -> tuple[int, int]:
    """Start and end; from the Collector's columns only where ours are empty, since those cannot hold all times."""
    sent_start, sent_end = row["StartTimeUnixNano"], row["EndTimeUnixNano"]
    start = sent_start or sent_end
    if not start:
        return row["Timestamp"], row["Timestamp"] + row["Duration"]
    return start, max(start, sent_end)


def _is_there(name: str, texts: Mapping[str, str], types: Mapping[str, str]) -> bool:
    return name in texts and types.get(name) != _EMPTY


def _string(name: str, texts: Mapping[str, str], types: Mapping[str, str]) -> str | None:
    if not _is_there(name, texts, types):
        return None
    value = from_text(texts[name], types.get(name, ""))
    return value if isinstance(value, str) else None
