"""`match_helpers`: finds spans that are called model calls but only prepare one, such as a method that builds the request.

Such a span has no usage and nothing that only a request has, and the request itself is a longer sibling that begins when
it ends.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterator

from otel_sessions.counting.cousins import TOLERANCE_NS, model_bases
from otel_sessions.counting.facts import SpanFacts


def match_helpers(spans: Collection[SpanFacts]) -> Iterator[tuple[int, int]]:
    """Pairs (helper, request) among the spans of model calls; they have one parent and one instrumentation scope."""
    helpers = [span for span in spans if not _is_request(span)]
    if not helpers:
        return
    requests: dict[tuple[int | None, str], list[SpanFacts]] = {}
    for span in sorted(spans, key=lambda span: (span.start, span.span_id)):
        if _is_request(span):
            requests.setdefault((span.parent_id, span.scope), []).append(span)
    for helper in helpers:
        siblings = requests.get((helper.parent_id, helper.scope), [])
        place = bisect_left(siblings, helper.end, key=lambda span: span.start)
        if place < len(siblings) and _prepares(helper, siblings[place]):
            yield helper.span_id, siblings[place].span_id


def _prepares(helper: SpanFacts, request: SpanFacts) -> bool:
    is_next = request.start <= helper.end + TOLERANCE_NS and helper.end - helper.start < request.end - request.start
    names, others = model_bases(helper), model_bases(request)
    return is_next and (not names or not others or bool(names & others))


def _is_request(span: SpanFacts) -> bool:
    call = span.call
    return span.failed or (call is not None and (call.says_something or call.is_request))
