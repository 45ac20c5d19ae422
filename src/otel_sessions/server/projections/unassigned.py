"""Spans without a session, as trace groups of no session key: key empty, value the service.

They are rows of `session_traces` like all others, so a commit, a late span, a deletion, retention and a rebuild keep them in
step. Nothing that is asked about sessions reads the empty key.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from otel_sessions.counting.distinct_spans import distinct_spans
from otel_sessions.counting.facts import SpanFacts
from otel_sessions.counting.membership import Pair, sessions_of
from otel_sessions.counting.trace import TraceGroup

NO_KEY: Final = ""
"""Stands for the session key of spans that have none."""

MOST_SCOPES: Final = 20
"""Instrumentation scopes that are kept of a service in one trace, the first in alphabetical order."""

LONGEST_NAME: Final = 200
"""Characters that are kept of the name of a service or a scope."""


def unassigned_pairs(spans: Mapping[int, SpanFacts], members: Mapping[int, tuple[Pair, ...]]) -> set[Pair]:
    """The pairs that the groups of a trace's spans without a session are for."""
    return {(NO_KEY, _service(span)) for span_id, span in spans.items() if not span.event and not members[span_id]}


def unassigned_groups(trace_id: int, spans: Iterable[SpanFacts]) -> list[TraceGroup]:
    """The spans of a trace that are in no session, as one group for each service.

    Its tags are the names of the instrumentation scopes.
    """
    found = distinct_spans(spans)
    if not found:
        return []
    members = sessions_of(found)
    by_service: dict[str, list[SpanFacts]] = {}
    for span_id, span in found.items():
        if not span.event and not members[span_id]:
            by_service.setdefault(_service(span), []).append(span)
    return [_group(trace_id, service, some) for service, some in by_service.items()]


def _service(span: SpanFacts) -> str:
    return (span.labels.service or "")[:LONGEST_NAME]


def _group(trace_id: int, service: str, spans: list[SpanFacts]) -> TraceGroup:
    scopes = sorted({span.scope[:LONGEST_NAME] for span in spans if span.scope})
    nothing: frozenset[str] = frozenset()
    return TraceGroup(
        key=NO_KEY,
        value=service,
        trace_id=trace_id,
        start=min(span.start for span in spans),
        end=max(span.end for span in spans),
        span_count=len(spans),
        failed=any(span.failed for span in spans),
        operations=nothing,
        models={},
        services=nothing,
        environments=nothing,
        user_ids=nothing,
        tags=frozenset(scopes[:MOST_SCOPES]),
        name=None,
        metadata={},
        conflict=False,
    )
