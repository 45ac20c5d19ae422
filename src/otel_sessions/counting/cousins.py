"""`match_cousins`: finds model calls that several instrumentations reported side by side, none inside another.

For example, LangChain's tracer and those of two providers' clients report one call as siblings or cousins. Two spans are
the same call if they have a common id and nothing contradicts: their tokens agree or one reports none, their times overlap
or touch, and no other id differs; two instrumentations may disagree about the output of a stream. An id alone proves nothing, since ids repeat: some servers draw them from a thousand
numbers, some clients give one id to a whole conversation. Without a common id everything has to fit: different
instrumentation scopes, the same tokens, one within the time of the other, models that could be the same, no ids that
differ; a span without tokens has to name the same model, unless both failed.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Final

from otel_sessions.counting.facts import Call, SpanFacts
from otel_sessions.counting.membership import Members
from otel_sessions.counting.model_names import base_name
from otel_sessions.counting.tokens import same_tokens

TOLERANCE_NS: Final = 50_000_000
"""How far the inner call may begin before or end after the outer one: two tracers do not read the clock at once."""

RETRIEVED_NS: Final = 1_000_000_000
"""How long after a response it may be read again under a short id. A long id is drawn at random, so it never repeats."""

_LONG_ID: Final = 20
_LOOK_AHEAD: Final = 64
"""Open calls examined for one call, so that the time stays linear with thousands of parallel calls."""

_NO_ID: Final = re.compile(r"none|null|nil|nan|undefined|unknown|n/a|-|\d{1,12}|chatcmpl-\d{1,3}", re.IGNORECASE)
"""What is written for want of an id, numbers of a session, and Ollama's ids, which are drawn from a thousand."""

_IDS: Final = ("response_id", "call_id")
_Pair = tuple[SpanFacts, SpanFacts]


def match_cousins(spans: Collection[SpanFacts], members: Members, *, fuzzy: bool = True) -> Iterator[tuple[int, int]]:
    """Pairs (dropped span, kept span) among counted model calls; every span is dropped at most once.

    A span that is kept may be dropped by a later pair.
    """
    if len(spans) < 2:
        return
    remaining = {span.span_id: span for span in spans}
    for field in _IDS:
        ids = [id_ for span in remaining.values() if (id_ := getattr(span.call, field)) is not None]
        if len(set(ids)) == len(ids):  # nearly always
            continue
        by_id: dict[str, list[SpanFacts]] = {}
        for span in remaining.values():
            id_ = known_id(span, field)
            if id_ is not None:
                by_id.setdefault(id_, []).append(span)
        for id_, group in by_id.items():
            if len(group) > 1:
                yield from _drop(remaining, _matched_by_id(group, field, id_))
    if fuzzy and len({span.scope for span in remaining.values()}) > 1:
        yield from _drop(remaining, _matched_by_looks(list(remaining.values()), members))


def _drop(remaining: dict[int, SpanFacts], copies: Iterable[list[SpanFacts]]) -> Iterator[tuple[int, int]]:
    for spans in copies:
        kept = min(spans, key=_order)
        for span in spans:
            if span is not kept:
                del remaining[span.span_id]
                yield span.span_id, kept.span_id


def _order(span: SpanFacts) -> tuple[bool, int, int, int]:
    """A call that reports usage before one that does not, then the shorter one; the order of arrival has no influence."""
    return not _tells(span), span.end - span.start, span.start, -span.span_id


def _tells(span: SpanFacts) -> bool:
    return span.call is not None and span.call.says_something


def known_id(span: SpanFacts, field: str) -> str | None:
    """The response id or call id of a call; `None` if it has none, or a text that stands for none."""
    id_: str | None = getattr(span.call, field)
    return None if id_ is None or _NO_ID.fullmatch(id_.strip()) or not id_.strip() else id_


def _matched_by_id(group: list[SpanFacts], field: str, id_: str) -> list[list[SpanFacts]]:
    others = [name for name in _IDS if name != field]
    window = TOLERANCE_NS
    if field == "response_id":
        window = RETRIEVED_NS if len(id_) < _LONG_ID else 1 << 80

    def same(one: SpanFacts, other: SpanFacts) -> bool:
        if any(_differ(one, other, name) for name in others):
            return False
        if not _same_usage(one, other):
            # Instrumentations may count the output of one stream differently.
            return one.scope != other.scope and _is_within(one, other) and _same_input(one, other)
        return _touch(one, other) or (_tells(one) and _tells(other))

    return _clusters(_candidates(group, window, same), same)


def _matched_by_looks(spans: list[SpanFacts], members: Members) -> list[list[SpanFacts]]:
    def same(one: SpanFacts, other: SpanFacts) -> bool:
        return _could_be_same(one, other) and not members.part(one.span_id, other.span_id)

    def look_the_same(one: SpanFacts, other: SpanFacts) -> bool:
        return _is_within(one, other) and same(one, other)

    def look_the_same_in_part(one: SpanFacts, other: SpanFacts) -> bool:
        return not (_tells(one) and _tells(other)) and look_the_same(one, other)

    telling: dict[tuple[object, ...], list[SpanFacts]] = {}
    by_kind: dict[tuple[object, ...], list[SpanFacts]] = {}
    for span in spans:
        by_kind.setdefault((span.kind, span.failed), []).append(span)
        if span.call is not None and span.call.usage is not None and span.call.says_something:
            telling.setdefault((span.kind, span.failed, span.call.usage.input_tokens), []).append(span)
    found: list[_Pair] = []
    for group in telling.values():
        found += _candidates(group, TOLERANCE_NS, look_the_same)
    for group in by_kind.values():
        if any(not _tells(span) for span in group):
            found += _candidates(group, TOLERANCE_NS, look_the_same_in_part)
    return _clusters(found, same)


def _candidates(group: list[SpanFacts], window: int, same: Callable[[SpanFacts, SpanFacts], bool]) -> Iterator[_Pair]:
    """Pairs for which `same` is true, among spans with at most `window` between the end of one and the start of the other."""
    if len(group) < 2:
        return
    open_: deque[SpanFacts] = deque(maxlen=_LOOK_AHEAD)
    for span in sorted(group, key=lambda span: (span.start, span.span_id)):
        while open_ and open_[0].end + window < span.start:
            open_.popleft()
        for earlier in open_:
            if same(earlier, span):
                yield earlier, span
        open_.append(span)


def _clusters(pairs: Iterable[_Pair], same: Callable[[SpanFacts, SpanFacts], bool]) -> list[list[SpanFacts]]:
    """The spans of one call each: pairs are joined, the closest in length first, while any two of a cluster are the same."""
    clusters: dict[int, list[SpanFacts]] = {}
    for one, other in sorted(pairs, key=_difference):
        ones, others = clusters.get(one.span_id, [one]), clusters.get(other.span_id, [other])
        if ones is not others and all(same(a, b) for a in ones for b in others):
            joined = [*ones, *others]
            clusters.update((span.span_id, joined) for span in joined)
    return list({id(cluster): cluster for cluster in clusters.values()}.values())


def _difference(pair: _Pair) -> tuple[int, int, int, int]:
    one, other = pair
    return abs((one.end - one.start) - (other.end - other.start)), other.start, one.span_id, other.span_id


def _touch(one: SpanFacts, other: SpanFacts) -> bool:
    return one.start <= other.end + TOLERANCE_NS and other.start <= one.end + TOLERANCE_NS


def _is_within(one: SpanFacts, other: SpanFacts) -> bool:
    """Return True if the shorter span lies within the time of the longer one."""
    outer, inner = (one, other) if one.end - one.start >= other.end - other.start else (other, one)
    return outer.start - TOLERANCE_NS <= inner.start and inner.end <= outer.end + TOLERANCE_NS


def _could_be_same(one: SpanFacts, other: SpanFacts) -> bool:
    if one.scope == other.scope:
        return False
    # Equal ids were matched before.
    if any(known_id(one, name) and known_id(other, name) for name in _IDS) or not _same_usage(one, other):
        return False
    ones, others = model_bases(one), model_bases(other)
    if ones & others:
        return True
    return (one.failed or (_tells(one) and _tells(other))) and (not ones or not others)


def _differ(one: SpanFacts, other: SpanFacts, field: str) -> bool:
    a, b = known_id(one, field), known_id(other, field)
    return a is not None and b is not None and a != b


def _same_usage(one: SpanFacts, other: SpanFacts) -> bool:
    a, b = _call(one).usage, _call(other).usage
    return not _tells(one) or not _tells(other) or a is None or b is None or same_tokens(a, b)


def _same_input(one: SpanFacts, other: SpanFacts) -> bool:
    a, b = _call(one).usage, _call(other).usage
    return a is not None and b is not None and a.input_tokens == b.input_tokens


def _call(span: SpanFacts) -> Call:
    assert span.call is not None
    return span.call


def model_bases(span: SpanFacts) -> set[str]:
    """The models that a call names, without provider and date."""
    call = _call(span)
    return {base_name(model) for model in (call.model, call.request_model) if model is not None}
