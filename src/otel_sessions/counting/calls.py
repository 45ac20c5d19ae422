"""Which of a trace's reported usages are counted: every model call once, whoever reported it and how often.

Deepest usage wins: a span that repeats or sums up what spans below it report is covered by them. A tool call starts a
unit of its own, since a model that is called inside a tool is not part of the call around it. A model call is covered
only by a model call, never by another span below it. What two instrumentations saw side by side is matched by
`cousins`. Nothing is ever added to a counted usage; a parent's surplus over its children (the residual) is shown only.
"""

from __future__ import annotations

from collections.abc import Mapping
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
    """Why a span's usage is not counted; `by` is the counted span that stands for it, where there is one."""

    reason: str
    by: int | None = None


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
    return Counted(calls, skipped)


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
    around = _calls_around(reporting, spans)
    _skip_silent_repeats(reporting, around, skipped)
    for span_id in _covered(reporting, spans):
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
        call = span.call
        if call is None or not call.says_something:
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


def _calls_around(reporting: Mapping[int, SpanFacts], spans: Mapping[int, SpanFacts]) -> dict[int, int]:
    """For each model call, the nearest model call around it in the same unit."""
    around: dict[int, int] = {}
    nearest: dict[int, int | None] = {}
    for span in reporting.values():
        if span.kind not in CALLS:
            continue
        path: list[int] = []
        found: int | None = None
        current = span
        while current.parent_id is not None and current.kind != TOOL:
            if current.span_id in nearest:
                found = nearest[current.span_id]
                break
            nearest[current.span_id] = None
            path.append(current.span_id)
            parent = spans.get(current.parent_id)
            if parent is None:
                break
            if parent.kind in CALLS:
                found = parent.span_id
                break
            current = parent
        for span_id in path:
            nearest[span_id] = found
        if found is not None:
            around[span.span_id] = found
    return around


def _skip_silent_repeats(
    reporting: Mapping[int, SpanFacts], around: Mapping[int, int], skipped: dict[int, Skipped]
) -> None:
    """A model call that reports nothing is the same call as one around it that does, or as one inside it."""
    inside: dict[int, int] = {}
    for inner, outer in around.items():
        inside[outer] = min(inner, inside.get(outer, inner))
    for span_id, span in reporting.items():
        if span.kind not in CALLS or (span.call is not None and span.call.says_something):
            continue
        if span_id in inside:
            skipped[span_id] = Skipped(REPEATED, inside[span_id])
            continue
        enclosing = around.get(span_id)
        while enclosing is not None:
            call = reporting[enclosing].call
            if call is not None and call.says_something:
                skipped[span_id] = Skipped(REPEATED, enclosing)
                break
            enclosing = around.get(enclosing)


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
