"""`told_once`: leaves out what log records and tools tell of a turn if its calls tell it as well."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence

from otel_sessions.conversation.chains import Links, unpacked
from otel_sessions.conversation.tellings import ANSWER, PROMPT, TOOL_RUN, Place, Telling


class _Turn:
    """What the calls of a turn, and the agents around them, tell."""

    def __init__(self, calls: Sequence[Telling]) -> None:
        self._calls = calls
        self._likenesses: set[int] | None = None
        self.has_input = any(one.input for one in calls)
        self.has_user = any(b"u" in one.input.roles for one in calls)
        self.has_all_output = bool(calls) and all(one.output for one in calls if one.call is not None)
        self._by_lane: dict[str | None, list[Telling]] = {}
        for one in calls:
            if one.input:
                self._by_lane.setdefault(one.lane, []).append(one)

    def tells(self, links: Links) -> bool:
        """Return True if they tell all of these."""
        if self._likenesses is None:
            self._likenesses = set(_likenesses(self._calls))
        return self._likenesses.issuperset(unpacked(links.likenesses))

    def answers(self, tool: Telling) -> bool:
        """Return True if the next call of the tool's lane ends in what tools answered: this tool's answer is among it."""
        calls = self._by_lane.get(tool.lane, [])
        place = bisect_right(calls, tool.start, key=_start)
        return place < len(calls) and calls[place].input.roles.rstrip(b"us").endswith(b"t")


def _start(telling: Telling) -> int:
    return telling.start


def _likenesses(calls: Sequence[Telling]) -> Iterable[int]:
    for one, after in zip(calls, (*calls[1:], None), strict=True):
        # Most inputs are repeated by the next one.
        if after is None or not after.input.likenesses.startswith(one.input.likenesses):
            yield from unpacked(one.input.likenesses)
        yield from unpacked(one.output.likenesses)


def told_once(tellings: Sequence[Telling], turns: Mapping[tuple[Place, int], int]) -> list[Telling]:
    """The tellings without those that only repeat; both in the order of time."""
    of_turn: dict[int, list[Telling]] = {}
    for one in tellings:
        if one.kind != TOOL_RUN and not one.is_beside:
            of_turn.setdefault(turns[(one.unit, one.record), one.kind], []).append(one)
    known = {turn: _Turn(calls) for turn, calls in of_turn.items()}
    nothing = _Turn(())
    found = []
    for one in tellings:
        turn = known.get(turns[(one.unit, one.record), one.kind], nothing)
        kept: Telling | None = one
        if one.kind == TOOL_RUN:
            kept = _tool(one, turn)
        elif one.is_beside and _is_repeated(one, turn):
            kept = None
        if kept is not None:
            found.append(kept)
    return found


def _is_repeated(one: Telling, turn: _Turn) -> bool:
    if one.kind == PROMPT and turn.has_user:
        return True
    assert one.kind in (PROMPT, ANSWER)
    if one.kind == ANSWER and turn.has_all_output:
        return True
    return bool(one.input) and turn.tells(one.input)


def _tool(one: Telling, turn: _Turn) -> Telling | None:
    """What is left of the run of a tool; `None` if nothing is."""
    if turn.answers(one) or (one.output and turn.tells(one.output)):
        return None
    if one.input and (turn.has_input or turn.tells(one.input)):
        return one._replace(input=Links())
    return one
