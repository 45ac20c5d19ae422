"""`time_spent`: where the time of a trace went, each instant counted once; `idle`: the time of a session outside its traces."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Final, NamedTuple

from otel_sessions.counting.facts import Call, SpanFacts
from otel_sessions.dialects.kinds import CALLS, HUMAN, HUMAN_NAMES, TOOL

Interval = tuple[int, int]
"""Start and end in nanoseconds; without an instant if the end does not come after the start."""

TimedCall = tuple[int, int, int | None]
"""Start and end of a call, and its time to first token; `None` if that is not known."""


class TimeSpent(NamedTuple):
    """Nanoseconds by what they were spent on; their sum is the whole time.

    Attributes:
        model_wait: waiting for the first token of a model.
        generation: a model was answering; the whole call where its time to first token is not known.
        tool: a tool ran, and nothing of the above.
        human: a tool waited for a person's decision, whatever else went on.
        other: nothing of all this.

    Example:
        >>> from otel_sessions import TimeSpent
        >>> first, second = TimeSpent(model_wait=400, generation=1_600), TimeSpent(tool=250, other=50)
        >>> first.added(second)
        TimeSpent(model_wait=400, generation=1600, tool=250, human=0, other=50)
    """

    model_wait: int = 0
    generation: int = 0
    tool: int = 0
    human: int = 0
    other: int = 0

    def added(self, more: TimeSpent) -> TimeSpent:
        """The sum of both."""
        model_wait, generation, tool, human, other = self
        return TimeSpent(model_wait + more[0], generation + more[1], tool + more[2], human + more[3], other + more[4])


NO_TIME: Final = TimeSpent()

_TOOL: Final = -1
"""In place of a time to first token."""


def time_spent(
    start: int,
    end: int,
    calls: Collection[TimedCall] = (),
    tools: Collection[Interval] = (),
    human: Collection[Interval] = (),
) -> TimeSpent:
    """Where the time from `start` to `end` went.

    Each instant counts once, as the first of these that applies: waiting for a human, generation, waiting for the model, tool, other.
    Intervals may overlap, and stand in any order; what lies outside `start` and `end` does not count.

    Args:
        start: nanoseconds, as all times.
        end: the same; nothing was spent if it does not come after the start.
        calls: model calls.
        tools: runs of tools.
        human: waiting for a person's decision.
    """
    if end <= start:
        return NO_TIME
    if not calls and not tools and not human:
        return TimeSpent(0, 0, 0, 0, end - start)
    if len(calls) == 1 and not tools and not human:  # as in most traces with a call
        return _of_one_call(start, end, *next(iter(calls)))
    if not human:
        apart = _of_separate(start, end, calls, tools)
        if apart is not None:
            return apart
    # Each kind gets what it adds to the time that the kinds before it take.
    taken = _merged(human, start, end)
    human_time = before = _length(taken)
    generation = model_wait = tool = 0
    if calls:
        taken = _merged([*taken, *_generating(calls)], start, end)
        generation = _length(taken) - before
        before += generation
        if any(first_token for _, _, first_token in calls):
            taken = _merged([*taken, *((one[0], one[1]) for one in calls)], start, end)
            model_wait = _length(taken) - before
            before += model_wait
    if tools:
        tool = _length(_merged([*taken, *tools], start, end)) - before
        before += tool
    return TimeSpent(model_wait, generation, tool, human_time, end - start - before)


def spent_by(spans: Iterable[SpanFacts], calls: Mapping[int, Call], start: int, end: int) -> TimeSpent:
    """Where the time of a trace group went.

    Only spans that are one call of a model give the time of a model: an agent's span that reports usage takes as long as its tools.

    Args:
        spans: the spans of the group.
        calls: the counted calls of the trace, by span id.
        start: of the group, nanoseconds.
        end: of the group.
    """
    timed: list[TimedCall] = []
    tools: list[Interval] = []
    human: list[Interval] = []
    for span in spans:
        kind = span.kind
        if kind in CALLS:
            call = calls.get(span.span_id)
            if call is not None:
                timed.append((span.start, span.end, call.time_to_first_token))
        elif span.name in HUMAN_NAMES or kind == HUMAN:
            human.append((span.start, span.end))
        elif kind == TOOL:
            tools.append((span.start, span.end))
    return time_spent(start, end, timed, tools, human)


def idle(traces: Iterable[Interval]) -> int:
    """The nanoseconds of a session in which no trace was open, between its first start and its last end.

    Args:
        traces: start and end of each trace, in any order.
    """
    open_ = busy(traces)
    return open_[-1][1] - open_[0][0] - _length(open_) if open_ else 0


def busy(traces: Iterable[Interval]) -> list[Interval]:
    """The time in which at least one trace was open, as intervals in order that neither overlap nor touch."""
    merged: list[Interval] = []
    for start, end in sorted(traces):
        if merged and start <= merged[-1][1]:
            if end > merged[-1][1]:
                merged[-1] = (merged[-1][0], end)
        else:
            merged.append((start, max(start, end)))
    return merged


def _of_one_call(start: int, end: int, asked: int, answered: int, first_token: int | None) -> TimeSpent:
    begun = asked if first_token is None or first_token <= 0 else asked + first_token
    asked, answered = max(asked, start), min(answered, end)
    if answered <= asked:
        return TimeSpent(0, 0, 0, 0, end - start)
    begun = min(max(begun, asked), answered)
    return TimeSpent(begun - asked, answered - begun, 0, 0, end - start - (answered - asked))


def _of_separate(start: int, end: int, calls: Collection[TimedCall], tools: Collection[Interval]) -> TimeSpent | None:
    """The same for calls and tools that lie inside the time, one after the other, as mostly; `None` for any others."""
    ordered: list[tuple[int, ...]] = [(*tool, _TOOL) for tool in tools]
    ordered += [(asked, answered, max(first_token or 0, 0)) for asked, answered, first_token in calls]
    ordered.sort()
    model_wait = generation = tool_time = 0
    last = start
    for begun, done, first_token in ordered:
        if begun < last or done < begun:
            return None
        last = done
        if first_token == _TOOL:
            tool_time += done - begun
        else:
            waited = min(first_token, done - begun)
            model_wait += waited
            generation += done - begun - waited
    if last > end:
        return None
    return TimeSpent(model_wait, generation, tool_time, 0, end - start - model_wait - generation - tool_time)


def _generating(calls: Iterable[TimedCall]) -> list[Interval]:
    """The calls from their first token on."""
    return [
        (start if first_token is None or first_token <= 0 else start + first_token, end)
        for start, end, first_token in calls
    ]


def _merged(intervals: Iterable[Interval], start: int, end: int) -> list[Interval]:
    """The instants from `start` to `end` that at least one of the intervals has, as intervals in order."""
    merged: list[Interval] = []
    last = start
    for one_start, one_end in sorted(intervals):
        if one_end > last and one_end > one_start and one_start < end:
            begun = merged.pop()[0] if merged and one_start <= last else max(one_start, start)
            last = min(one_end, end)
            merged.append((begun, last))
    return merged


def _length(intervals: Iterable[Interval]) -> int:
    return sum([end - start for start, end in intervals])
