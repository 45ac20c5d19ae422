"""`nearest_above`: for many spans of a trace, the nearest span above each that is wanted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from otel_sessions.counting.facts import SpanFacts
from otel_sessions.dialects.kinds import TOOL


def nearest_above(
    span_ids: Iterable[int], spans: Mapping[int, SpanFacts], wanted: Callable[[SpanFacts], bool]
) -> dict[int, int]:
    """For each span the nearest one above it in the same unit for which `wanted` is true; linear in the number of spans."""
    nearest: dict[int, int | None] = {}
    for span_id in span_ids:
        path: list[int] = []
        found: int | None = None
        current = spans[span_id]
        while current.kind != TOOL and current.parent_id is not None:
            if current.span_id in nearest:
                found = nearest[current.span_id]
                break
            path.append(current.span_id)
            parent = spans.get(current.parent_id)
            if parent is None:
                break
            if wanted(parent):
                found = parent.span_id
                break
            current = parent
        nearest.update(dict.fromkeys(path, found))
    return {span_id: found for span_id in span_ids if (found := nearest.get(span_id)) is not None}
