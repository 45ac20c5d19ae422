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

TIMED: Final = CALLS | {HUMAN, TOOL}
"""The kinds of spans whose time is told apart, beside spans with a name of `HUMAN_NAMES`."""


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
    # Each kind gets what it adds to the time that the kinds before it take.
    taken = list(human)
    human_time = before = _covered(taken, start, end) if taken else 0
    generation = model_wait = tool = 0
    if calls:
        waits = False
        for asked, answered, first_token in calls:
            if first_token is None or first_token <= 0:
                taken.append((asked, answered))
            else:
                waits = True
                taken.append((asked + first_token, answered))
        generation = _covered(taken, start, end) - before
        before += generation
        if waits:
            taken.extend([(asked, answered) for asked, answered, _ in calls])
            model_wait = _covered(taken, start, end) - before
            before += model_wait
    if tools:
        taken.extend(tools)
        tool = _covered(taken, start, end) - before
        before += tool
    return TimeSpent(model_wait, generation, tool, human_time, end - start - before)


def spent_by(spans: Iterable[SpanFacts], calls: Mapping[int, Call], start: int, end: int) -> TimeSpent:
    """Where the time of a trace group went.

    Only spans that are one call of a model give the time of a model: an agent's span that reports usage takes as long as its tools.

    Args:
        spans: the spans of the group; at least those of the kinds `TIMED` and of the names `HUMAN_NAMES`.
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
        elif kind == HUMAN or span.name in HUMAN_NAMES:
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
    return open_[-1][1] - open_[0][0] - sum([end - start for start, end in open_]) if open_ else 0


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


def _covered(intervals: list[Interval], start: int, end: int) -> int:
    """How many of the nanoseconds from `start` to `end` at least one of the intervals has; they are put in order."""
    intervals.sort()
    covered = 0
    last = start
    for begun, ended in intervals:
        if begun >= last:
            if ended > begun:
                covered += ended - begun
                last = ended
        elif ended > last:
            covered += ended - last
            last = ended
    if last > end:
        return _covered([(begun, min(ended, end)) for begun, ended in intervals], start, end)
    return covered
