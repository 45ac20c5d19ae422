"""`distinct_spans`: the spans of a trace, each once, whatever was delivered how often."""

from __future__ import annotations

from collections.abc import Iterable

from otel_sessions.counting.facts import SpanFacts
from otel_sessions.dialects.kinds import PENDING


def distinct_spans(spans: Iterable[SpanFacts]) -> dict[int, SpanFacts]:
    """The spans by id in a fixed order; a span that was delivered twice once, a placeholder for one never."""
    by_id: dict[int, SpanFacts] = {}
    doubtful = False
    for span in spans:
        if span.kind == PENDING:
            continue
        known = by_id.get(span.span_id)
        by_id[span.span_id] = span if known is None else more_complete(known, span)
    for span in by_id.values():
        parent = by_id.get(span.parent_id)  # type: ignore[arg-type]
        if parent is not None and parent.start >= span.start:
            doubtful = True
            break
    ordered = {span_id: by_id[span_id] for span_id in sorted(by_id)}
    return _without_cycles(ordered) if doubtful else ordered


def more_complete(one: SpanFacts, other: SpanFacts) -> SpanFacts:
    """Of two deliveries of one span the later state; which arrived first does not matter.

    Of equal ones the one without words, so that words which were removed do not come back when a span is sent again.
    """
    if one == other and not one.labels.metadata:  # among metadata, 1 equals True
        return one
    return max(
        one, other, key=lambda span: (span.kind != PENDING, span.end, -span.start, span.said is None, repr(span))
    )


def _without_cycles(spans: dict[int, SpanFacts]) -> dict[int, SpanFacts]:
    """The spans, with the parent taken from one span of every cycle: its earliest, which is then a root.

    Cycles only come of forged or corrupt ids, and need a parent that does not start before its child.
    """
    settled: set[int] = set()
    for span_id in spans:
        path: dict[int, None] = {}
        current: int | None = span_id
        while current is not None and current in spans and current not in settled:
            if current in path:
                ids = list(path)
                cycle = ids[ids.index(current) :]
                root = min(cycle, key=lambda id_: (spans[id_].start, id_))
                spans[root] = spans[root]._replace(parent_id=None)
                break
            path[current] = None
            current = spans[current].parent_id
        settled.update(path)
    return spans
