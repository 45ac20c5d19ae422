"""Which of a trace's reported usages are counted: every model call once, whoever reported it and how often.

Deepest usage wins: a span that repeats or sums up what spans below it report is covered by them. A tool call starts a
unit of its own, since a model that is called inside a tool is not part of the call around it. A model call is covered
only by a model call, never by another span below it. What two instrumentations saw side by side is matched by
`cousins`. Nothing is ever added to a counted usage; a parent's surplus over its children (the residual) is shown only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final, NamedTuple

from otel_sessions.counting.cousins import match_cousins
from otel_sessions.counting.facts import Call, SpanFacts
from otel_sessions.counting.tokens import Usage
from otel_sessions.dialects.kinds import CALLS, TOOL

COVERED: Final = "covered_by_children"
REPEATED: Final = "part_of_call"
DUPLICATE: Final = "duplicate"
CACHE_HIT: Final = "cache_hit"


class Skipped(NamedTuple):
    """Why a span's usage is not counted.

    Attributes:
        reason: one of the constants of this module.
        by: the counted span that stands for it, where there is one.
        residual: input and output tokens that it reports beyond the calls counted below it, where that was asked for.
    """

    reason: str
    by: int | None = None
    residual: Usage | None = None


class Counted(NamedTuple):
    """The outcome for one trace.

    Attributes:
        calls: counted calls by span id; a call may hold what a span that repeats it knew in addition.
        skipped: spans that report usage, or are a model call, and are not counted.
    """

    calls: dict[int, Call]
    skipped: dict[int, Skipped]


def count_calls(spans: Mapping[int, SpanFacts], *, cousins: bool = True) -> Counted:
    """Choose what counts in one trace; `cousins=False` leaves spans side by side that have no id in common alone."""
    reporting = {span_id: span for span_id, span in spans.items() if span.call is not None}
    if not reporting:
        return Counted({}, {})
    skipped: dict[int, Skipped] = {}
    calls = {span_id: span.call for span_id, span in reporting.items() if span.call is not None}
    if len(reporting) > 1:
        _skip_repeats(calls, reporting, spans, skipped)
        candidates = [span for span_id, span in reporting.items() if span_id in calls and span.kind in CALLS]
        for dropped, kept in match_cousins(candidates, fuzzy=cousins):
            skipped[dropped] = Skipped(DUPLICATE, kept)
            calls[kept] = merged(calls[kept], calls.pop(dropped))
    for span_id in [span_id for span_id, call in calls.items() if call.cache_hit]:
        del calls[span_id]
        skipped[span_id] = Skipped(CACHE_HIT)
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
    """The kept call with what only the other knew; numbers are filled in, never added."""
    usage = kept.usage
    if other.usage is not None:
        if usage is None or not usage.total_tokens:
            usage = other.usage
        elif usage[:2] == other.usage[:2]:
            usage = Usage(*(theirs if ours is None else ours for ours, theirs in zip(usage, other.usage, strict=True)))
    return Call(
        usage,
        kept.model or other.model,
        kept.request_model or other.request_model,
        kept.provider or other.provider,
        kept.response_id or other.response_id,
        kept.call_id or other.call_id,
        kept.context or other.context,
        kept.reported or other.reported,
        kept.cache_hit or other.cache_hit,
    )


def _skip_repeats(
    calls: dict[int, Call],
    reporting: Mapping[int, SpanFacts],
    spans: Mapping[int, SpanFacts],
    skipped: dict[int, Skipped],
) -> None:
    """Take out what spans below report again."""
    if not _are_nested(reporting, spans):
        return
    around = _nearest_above(
        [span_id for span_id, span in reporting.items() if span.kind in CALLS], spans, lambda span: span.kind in CALLS
    )
    covered = _covered(reporting, spans)
    _skip_silent(reporting, spans, around, covered, skipped)
    for span_id in covered:
        skipped.setdefault(span_id, Skipped(COVERED))
    for span_id in skipped:
        calls.pop(span_id, None)
    _merge_covering(calls, reporting, around, skipped)


def _are_nested(reporting: Mapping[int, SpanFacts], spans: Mapping[int, SpanFacts]) -> bool:
    """Whether any reporting span has another one above it; most traces are done with this look."""
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
    # Where a walk passed before, everything above has been covered already: each span is passed twice at most.
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
            if parent.call is not None and (is_call or parent.kind not in CALLS):
                covered.add(parent.span_id)
            if parent.kind == TOOL or parent.parent_id is None:
                break
            parent = spans.get(parent.parent_id)
    return covered


def _nearest_above(
    span_ids: Iterable[int], spans: Mapping[int, SpanFacts], wanted: Callable[[SpanFacts], bool]
) -> dict[int, int]:
    """For each span the nearest one above it, in the same unit, that is wanted; linear in the number of spans."""
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


def _skip_silent(
    reporting: Mapping[int, SpanFacts],
    spans: Mapping[int, SpanFacts],
    around: Mapping[int, int],
    covered: set[int],
    skipped: dict[int, Skipped],
) -> None:
    """Take out model calls that report nothing and are told of by another span.

    They are the same call as one inside them, or as one around them that reports, or a part of a wrapper around them
    that is the only one to report.
    """
    silent = [id_ for id_, span in reporting.items() if span.kind in CALLS and not _says_something(span)]
    inside: dict[int, int] = {}
    for inner, outer in around.items():
        inside[outer] = min(inner, inside.get(outer, inner))
    telling = _nearest_above(
        silent, spans, lambda span: _says_something(span) and (span.kind in CALLS or span.span_id not in covered)
    )
    for span_id in silent:
        by = inside.get(span_id, telling.get(span_id))
        if by is not None:
            skipped[span_id] = Skipped(REPEATED, by)


def _says_something(span: SpanFacts) -> bool:
    return span.call is not None and span.call.says_something


def _merge_covering(
    calls: dict[int, Call],
    reporting: Mapping[int, SpanFacts],
    around: Mapping[int, int],
    skipped: dict[int, Skipped],
) -> None:
    """Let a counted call learn from the calls around it that repeat it alone, a gateway's cost above all."""
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
    return call.usage[:2] == other.usage[:2]
