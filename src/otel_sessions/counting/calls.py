"""`count_calls`: chooses the reported usages of a trace that are counted, so that every model call counts once.

Deepest usage wins: a span that repeats or sums up what spans below it report is covered by them. A tool call starts a
new unit, since a model that is called inside a tool is not part of the call around it. A model call is covered only by a
model call, never by another span below it. Calls that several instrumentations reported side by side are matched by
`cousins`. A span that is called a model call, but has nothing that only a request has, only prepares the request beside it.
Nothing is ever added to a counted usage; a parent's surplus over its children (the residual) is only shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from otel_sessions.counting.ancestors import nearest_above
from otel_sessions.counting.cousins import match_cousins
from otel_sessions.counting.facts import Call, SpanFacts
from otel_sessions.counting.helpers import match_helpers
from otel_sessions.counting.membership import Members, members_of
from otel_sessions.counting.neighbours import name_models
from otel_sessions.counting.tokens import Usage, completed, same_tokens
from otel_sessions.dialects.kinds import CALLS, TOOL

COVERED: Final = "covered_by_children"
REPEATED: Final = "part_of_call"
DUPLICATE: Final = "duplicate"
CACHE_HIT: Final = "cache_hit"


class Skipped(NamedTuple):
    """A span that reports usage, or is a model call, and is not counted.

    Attributes:
        reason: `covered_by_children`: spans below it report the same usage; `part_of_call`: it is a part of another
            call and reports nothing itself; `duplicate`: another instrumentation reports the same call; `cache_hit`: no
            model was called.
        by: the id of the span that is counted instead; `None` if there is not exactly one.
        residual: its input and output tokens minus those counted below it; negative if more is counted than it reports,
            `None` if it reports no usage or if residuals are not computed.

    Example:
        >>> from otel_sessions import Skipped, Usage
        >>> skipped = Skipped("covered_by_children", residual=Usage(1000, 100))
        >>> print(skipped.reason, skipped.residual.total_tokens)
        covered_by_children 1100
    """

    reason: str
    by: int | None = None
    residual: Usage | None = None


class Counted(NamedTuple):
    """The counted and the skipped spans of one trace.

    Attributes:
        calls: counted calls by span id; a call may have fields from spans that repeat it.
        skipped: spans that report usage, or are a model call, and are not counted, by span id.
    """

    calls: dict[int, Call]
    skipped: dict[int, Skipped]


def count_calls(spans: Mapping[int, SpanFacts], *, cousins: bool = True, members: Members | None = None) -> Counted:
    """Choose the calls that count in one trace.

    Args:
        spans: all spans of the trace.
        cousins: match spans that are side by side also where no common id tells.
        members: the sessions of the spans, where they are known already.
    """
    reporting = {
        span_id: span
        for span_id, span in spans.items()
        if span.call is not None and (span.kind in CALLS or span.call.says_something)
    }
    if not reporting:
        return Counted({}, {})
    skipped: dict[int, Skipped] = {}
    calls = {span_id: span.call for span_id, span in reporting.items() if span.call is not None}
    if len(reporting) > 1:
        _skip_repeats(calls, reporting, spans, skipped)
        candidates = [span for span_id, span in reporting.items() if span_id in calls and span.kind in CALLS]
        helpers = dict(match_helpers(candidates)) if len(candidates) > 1 else {}
        for helper, request in helpers.items():
            skipped[helper] = Skipped(REPEATED, request)
            del calls[helper]
        if helpers:
            candidates = [span for span in candidates if span.span_id in calls]
        for dropped, kept in match_cousins(candidates, members or members_of(spans), fuzzy=cousins):
            skipped[dropped] = Skipped(DUPLICATE, kept)
            calls[kept] = merged(calls[kept], calls.pop(dropped))
    for span_id in [span_id for span_id, call in calls.items() if call.cache_hit]:
        del calls[span_id]
        skipped[span_id] = Skipped(CACHE_HIT)
    name_models(calls, spans)
    return Counted(
        calls, {span_id: Skipped(one.reason, _stands_for(one.by, skipped)) for span_id, one in skipped.items()}
    )


def _stands_for(span_id: int | None, skipped: Mapping[int, Skipped]) -> int | None:
    """The counted span at the end of a chain of spans that stand for one another."""
    seen: set[int] = set()
    while span_id is not None and span_id in skipped and span_id not in seen:
        seen.add(span_id)
        span_id = skipped[span_id].by
    return None if span_id in skipped else span_id


def merged(kept: Call, other: Call) -> Call:
    """The kept call with the fields that only the other call has; numbers are filled in, never added."""
    return Call(
        completed(kept.usage, other.usage),
        kept.model or other.model,
        kept.request_model or other.request_model,
        kept.provider or other.provider,
        kept.response_id or other.response_id,
        kept.call_id or other.call_id,
        kept.context or other.context,
        kept.reported or other.reported,
        kept.cache_hit or other.cache_hit,
        kept.is_request or other.is_request,
        other.time_to_first_token if kept.time_to_first_token is None else kept.time_to_first_token,
    )


def _skip_repeats(
    calls: dict[int, Call],
    reporting: Mapping[int, SpanFacts],
    spans: Mapping[int, SpanFacts],
    skipped: dict[int, Skipped],
) -> None:
    """Skip the spans whose usage is reported again by spans below them."""
    if not _are_nested(reporting, spans):
        return
    around = nearest_above(
        [span_id for span_id, span in reporting.items() if span.kind in CALLS], spans, lambda span: span.kind in CALLS
    )
    covered = _covered(reporting, spans)
    parts = nearest_above(
        [span_id for span_id, span in reporting.items() if span.kind not in CALLS and span_id not in covered],
        spans,
        lambda span: span.kind in CALLS,
    )
    _skip_silent(reporting, spans, around, parts, covered, skipped)
    for span_id in covered:
        skipped.setdefault(span_id, Skipped(COVERED))
    _skip_parts(calls, parts, skipped)
    for span_id in skipped:
        calls.pop(span_id, None)
    _merge_covering(calls, reporting, around, skipped)


def _are_nested(reporting: Mapping[int, SpanFacts], spans: Mapping[int, SpanFacts]) -> bool:
    """Return True if a reporting span has another reporting span above it; in most traces none has."""
    clear: set[int | None] = {None}
    for span in reporting.values():
        parent_id = span.parent_id
        while parent_id not in clear:
            if parent_id in reporting:
                return True
            clear.add(parent_id)
            parent = spans.get(parent_id)  # type: ignore[arg-type]
            if parent is None:
                break
            parent_id = parent.parent_id
    return False


def _covered(reporting: Mapping[int, SpanFacts], spans: Mapping[int, SpanFacts]) -> set[int]:
    """Spans whose usage is reported again below them, in the same unit."""
    covered: set[int] = set()
    # Everything above a span that was passed before is covered already, so each span is passed twice at most.
    passed_by_call: set[int] = set()
    passed: set[int] = set()
    for span in reporting.values():
        if not _says_something(span):
            continue
        is_call = span.kind in CALLS
        seen = passed_by_call if is_call else passed
        parent = spans.get(span.parent_id) if span.parent_id is not None else None
        while parent is not None and parent.span_id not in seen:
            seen.add(parent.span_id)
            if parent.span_id in reporting and (is_call or parent.kind not in CALLS):
                covered.add(parent.span_id)
            if parent.kind == TOOL or parent.parent_id is None:
                break
            parent = spans.get(parent.parent_id)
    return covered


def _skip_silent(
    reporting: Mapping[int, SpanFacts],
    spans: Mapping[int, SpanFacts],
    around: Mapping[int, int],
    parts: Mapping[int, int],
    covered: set[int],
    skipped: dict[int, Skipped],
) -> None:
    """Skip model calls that report nothing if another span reports the same call.

    That is a call inside them, another span inside them that reports usage, a call around them that reports usage, or a
    wrapper around them if only the wrapper reports usage.
    """
    silent = [id_ for id_, span in reporting.items() if span.kind in CALLS and not _says_something(span)]
    inside: dict[int, int] = {}
    for inner, outer in around.items():
        inside[outer] = min(inner, inside.get(outer, inner))
    for part, outer in parts.items():
        inside.setdefault(outer, part)
    telling = nearest_above(
        silent, spans, lambda span: _says_something(span) and (span.kind in CALLS or span.span_id not in covered)
    )
    for span_id in silent:
        by = inside.get(span_id, telling.get(span_id))
        if by is not None:
            skipped[span_id] = Skipped(REPEATED, by)


def _skip_parts(calls: dict[int, Call], parts: Mapping[int, int], skipped: dict[int, Skipped]) -> None:
    """Skip spans that are no model calls, but report again what the call around them reports, such as a raw request."""
    for part_id, call_id in parts.items():
        part, call = calls[part_id], calls.get(call_id)
        if call is None or call_id in skipped:
            continue
        if call.says_something and _same_tokens(call, part):
            calls[call_id] = merged(call, part)
            skipped[part_id] = Skipped(REPEATED, call_id)


def _says_something(span: SpanFacts) -> bool:
    return span.call is not None and span.call.says_something


def _merge_covering(
    calls: dict[int, Call],
    reporting: Mapping[int, SpanFacts],
    around: Mapping[int, int],
    skipped: dict[int, Skipped],
) -> None:
    """Fill in a counted call from the calls around it that repeat only this call: for example the cost that a gateway adds."""
    inner_calls: dict[int, int] = {}
    for outer in around.values():
        inner_calls[outer] = inner_calls.get(outer, 0) + 1
    for span_id, call in list(calls.items()):
        learned = call
        outer_id = around.get(span_id)
        while outer_id is not None and inner_calls[outer_id] == 1 and outer_id in skipped:
            outer_call = reporting[outer_id].call
            if outer_call is None or not _same_tokens(learned, outer_call):
                break
            learned = merged(learned, outer_call)
            skipped[outer_id] = Skipped(skipped[outer_id].reason, span_id)
            outer_id = around.get(outer_id)
        calls[span_id] = learned


def _same_tokens(call: Call, other: Call) -> bool:
    if call.usage is None or other.usage is None:
        return other.usage is None
    return same_tokens(call.usage, other.usage)
