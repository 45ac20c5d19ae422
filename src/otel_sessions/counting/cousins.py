"""`match_cousins`: finds model calls that two instrumentations reported side by side, neither inside the other.

For example, LangChain's tracer and that of a provider report one call as siblings or cousins. If both wrote the same id,
the calls are the same. Without a common id they are taken for the same only if everything fits: different
instrumentation scopes, the same input and output tokens, one within the time of the other, models that could be the
same, and no ids that differ.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Collection, Iterator
from typing import Final

from otel_sessions.counting.facts import Call, SpanFacts

TOLERANCE_NS: Final = 50_000_000
"""How far the inner call may begin before or end after the outer one: two tracers do not read the clock at once."""

_LOOK_AHEAD: Final = 64
"""Open outer calls examined for one inner call, so that the time stays linear with thousands of parallel calls."""

_DATE: Final = re.compile(r"[-@]?(\d{8}|\d{4}-\d{2}-\d{2}|\d{4})$")


def match_cousins(spans: Collection[SpanFacts], *, fuzzy: bool = True) -> Iterator[tuple[int, int]]:
    """Pairs (dropped span, kept span) among counted model calls; every span is dropped at most once."""
    remaining = spans
    for field in ("response_id", "call_id"):
        ids = [id_ for span in remaining if (id_ := getattr(span.call, field)) is not None]
        if len(set(ids)) == len(ids):
            continue
        first: dict[str, SpanFacts] = {}
        kept: list[SpanFacts] = []
        for span in sorted(remaining, key=_order):
            id_ = getattr(span.call, field)
            if id_ is None or first.setdefault(id_, span) is span:
                kept.append(span)
            else:
                yield span.span_id, first[id_].span_id
        remaining = kept
    if fuzzy and len({span.scope for span in remaining}) > 1:
        yield from _fuzzy(sorted(remaining, key=_order))


def _order(span: SpanFacts) -> tuple[bool, int, int, int]:
    """A call that reports usage before one that does not, then the shorter one; the order of arrival has no influence."""
    call = span.call
    return not (call is not None and call.says_something), span.end - span.start, span.start, span.span_id


def _fuzzy(spans: list[SpanFacts]) -> Iterator[tuple[int, int]]:
    alike: dict[tuple[object, ...], list[SpanFacts]] = {}
    for span in spans:
        assert span.call is not None
        usage = span.call.usage
        tokens = (usage.input_tokens, usage.output_tokens) if usage is not None else (None, None)
        alike.setdefault((*tokens, span.kind, span.failed), []).append(span)
    for group in alike.values():
        if len(group) > 1 and len({span.scope for span in group}) > 1:
            yield from _pairs(group)


def _pairs(group: list[SpanFacts]) -> Iterator[tuple[int, int]]:
    """Pairs (outer, inner), each call in one pair at most, those with the least difference in length first."""
    by_start = sorted(group, key=lambda span: (span.start, span.span_id))
    candidates: list[tuple[int, int, int, SpanFacts, SpanFacts]] = []
    open_: deque[SpanFacts] = deque(maxlen=_LOOK_AHEAD)
    later = 0
    for inner in by_start:
        while later < len(by_start) and by_start[later].start <= inner.start + TOLERANCE_NS:
            open_.append(by_start[later])
            later += 1
        while open_ and open_[0].end + TOLERANCE_NS < inner.start:
            open_.popleft()
        for outer in open_:
            if _encloses(outer, inner) and _could_be_same(outer, inner):
                slack = (outer.end - outer.start) - (inner.end - inner.start)
                candidates.append((slack, inner.start, inner.span_id, outer, inner))
    candidates.sort(key=lambda found: (*found[:3], found[3].span_id))
    used: set[int] = set()
    for _, _, _, outer, inner in candidates:
        if outer.span_id not in used and inner.span_id not in used:
            used.update((outer.span_id, inner.span_id))
            yield outer.span_id, inner.span_id


def _encloses(outer: SpanFacts, inner: SpanFacts) -> bool:
    length, other = outer.end - outer.start, inner.end - inner.start
    longer = length > other or (length == other and outer.span_id < inner.span_id)
    return longer and outer.start - TOLERANCE_NS <= inner.start and inner.end <= outer.end + TOLERANCE_NS


def _could_be_same(one: SpanFacts, other: SpanFacts) -> bool:
    if one.scope == other.scope or (one.values and other.values and one.values != other.values):
        return False
    a, b = one.call, other.call
    assert a is not None
    assert b is not None
    if (a.response_id and b.response_id) or (a.call_id and b.call_id):  # equal ids were matched before
        return False
    return bool(_models(a) & _models(b)) or not _models(a) or not _models(b)


def _models(call: Call) -> set[str]:
    return {_base_name(model) for model in (call.model, call.request_model) if model is not None}


def _base_name(model: str) -> str:
    """The name of a model without the prefix of its provider and without its date."""
    return _DATE.sub("", model.rpartition("/")[2].lower())
